//! Reads lists whole, in pieces of any size.

use std::ops::Range;

use bytes::Bytes;
use shardlift_core::{
    failure::Failure,
    value::{bucket::BucketName, key::KeyPrefix},
};
use shardlift_lists::{
    BadLine, FileChecksum, ListEntry, ListItem, ListPosition, ListScope, ParquetList,
    ParquetPosition, RangeSource, Step, TableKind, TextFormat, TextList,
};

/// The bucket that the lists are of.
pub(crate) const SOURCE: &str = "source-bucket";

/// Keys of the source bucket under `prefix`.
pub(crate) fn scope(prefix: &str) -> ListScope {
    ListScope {
        bucket: BucketName::new(SOURCE).unwrap(),
        prefix: KeyPrefix::new(prefix).unwrap(),
    }
}

/// All items of a text that comes in pieces of `piece` bytes.
pub(crate) fn items_of(
    format: TextFormat,
    scope: ListScope,
    bytes: &[u8],
    piece: usize,
) -> Result<Vec<ListItem>, Failure> {
    items_from(
        format,
        scope,
        None,
        bytes,
        piece,
        ListPosition::default(),
        usize::MAX,
    )
    .map(|(items, _)| items)
}

/// Up to `count` items behind `position`, and the position behind them.
pub(crate) fn items_from(
    format: TextFormat,
    scope: ListScope,
    checksum: Option<FileChecksum>,
    bytes: &[u8],
    piece: usize,
    position: ListPosition,
    count: usize,
) -> Result<(Vec<ListItem>, ListPosition), Failure> {
    let from = usize::try_from(position.read_from()).unwrap();
    let mut pieces = bytes[from..].chunks(piece);
    let mut list = TextList::resume(format, "list", scope, checksum, position);
    let mut items = Vec::new();
    while items.len() < count {
        match list.next()? {
            Step::Item(item) => items.push(item),
            Step::NeedsBytes => match pieces.next() {
                Some(piece) => list.feed(piece.to_vec()),
                None => list.end(),
            },
            Step::End => break,
        }
    }
    Ok((items, list.position()))
}

/// Up to `count` rows of a table behind `position`, and the position behind them.
pub(crate) fn rows_from(
    bytes: impl RangeSource,
    scope: ListScope,
    kind: TableKind,
    position: ParquetPosition,
    count: usize,
) -> Result<(Vec<ListItem>, ParquetPosition), Failure> {
    let mut list = ParquetList::open(bytes, "list", scope, kind, position)?;
    let mut items = Vec::new();
    while items.len() < count {
        match list.next()? {
            Some(item) => items.push(item),
            None => break,
        }
    }
    Ok((items, list.position()))
}

/// All rows of a table.
pub(crate) fn rows_of(
    bytes: &Bytes,
    scope: ListScope,
    kind: TableKind,
) -> Result<Vec<ListItem>, Failure> {
    rows_from(
        bytes.clone(),
        scope,
        kind,
        ParquetPosition::default(),
        usize::MAX,
    )
    .map(|(items, _)| items)
}

/// The objects among the items.
pub(crate) fn entries<'a>(items: &'a [ListItem]) -> Vec<&'a ListEntry> {
    let entry = |item: &'a ListItem| match item {
        ListItem::Entry(entry) => Some(entry),
        _ => None,
    };
    items.iter().filter_map(entry).collect()
}

/// The wrong lines among the items.
pub(crate) fn bad_lines<'a>(items: &'a [ListItem]) -> Vec<&'a BadLine> {
    let bad = |item: &'a ListItem| match item {
        ListItem::Bad(bad) => Some(bad),
        _ => None,
    };
    items.iter().filter_map(bad).collect()
}

/// A file whose ranges cannot be read.
pub(crate) struct Unreadable(pub(crate) Bytes, pub(crate) Failure);

impl RangeSource for Unreadable {
    fn size_bytes(&self) -> u64 {
        self.0.size_bytes()
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes, Failure> {
        // The footer can be read.
        if range.start > 100 {
            return self.0.read(range);
        }
        Err(self.1.clone())
    }
}
