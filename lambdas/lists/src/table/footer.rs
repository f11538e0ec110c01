//! The footer of a Parquet file: its schema, and where its row groups lie
//! (github.com/apache/parquet-format#file-format).

use parquet::{
    errors::{ParquetError, Result},
    file::metadata::{
        FooterTail, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader,
        ParquetStatisticsPolicy,
    },
};

use super::{range_source::RangeSource, thrift_shape};
use crate::text::{GZIP_MAGIC, ZSTD_MAGIC, other_kind};

/// The largest footer. One of 1,500 row groups and 20 columns has some 4 MiB; what is decoded from it takes several times as
/// much memory.
const FOOTER_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// The length of the footer and the magic bytes, at the end of the file.
const TAIL_BYTES: usize = 8;

/// What the file is instead, by its beginning; nothing where that is the beginning of a Parquet file or of nothing known.
fn other_file(source: &impl RangeSource) -> Result<Option<ParquetError>> {
    let begin = source
        .read(0..TAIL_BYTES as u64)
        .map_err(|failure| ParquetError::External(Box::new(failure)))?;
    if begin.starts_with(b"PAR") {
        return Ok(None);
    }
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let (what, action) = if begin.starts_with(GZIP_MAGIC) || begin.starts_with(ZSTD_MAGIC) {
        let action = "decompress it, since the pages of a Parquet file are compressed one by one";
        ("compressed as a whole", action)
    } else if let Some(other) = other_kind(&begin) {
        other
    } else if begin.iter().all(is_text) {
        ("a text", "give the format `csv` or `jsonl`")
    } else {
        return Ok(None);
    };
    Ok(Some(ParquetError::General(format!(
        "it is {what}: {action}"
    ))))
}

/// Reads the footer.
pub(super) fn read(source: &impl RangeSource) -> Result<ParquetMetaData> {
    let size = source.size_bytes();
    // The magic bytes stand at the beginning, too.
    if size < TAIL_BYTES as u64 + 4 {
        return Err(ParquetError::EOF(format!(
            "a file of {size} bytes is too short"
        )));
    }
    let tail_begin = size - TAIL_BYTES as u64;
    let tail = source
        .read(tail_begin..size)
        .map_err(|failure| ParquetError::External(Box::new(failure)))?;
    let tail: &[u8; TAIL_BYTES] = tail
        .as_ref()
        .try_into()
        .map_err(|_| ParquetError::EOF("the end of the file could not be read".into()))?;
    let tail = match FooterTail::try_new(tail) {
        Ok(tail) => tail,
        Err(error) => return Err(other_file(source)?.unwrap_or(error)),
    };
    if tail.is_encrypted_footer() {
        return Err(ParquetError::General("its footer is encrypted".into()));
    }
    let length = tail.metadata_length() as u64;
    if length > FOOTER_BYTES_MAX || length > tail_begin {
        let problem = format!("it claims a footer of {length} bytes");
        return Err(ParquetError::General(problem));
    }
    let footer = source
        .read(tail_begin - length..tail_begin)
        .map_err(|failure| ParquetError::External(Box::new(failure)))?;
    thrift_shape::check(&footer)?;
    // Statistics hold keys, which nobody asks for here.
    let options = ParquetMetaDataOptions::new()
        .with_column_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll);
    ParquetMetaDataReader::decode_metadata_with_options(&footer, Some(&options))
}
