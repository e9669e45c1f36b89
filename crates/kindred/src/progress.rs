//! Progress bars, on standard error, and only for people.

use std::io::Write;
use std::sync::LazyLock;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use kindred_jobs::BackfillProgress;
use kindred_model::Job;

/// How often a bar is drawn again, so that its clock runs.
const TICK: Duration = Duration::from_millis(200);

/// All bars of the process: there is one standard error.
pub(crate) static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Standard error, with the bars out of the way while a line is written.
pub(crate) struct AboveBars;

impl Write for AboveBars {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        BARS.suspend(|| std::io::stderr().write(line))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

/// The bar of a backfill. Hidden by itself where standard error is no terminal.
pub(crate) struct BackfillBar {
    bar: ProgressBar,
    job: Job,
}

impl BackfillBar {
    pub(crate) fn new(job: Job) -> Self {
        let bar = BARS.add(ProgressBar::no_length());
        let style = ProgressStyle::with_template("{prefix:>10} [{bar:32}] {pos}/{len} days  {msg}  {elapsed}")
            .expect("the template is well-formed");
        bar.set_style(style.progress_chars("=> "));
        bar.set_prefix(format!("backfill {job}"));
        Self { bar, job }
    }

    pub(crate) fn show(&self, progress: BackfillProgress) {
        self.bar.set_length(progress.days);
        self.bar.set_position(progress.done);
        self.bar.enable_steady_tick(TICK);
        match progress.next {
            Some(window) => self.bar.set_message(window.to_string()),
            None => self.bar.finish_with_message("done"),
        }
        if let Some(window) = progress.next
            && self.bar.is_hidden()
        {
            tracing::info!(job = %self.job, done = progress.done, of = progress.days, next = %window, "backfill");
        }
    }
}
