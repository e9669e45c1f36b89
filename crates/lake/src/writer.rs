//! One Parquet file, written with bounded memory.

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::{Row, RowConverter, SortField};
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use parquet::arrow::AsyncArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, ParquetMetaDataReader};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::content_hash::ContentHash;
use crate::{Dataset, Lake, LakeError, PartitionFile};

/// Rows in a row group, and rows held in memory: the least that readers still like.
pub(crate) const ROW_GROUP_ROWS: usize = 128 * 1024;

/// The footer's key under which a file carries the hash of its rows.
const CONTENT_HASH_KEY: &str = "kindred.content_hash";

/// Bytes of a file's end that hold most footers.
const FOOTER_GUESS: u64 = 64 * 1024;

/// What a file says of its origin, in the footer's key-value metadata.
#[derive(Debug, Clone, Default)]
pub struct FileStamp {
    /// The run that wrote it.
    pub run_id: String,
    /// The run's job.
    pub job: String,
    /// The run's window, as `from/to`, `to` exclusive.
    pub interval: String,
    /// The version of the definitions.
    pub contract_version: String,
    /// A hash of the SQL that made the rows.
    pub sql_hash: String,
}

impl FileStamp {
    /// The same, for rows that this SQL made.
    #[must_use]
    pub fn with_sql(self, sql: &str) -> Self {
        Self {
            sql_hash: blake3::hash(sql.as_bytes()).to_hex().to_string(),
            ..self
        }
    }

    fn key_values(&self) -> [(&'static str, &str); 5] {
        [
            ("kindred.run_id", &self.run_id),
            ("kindred.job", &self.job),
            ("kindred.interval", &self.interval),
            ("kindred.contract_version", &self.contract_version),
            ("kindred.sql_hash", &self.sql_hash),
        ]
    }
}

/// How the rows of a file lie in it.
#[derive(Debug, Clone)]
pub(crate) enum Layout {
    /// Sorted by these columns, then all others, within each row group; and hashed, for comparisons.
    Sorted(Vec<&'static str>),
    /// As they come, for files that only their run reads.
    AsTheyCome,
}

/// Writes the rows of one partition.
pub(crate) struct PartitionWriter {
    lake: Lake,
    dataset: Dataset,
    path: String,
    schema: SchemaRef,
    file: AsyncArrowWriter<BufWriter>,
    sorting: Option<Sorting>,
    pending: Vec<RecordBatch>,
    pending_rows: usize,
    hash: ContentHash,
}

impl PartitionWriter {
    pub(crate) fn new(
        lake: &Lake,
        dataset: &Dataset,
        path: String,
        schema: SchemaRef,
        layout: &Layout,
    ) -> Result<Self, LakeError> {
        let properties = properties(&schema, layout);
        let sink = BufWriter::new(lake.store(), Path::from(path.as_str()));
        let file = AsyncArrowWriter::try_new(sink, schema.clone(), Some(properties))
            .map_err(|source| lake.parquet_failed("begin", &path, source))?;
        let sorting = match layout {
            Layout::Sorted(by) => Some(Sorting::new(&schema, by).map_err(|source| LakeError::Arrange {
                dataset: dataset.to_string(),
                source,
            })?),
            Layout::AsTheyCome => None,
        };
        Ok(Self {
            lake: lake.clone(),
            dataset: dataset.clone(),
            path,
            schema,
            file,
            sorting,
            pending: Vec::new(),
            pending_rows: 0,
            hash: ContentHash::default(),
        })
    }

    /// Rows that are held in memory.
    pub(crate) const fn pending_rows(&self) -> usize {
        self.pending_rows
    }

    pub(crate) async fn write(&mut self, mut batch: RecordBatch) -> Result<(), LakeError> {
        while batch.num_rows() > 0 {
            let fits = batch.num_rows().min(ROW_GROUP_ROWS - self.pending_rows);
            self.pending.push(batch.slice(0, fits));
            self.pending_rows += fits;
            batch = batch.slice(fits, batch.num_rows() - fits);
            if self.pending_rows == ROW_GROUP_ROWS {
                self.flush().await?;
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), LakeError> {
        let arrange = |source| LakeError::Arrange {
            dataset: self.dataset.to_string(),
            source,
        };
        let chunk = concat_batches(&self.schema, &std::mem::take(&mut self.pending)).map_err(arrange)?;
        self.pending_rows = 0;
        let chunk = match &self.sorting {
            Some(sorting) => sorting.sort(chunk, &mut self.hash).map_err(arrange)?,
            None => {
                self.hash.count(chunk.num_rows() as u64);
                chunk
            }
        };
        let parquet = |source| self.lake.parquet_failed("write", &self.path, source);
        self.file.write(&chunk).await.map_err(parquet)?;
        self.file.flush().await.map_err(parquet)
    }

    /// Writes the footer. Returns the hash of the rows and the size in bytes.
    pub(crate) async fn finish(mut self, stamp: &FileStamp) -> Result<(ContentHash, u64), LakeError> {
        if self.pending_rows > 0 {
            self.flush().await?;
        }
        for (key, value) in stamp.key_values() {
            self.file
                .append_key_value_metadata(KeyValue::new(key.to_owned(), value.to_owned()));
        }
        let hash = self.hash.to_string();
        self.file
            .append_key_value_metadata(KeyValue::new(CONTENT_HASH_KEY.to_owned(), hash));
        let finished = self.file.finish().await;
        finished.map_err(|source| self.lake.parquet_failed("finish", &self.path, source))?;
        Ok((self.hash, self.file.bytes_written() as u64))
    }
}

/// How a file of this schema is encoded.
fn properties(schema: &SchemaRef, layout: &Layout) -> WriterProperties {
    let zstd = ZstdLevel::try_new(1).expect("1 is a zstd level");
    let statistics = match layout {
        Layout::Sorted(_) => EnabledStatistics::Page,
        Layout::AsTheyCome => EnabledStatistics::None,
    };
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(zstd))
        .set_statistics_enabled(statistics)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS));
    // Hardly two instants are the same: a dictionary of them takes more bytes than they do, and time to be made.
    let fields = schema.fields().iter();
    for field in fields.filter(|field| matches!(field.data_type(), DataType::Timestamp(..))) {
        let column = ColumnPath::from(field.name().as_str());
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
    }
    properties.build()
}

/// Encodes rows with the sort columns first, for sorting and hashing at once.
struct Sorting {
    rows: RowConverter,
    /// The columns in the order in which `rows` takes them.
    order: Vec<usize>,
}

impl Sorting {
    fn new(schema: &SchemaRef, by: &[&str]) -> Result<Self, ArrowError> {
        let mut order: Vec<usize> = by.iter().filter_map(|name| schema.index_of(name).ok()).collect();
        let rest: Vec<_> = (0..schema.fields().len())
            .filter(|index| !order.contains(index))
            .collect();
        order.extend(rest);
        let fields = order
            .iter()
            .map(|&index| SortField::new(schema.field(index).data_type().clone()));
        let rows = RowConverter::new(fields.collect())?;
        Ok(Self { rows, order })
    }

