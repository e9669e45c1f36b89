//! `kindred query 'SQL'`

use std::fs::File;
use std::io::{BufWriter, ErrorKind, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use arrow::array::RecordBatch;
use arrow::csv::WriterBuilder as CsvWriter;
use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::StreamWriter;
use arrow::json::LineDelimitedWriter;
use arrow::util::pretty::pretty_format_batches_with_schema;
use futures::StreamExt;
use kindred_engine::EngineError;
use kindred_jobs::lake_tables;
use parquet::arrow::ArrowWriter;

use crate::cli::{Format, QueryArgs};
use crate::exit::Usage;
use crate::platform;
use crate::settings::Settings;

pub(crate) async fn query(settings: &Settings, arguments: &QueryArgs) -> anyhow::Result<()> {
    let binary = matches!(arguments.format, Format::Arrow | Format::Parquet);
    if binary && arguments.output.is_none() && std::io::stdout().is_terminal() {
        return Err(Usage("this format is not for a terminal: name a file with --output".to_owned()).into());
    }
    let lake = platform::lake(settings)?;
    let tables = lake_tables();
    let snapshot = lake
        .snapshot(tables.iter().map(|(_, dataset, _)| dataset.clone()))
        .await?;
    let session = platform::engine(settings)?.session(&lake, snapshot);
    for (name, dataset, schema) in &tables {
        session.register_dataset(name, dataset, schema)?;
    }
    let rows = session.sql(&arguments.sql).await;
    let mut rows = rows.map_err(|error| match error.is_retryable() {
        // A plan looks at some files before the first row comes.
        true => stopped(error),
        false => error.into(),
    })?;
    let target: Box<dyn Write + Send> = match &arguments.output {
        Some(path) => Box::new(File::create(path).with_context(|| format!("cannot write {}", path.display()))?),
        None => Box::new(std::io::stdout()),
    };
    let closed = Arc::new(AtomicBool::new(false));
    let sink = Reader {
        target,
        closed: Arc::clone(&closed),
    };
    let mut printer = Printer::new(arguments.format, rows.schema(), BufWriter::new(sink))?;
    while let Some(batch) = rows.next().await
        && !closed.load(Ordering::Relaxed)
    {
        let batch = batch.map_err(|error| stopped(session.failure(&arguments.sql, error)))?;
        printer.print(&batch).with_context(|| unwritten(arguments))?;
    }
    printer.finish().with_context(|| unwritten(arguments))
}

fn stopped(error: EngineError) -> anyhow::Error {
    if error.is_unreachable() {
        return error.into();
    }
    let what = if error.is_retryable() {
        "a run replaced files of the lake while the statement read them: ask again"
    } else {
        "the statement failed while it ran"
    };
    anyhow::Error::from(error).context(what)
}

fn unwritten(arguments: &QueryArgs) -> String {
    let sink = arguments.output.as_deref().map(|path| path.display().to_string());
    let sink = sink.as_deref().unwrap_or("standard output");
    format!("the answer could not be written to {sink}")
}

type Sink = BufWriter<Reader>;

/// Whoever reads the answer. One that goes away has read enough: what follows is dropped, and is no failure.
struct Reader {
    target: Box<dyn Write + Send>,
    closed: Arc<AtomicBool>,
}

impl Write for Reader {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.unless_closed(bytes.len(), |target| target.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.unless_closed((), |target| target.flush())
    }
}

impl Reader {
    fn unless_closed<T>(
        &mut self,
        dropped: T,
        act: impl FnOnce(&mut dyn Write) -> std::io::Result<T>,
    ) -> std::io::Result<T> {
        match act(&mut self.target) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed.store(true, Ordering::Relaxed);
                Ok(dropped)
            }
            acted => acted,
        }
    }
}

/// Writes rows as they come; a table alone waits for all of them, to know how wide its columns are.
enum Printer {
    Table {
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
        sink: Sink,
    },
    Csv(Box<arrow::csv::Writer<Sink>>),
    Json(Box<LineDelimitedWriter<Sink>>),
    Arrow(Box<StreamWriter<Sink>>),
    Parquet(Box<ArrowWriter<Sink>>),
}

impl Printer {
    fn new(format: Format, schema: SchemaRef, sink: Sink) -> anyhow::Result<Self> {
        Ok(match format {
            Format::Table => Self::Table {
                schema,
                batches: Vec::new(),
                sink,
            },
            Format::Csv => {
                let mut writer = CsvWriter::new().with_header(true).build(sink);
                // The header comes with the first batch: an answer without rows has one, too.
                writer.write(&RecordBatch::new_empty(schema))?;
                Self::Csv(Box::new(writer))
            }
            Format::Json => Self::Json(Box::new(LineDelimitedWriter::new(sink))),
            Format::Arrow => Self::Arrow(Box::new(StreamWriter::try_new(sink, &schema)?)),
            Format::Parquet => Self::Parquet(Box::new(ArrowWriter::try_new(sink, schema, None)?)),
        })
    }

    fn print(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        match self {
            Self::Table { batches, .. } => batches.push(batch.clone()),
            Self::Csv(writer) => writer.write(batch)?,
            Self::Json(writer) => writer.write(batch)?,
            Self::Arrow(writer) => writer.write(batch)?,
            Self::Parquet(writer) => writer.write(batch)?,
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Table {
                schema,
                batches,
                mut sink,
            } => {
                writeln!(sink, "{}", pretty_format_batches_with_schema(schema, &batches)?)?;
                sink.flush()?;
            }
            Self::Csv(writer) => writer.into_inner().flush()?,
            Self::Json(mut writer) => {
                writer.finish()?;
                writer.into_inner().flush()?;
            }
            Self::Arrow(mut writer) => {
                writer.finish()?;
                writer.flush()?;
            }
            Self::Parquet(writer) => writer.into_inner()?.flush()?,
        }
        Ok(())
    }
}
