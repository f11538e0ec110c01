//! The lines of the list of a run of events, which the intake wrote in key order, each key once.

use serde::{Deserialize, Serialize};
use shardlift_core::{
    failure::Failure,
    port::ListFiles,
    value::{key::ObjectKey, object::ETag, printable::Printable},
};
use shardlift_lists::{BadLine, ListEntry, ListItem};

use super::{
    list_catalog::ListPlace,
    list_file::refused,
    list_reader::{ListReader, ListReaderPosition},
};

/// A line of a list.
pub(super) enum ScannedLine {
    /// An object.
    Object(ListEntry),
    /// Nothing to copy.
    LeftOut,
    /// A wrong line.
    Wrong(BadLine),
}

/// Where a scan can be resumed.
#[derive(Debug, Default, Serialize, Deserialize)]
struct ScanPosition {
    reader: ListReaderPosition,
    /// The last key before it.
    #[serde(default)]
    last: Option<ObjectKey>,
}

/// Gives out the lines of a list.
pub(super) struct ListScan<'a, F> {
    reader: ListReader<'a, F>,
    last: Option<ObjectKey>,
}

impl<'a, F: ListFiles> ListScan<'a, F> {
    /// Continues behind the `passed`th line after `mark`, in the version `etag`; from the beginning without a mark.
    pub(super) async fn resume(
        place: ListPlace<'a, F>,
        etag: Option<&ETag>,
        mark: Option<&str>,
        passed: u64,
    ) -> Result<Self, Failure> {
        let position = match mark {
            Some(mark) => serde_json::from_str(mark)
                .map_err(|error| Failure::invariant(format!("the mark of a list: {error}")))?,
            None => ScanPosition::default(),
        };
        let mut scan = Self {
            reader: ListReader::open(place, etag, position.reader).await?,
            last: position.last,
        };
        for _ in 0..passed {
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
            last: self.last.clone(),
        };
        serde_json::to_string(&position)
            .map_err(|error| Failure::invariant(format!("the mark of a list: {error}")))
    }

    pub(super) fn reader(&self) -> &ListReader<'a, F> {
        &self.reader
    }

    /// The next line.
    ///
    /// # Errors
    /// `InvalidRun` when its key is not greater than the one before it, so that nobody knows which keys come twice.
    pub(super) async fn next(&mut self) -> Result<Option<ScannedLine>, Failure> {
        let Some(item) = self.reader.next().await? else {
            return Ok(None);
        };
        Ok(Some(match item {
            ListItem::Entry(entry) => self.take(entry)?,
            ListItem::LeftOut(_) => ScannedLine::LeftOut,
            ListItem::Bad(line) => ScannedLine::Wrong(line),
        }))
    }

    fn take(&mut self, entry: ListEntry) -> Result<ScannedLine, Failure> {
        let entry = self.reader.line_rules().taken(entry)?;
        if self.last.as_ref().is_some_and(|last| entry.key <= *last) {
            let list = self.reader.list();
            let problem = format!(
                "{}: the key \"{}\" is not greater than the one before it, as in the lists of events that the intake writes",
                entry.place,
                Printable(entry.key.as_str())
            );
            let action =
                "start a run of this list without `events`, which takes lists in any order";
            return Err(refused(&list.bucket, list.key.as_str(), &problem, action));
        }
        self.last = Some(entry.key.clone());
        Ok(ScannedLine::Object(entry))
    }
}