    /// Takes the rows, so that no more than two copies of them are held at once.
    fn sort(&self, chunk: RecordBatch, hash: &mut ContentHash) -> Result<RecordBatch, ArrowError> {
        let columns: Vec<_> = self.order.iter().map(|&index| chunk.column(index).clone()).collect();
        let rows = self.rows.convert_columns(&columns)?;
        hash.add(&rows);
        // The first bytes decide nearly always: beside their row's number they are compared without looking for it.
        let mut sorted: Vec<(u128, u32)> = (0..).zip(&rows).map(|(number, row)| (beginning(row), number)).collect();
        sorted.sort_unstable_by(|(left, one), (right, other)| {
            let of = |number: &u32| rows.row(*number as usize);
            left.cmp(right).then_with(|| of(one).cmp(&of(other)))
        });
        drop(rows);
        let sorted = UInt32Array::from_iter_values(sorted.into_iter().map(|(_, number)| number));
        take_record_batch(&chunk, &sorted)
    }
}

/// The first 16 bytes of a row, as a number of the same order; what a shorter row lacks counts as zeros.
fn beginning(row: Row<'_>) -> u128 {
    let bytes: &[u8] = row.as_ref();
    let mut first = [0; 16];
    let known = bytes.len().min(first.len());
    first[..known].copy_from_slice(&bytes[..known]);
    u128::from_be_bytes(first)
}

/// The hash of a published file's rows, from its footer; `None` when the file says nothing of it.
///
/// # Errors
/// When the footer cannot be read.
pub async fn read_content_hash(lake: &Lake, file: &PartitionFile) -> Result<Option<String>, LakeError> {
    let ObjectMeta { location, size, .. } = file.meta.as_ref();
    let mut tail = (*size).min(FOOTER_GUESS);
    let metadata = loop {
        let bytes = lake.store.get_range(location, size - tail..*size).await;
        let bytes = bytes.map_err(|source| lake.failed("read", location, source))?;
        let mut reader = ParquetMetaDataReader::new();
        match reader.try_parse_sized(&bytes, *size) {
            Ok(()) => break reader.finish(),
            Err(ParquetError::NeedMoreData(needed)) if (needed as u64) > tail => tail = (*size).min(needed as u64),
            Err(error) => break Err(error),
        }
    };
    let metadata = metadata.map_err(|source| lake.parquet_failed("read", location, source))?;
    let pairs = metadata.file_metadata().key_value_metadata().into_iter().flatten();
    Ok(pairs
        .into_iter()
        .find(|pair| pair.key == CONTENT_HASH_KEY)
        .and_then(|pair| pair.value.clone()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array, StringArray};
    use arrow::datatypes::{Field, Int64Type, Schema};

    use super::*;

    #[test]
    fn rows_that_begin_alike_are_sorted_by_what_follows() {
        let schema = Arc::new(Schema::new(vec![
            Field::new("amount", DataType::Int64, false),
            Field::new("name", DataType::Utf8, true),
        ]));
        let long = |end: &str| Some(format!("a name of more than sixteen bytes {end}"));
        let names = vec![
            long("c"),
            None,
            long("a"),
            Some(String::new()),
            long("b"),
            Some("a".to_owned()),
            long("a"),
        ];
        let amounts = [5, 3, 2, 4, 1, 0, -1];
        let rows = RecordBatch::try_new(
            Arc::clone(&schema),
            vec![
                Arc::new(Int64Array::from_iter_values(amounts)),
                Arc::new(StringArray::from(names)),
            ],
        )
        .unwrap();
        let sorting = Sorting::new(&schema, &["name"]).unwrap();
        let sorted = sorting.sort(rows, &mut ContentHash::default()).unwrap();
        let sorted = sorted.column(0).as_primitive::<Int64Type>();
        assert_eq!(sorted.values(), &[3, 4, 0, -1, 2, 1, 5]);
    }
}
