//! Small writers of lists, each as the documentation of its format has it.

use std::{io::Write as _, sync::Arc};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use md5::{Digest, Md5};
use parquet::{
    data_type::{BoolType, ByteArray, ByteArrayType, Int32Type, Int64Type, Int96, Int96Type},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};

/// A text under gzip.
pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// A text under zstd.
pub(crate) fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(text, 1).unwrap()
}

/// A key as S3 Inventory and a manifest of S3 Batch Operations have it: every byte but letters, digits and `-_.*/` as `%XX`, a
/// space as `+`.
pub(crate) fn url_encoded(key: &str) -> String {
    key.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => {
                char::from(byte).to_string()
            }
            b' ' => "+".to_owned(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// The values of a column.
#[derive(Debug, Clone)]
pub(crate) enum Cells {
    Text(Vec<Option<Vec<u8>>>),
    Long(Vec<Option<i64>>),
    Int(Vec<Option<i32>>),
    Flag(Vec<Option<bool>>),
    Int96(Vec<Option<Int96>>),
}

impl Cells {
    /// Texts, each of which is there.
    pub(crate) fn texts<T: AsRef<[u8]>>(texts: &[T]) -> Self {
        Self::Text(
            texts
                .iter()
                .map(|text| Some(text.as_ref().to_vec()))
                .collect(),
        )
    }

    fn slice(&self, begin: usize, end: usize) -> Self {
        match self {
            Self::Text(cells) => Self::Text(cells[begin..end].to_vec()),
            Self::Long(cells) => Self::Long(cells[begin..end].to_vec()),
            Self::Int(cells) => Self::Int(cells[begin..end].to_vec()),
            Self::Flag(cells) => Self::Flag(cells[begin..end].to_vec()),
            Self::Int96(cells) => Self::Int96(cells[begin..end].to_vec()),
        }
    }
}

/// A Parquet file of these columns, in row groups of `group_rows`. Columns with absent values are `optional` in the schema.
pub(crate) fn parquet(
    fields: &str,
    columns: &[Cells],
    rows: usize,
    group_rows: usize,
    properties: WriterProperties,
) -> Bytes {
    let schema = Arc::new(parse_message_type(&format!("message schema {{ {fields} }}")).unwrap());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    for begin in (0..rows).step_by(group_rows) {
        let end = rows.min(begin + group_rows);
        let mut group = file.next_row_group().unwrap();
        for cells in columns {
            let mut column = group.next_column().unwrap().unwrap();
            /// Writes the values that are there, and the levels of all.
            macro_rules! write {
                ($type:ty, $cells:expr, $to:expr) => {{
                    let levels: Vec<i16> = $cells
                        .iter()
                        .map(|cell| i16::from(cell.is_some()))
                        .collect();
                    let values: Vec<_> = $cells.into_iter().flatten().map($to).collect();
                    column
                        .typed::<$type>()
                        .write_batch(&values, Some(&levels), None)
                        .unwrap();
                }};
            }
            match cells.slice(begin, end) {
                Cells::Text(cells) => write!(ByteArrayType, cells, ByteArray::from),
                Cells::Long(cells) => write!(Int64Type, cells, |value| value),
                Cells::Int(cells) => write!(Int32Type, cells, |value| value),
                Cells::Flag(cells) => write!(BoolType, cells, |value| value),
                Cells::Int96(cells) => write!(Int96Type, cells, |value| value),
            }
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    file.into_inner().unwrap().into()
}

/// A row of an inventory of all versions.
#[derive(Debug, Clone)]
pub(crate) struct InventoryRow {
    pub(crate) key: String,
    pub(crate) version_id: String,
    pub(crate) is_latest: bool,
    pub(crate) is_delete_marker: bool,
    pub(crate) size: i64,
    pub(crate) modified_ms: i64,
    pub(crate) etag: String,
    pub(crate) storage_class: String,
}

/// The columns of the inventory's CSV files, as its manifest names them
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html).
pub(crate) const CSV_SCHEMA: &str = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass, IsMultipartUploaded";
/// The same of its Parquet files.
pub(crate) const PARQUET_SCHEMA: &str = "message s3.inventory { required binary bucket (UTF8); required binary key (UTF8); \
    optional binary version_id (UTF8); optional boolean is_latest; optional boolean is_delete_marker; optional int64 size; \
    optional int64 last_modified_date (TIMESTAMP_MILLIS); optional binary e_tag (UTF8); optional binary storage_class (UTF8);}";

/// A data file of an inventory in CSV: gzip, no header, every cell in quotes, keys URL-encoded, LF. A delete marker has no
/// size, ETag and class.
pub(crate) fn inventory_csv(bucket: &str, rows: &[InventoryRow]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut writer = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Always)
        .from_writer(&mut text);
    for row in rows {
        let modified =
            shardlift_core::value::time::Timestamp::from_millis(row.modified_ms).to_string();
        let of_object = |text: String| {
            if row.is_delete_marker {
                String::new()
            } else {
                text
            }
        };
        let cells = [
            bucket.to_owned(),
            url_encoded(&row.key),
            row.version_id.clone(),
            row.is_latest.to_string(),
            row.is_delete_marker.to_string(),
            of_object(row.size.to_string()),
            modified,
            of_object(row.etag.clone()),
            of_object(row.storage_class.clone()),
            "false".to_owned(),
        ];
        writer.write_record(cells).unwrap();
    }
    drop(writer);
    gzip(&text)
}

/// A data file of an inventory in Parquet, in row groups of `group_rows`.
pub(crate) fn inventory_parquet(
    bucket: &str,
    rows: &[InventoryRow],
    group_rows: usize,
    properties: WriterProperties,
) -> Bytes {
    let fields = PARQUET_SCHEMA
        .split_once('{')
        .unwrap()
        .1
        .trim_end_matches('}');
    let of_object =
        |row: &InventoryRow, text: &str| (!row.is_delete_marker).then(|| text.as_bytes().to_vec());
    let columns = [
        Cells::Text(
            rows.iter()
                .map(|_| Some(bucket.as_bytes().to_vec()))
                .collect(),
        ),
        Cells::Text(
            rows.iter()
                .map(|row| Some(row.key.clone().into_bytes()))
                .collect(),
        ),
        Cells::Text(
            rows.iter()
                .map(|row| Some(row.version_id.clone().into_bytes()))
                .collect(),
        ),
        Cells::Flag(rows.iter().map(|row| Some(row.is_latest)).collect()),
        Cells::Flag(rows.iter().map(|row| Some(row.is_delete_marker)).collect()),
        Cells::Long(
            rows.iter()
                .map(|row| (!row.is_delete_marker).then_some(row.size))
                .collect(),
        ),
        Cells::Long(rows.iter().map(|row| Some(row.modified_ms)).collect()),
        Cells::Text(rows.iter().map(|row| of_object(row, &row.etag)).collect()),
        Cells::Text(
            rows.iter()
                .map(|row| of_object(row, &row.storage_class))
                .collect(),
        ),
    ];
    parquet(fields, &columns, rows.len(), group_rows, properties)
}

/// The MD5 of a file in hexadecimal digits: of a manifest, it is what `manifest.checksum` beside it holds.
pub(crate) fn md5_of(bytes: &[u8]) -> String {
    let digest = Md5::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The manifest of an inventory with these data files.
pub(crate) fn inventory_manifest(
    bucket: &str,
    format: &str,
    schema: &str,
    files: &[(&str, &[u8])],
) -> Vec<u8> {
    let files: Vec<_> = files
        .iter()
        .map(|(key, bytes)| {
            serde_json::json!({ "key": key, "size": bytes.len(), "MD5checksum": md5_of(bytes) })
        })
        .collect();
    let manifest = serde_json::json!({
        "sourceBucket": bucket,
        "destinationBucket": "arn:aws:s3:::inventory-bucket",
        "version": "2016-11-30",
        "creationTimestamp": "1514944800000",
        "fileFormat": format,
        "fileSchema": schema,
        "files": files,
    });
    serde_json::to_vec_pretty(&manifest).unwrap()
}
