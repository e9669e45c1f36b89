//! Progress bars, on standard error, and only for people.

use indicatif::{ProgressBar, ProgressStyle};
use kindred_jobs::BackfillProgress;
use kindred_model::Job;

/// The bar of a backfill. Hidden by itself where standard error is no terminal.
pub(crate) struct BackfillBar {
    bar: ProgressBar,
    job: Job,
}

impl BackfillBar {
    pub(crate) fn new(job: Job) -> Self {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{prefix:>10} [{bar:32}] {pos}/{len} days  {msg}  {elapsed}")
            .expect("the template is well-formed");
        bar.set_style(style.progress_chars("=> "));
        bar.set_prefix(format!("backfill {job}"));
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        Self { bar, job }
    }

    pub(crate) fn show(&self, progress: BackfillProgress) {
        self.bar.set_length(progress.days);
        self.bar.set_position(progress.done);
        match progress.next {
            Some(window) => {
                self.bar.set_message(window.to_string());
                tracing::info!(job = %self.job, done = progress.done, of = progress.days, next = %window, "backfill");
            }
            None => self.bar.finish_with_message("done"),
        }
    }
}
