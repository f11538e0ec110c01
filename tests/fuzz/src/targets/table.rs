//! Lists of objects that are Parquet tables.

use bytes::Bytes;
use shardlift_core::failure::{Failure, FailureCode};
use shardlift_lists::{ListItem, ParquetList, ParquetPosition, TableKind};

use crate::{refusal::assert_refusal, targets::scope};

/// A table that claims more rows is left there.
const ROWS_MAX: usize = 20_000;

/// A table is read, or refused; taken up behind half of its rows it gives the other half.
pub(crate) fn table(bytes: &[u8]) {
    let file = Bytes::copy_from_slice(bytes);
    let (rows, is_whole) = match read(&file, ParquetPosition::default(), ROWS_MAX) {
        Ok((rows, _)) => {
            let is_whole = rows.len() < ROWS_MAX;
            (rows, is_whole)
        }
        Err(failure) => return assert_refusal(&failure, FailureCode::InvalidRun),
    };
    if is_whole {
        let (first, position) =
            read(&file, ParquetPosition::default(), rows.len() / 2).expect("it was read before");
        let (rest, _) = read(&file, position, ROWS_MAX).expect("it was read before");
        assert_eq!([first, rest].concat(), rows);
    }
}

fn read(
    file: &Bytes,
    position: ParquetPosition,
    rows_max: usize,
) -> Result<(Vec<ListItem>, ParquetPosition), Failure> {
    let mut table =
        ParquetList::open(file.clone(), "the-list", scope(), TableKind::List, position)?;
    let mut rows = Vec::new();
    while rows.len() < rows_max {
        match table.next()? {
            Some(row) => rows.push(row),
            None => break,
        }
    }
    Ok((rows, table.position()))
}
