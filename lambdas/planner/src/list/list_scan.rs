//! The lines of a list, each object once.

use serde::{Deserialize, Serialize};
use shardlift_core::{failure::Failure, port::ListFiles, value::object::ETag};
use shardlift_lists::{BadLine, KeyOrder, LinePlace, ListEntry, ListItem};

use super::{
    list_catalog::ListPlace,
    list_file::refused,
    list_reader::{ListReader, ListReaderPosition},
    seen_keys::SeenKeys,
};

/// A line of a list.
pub(super) enum ScannedLine {
    /// An object.
    Object(ListEntry),
    /// An object that a line before this one names.
    Repeated(LinePlace),
    /// Nothing to copy.
    LeftOut,
    /// A wrong line.
    Wrong(BadLine),
}

/// Where a scan can be resumed.
#[derive(Debug, Default, Serialize, Deserialize)]
struct ScanPosition {
    reader: ListReaderPosition,
    order: KeyOrder,
    /// Lines before it.
    lines: u64,
    /// Whether the keys before it were too many to remember.
    is_long: bool,
}

/// Gives out the lines of a list.
pub(super) struct ListScan<'a, F> {
    reader: ListReader<'a, F>,
    order: KeyOrder,
    /// The keys so far; nothing once they were too many to remember, and in order.
    seen: Option<SeenKeys>,
    lines: u64,
}

impl<'a, F: ListFiles> ListScan<'a, F> {
    /// Continues behind the `passed`th line after `mark`, in the version `etag`; from the beginning without a mark. Where the
    /// keys of the lines before can be remembered, these are read again.
    pub(super) async fn resume(
        place: ListPlace<'a, F>,
        etag: Option<&ETag>,
        mark: Option<&str>,
        passed: u64,
        seen_max: usize,
    ) -> Result<Self, Failure> {
        let mut position = match mark {
            Some(mark) => serde_json::from_str(mark)
                .map_err(|error| Failure::invariant(format!("the mark of a list: {error}")))?,
            None => ScanPosition::default(),
        };
        let target = position.lines + passed;
        let is_remembered = !position.is_long;
        if is_remembered {
            position = ScanPosition::default();
        }
        let mut scan = Self {
            reader: ListReader::open(place, etag, position.reader).await?,
            order: position.order,
            seen: is_remembered.then(|| SeenKeys::new(seen_max)),
            lines: position.lines,
        };
        while scan.lines < target {
            if scan.next().await?.is_none() {
                return Err(Failure::invariant("the list ends before its checkpoint"));
            }
        }
        Ok(scan)
    }

    /// Where the scan can be resumed.
    pub(super) fn mark(&self) -> Result<String, Failure> {
        let position = ScanPosition {
            reader: self.reader.position(),
            order: self.order.clone(),
            lines: self.lines,
            is_long: self.seen.is_none(),
        };
        serde_json::to_string(&position)
            .map_err(|error| Failure::invariant(format!("the mark of a list: {error}")))
    }

    pub(super) fn reader(&self) -> &ListReader<'a, F> {
        &self.reader
    }

    /// Whether each key was greater than the one before it.
    pub(super) fn is_in_order(&self) -> bool {
        self.order.is_increasing()
    }

    /// The next line.
    pub(super) async fn next(&mut self) -> Result<Option<ScannedLine>, Failure> {
        let Some(item) = self.reader.next().await? else {
            return Ok(None);
        };
        self.lines += 1;
        Ok(Some(match item {
            ListItem::Entry(entry) => self.take(entry)?,
            ListItem::LeftOut(_) => ScannedLine::LeftOut,
            ListItem::Bad(line) => ScannedLine::Wrong(line),
        }))
    }

    fn take(&mut self, entry: ListEntry) -> Result<ScannedLine, Failure> {
        let entry = self.reader.line_rules().taken(entry)?;
        if self.order.last() == Some(&entry.key) {
            return Ok(ScannedLine::Repeated(entry.place));
        }
        let is_in_order = self.order.observe(&entry.key);
        if let Some(seen) = &mut self.seen {
            if seen.is_full() && is_in_order {
                self.seen = None;
            } else if seen.is_full() {
                return Err(self.too_long(&entry.place));
            } else if !seen.insert(&entry.key) {
                return Ok(ScannedLine::Repeated(entry.place));
            }
        } else if !is_in_order {
            return Err(self.too_long(&entry.place));
        }
        Ok(ScannedLine::Object(entry))
    }

    fn too_long(&self, place: &LinePlace) -> Failure {
        self.refused(
            &format!("at {place} it has more than {} keys, and these are not in key order, so that nobody could tell which come twice", super::seen_keys::SEEN_MAX),
            "sort it by key (LC_ALL=C sort), or cut it into several lists, and start a new execution",
        )
    }

    fn refused(&self, problem: &str, action: &str) -> Failure {
        let list = self.reader.list();
        refused(&list.bucket, list.key.as_str(), problem, action)
    }
}
