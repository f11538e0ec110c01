//! Reads a list through all of its files.

use serde::{Deserialize, Serialize};
use shardlift_core::{
    failure::Failure, port::ListFiles, run::list::SourceList, value::object::ETag,
};
use shardlift_lists::ListItem;

use super::{
    list_catalog::{FilePosition, ListCatalog, ListPlace, OpenFile, ReadFor, WantedVersion},
    list_file::ListRequests,
    list_rules::LineRules,
};

/// How far a list is read. It can be stored, and resumed by another invocation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ListReaderPosition {
    /// Which file, by its place in the manifest; 0 in a list of one file.
    file: usize,
    /// The version of that file.
    etag: Option<ETag>,
    at: FilePosition,
}

/// Reads a list through all of its files.
pub(super) struct ListReader<'a, F> {
    catalog: ListCatalog<'a, F>,
    file: usize,
    open: Option<OpenFile<'a, F>>,
}

impl<'a, F: ListFiles> ListReader<'a, F> {
    /// Opens the list behind `position`. `etag` is the version that an invocation before this one read.
    ///
    /// # Errors
    /// `InvalidRun` when there is no such list, or it is another version now, or no manifest of an inventory.
    pub(super) async fn open(
        place: ListPlace<'a, F>,
        etag: Option<&ETag>,
        position: ListReaderPosition,
    ) -> Result<Self, Failure> {
        let mut reader = Self {
            catalog: ListCatalog::open(place, etag).await?,
            file: position.file,
            open: None,
        };
        reader
            .open_next(position.etag.as_ref(), position.at)
            .await?;
        Ok(reader)
    }

    /// The list.
    pub(super) fn list(&self) -> &'a SourceList {
        self.catalog.list()
    }

    /// What its lines may say.
    pub(super) fn line_rules(&self) -> LineRules<'a> {
        self.catalog.line_rules()
    }

    /// The version of the list.
    pub(super) fn etag(&self) -> &ETag {
        self.catalog.etag()
    }

    /// What was sent so far.
    pub(super) fn requests(&self) -> &ListRequests {
        self.catalog.requests()
    }

    /// Where the list can be resumed: behind the line that was given out last.
    pub(super) fn position(&self) -> ListReaderPosition {
        let open = self.open.as_ref();
        ListReaderPosition {
            file: self.file,
            etag: open.map(|open| open.version().etag.clone()),
            at: open.map_or(FilePosition::Begin, OpenFile::position),
        }
    }

    /// The next line; nothing behind the last one of the last file.
    pub(super) async fn next(&mut self) -> Result<Option<ListItem>, Failure> {
        while let Some(open) = &mut self.open {
            if let Some(item) = open.next().await? {
                return Ok(Some(item));
            }
            self.open = None;
            self.file += 1;
            self.open_next(None, FilePosition::Begin).await?;
        }
        Ok(None)
    }

    /// Opens the file whose turn it is, if one is left.
    async fn open_next(&mut self, etag: Option<&ETag>, at: FilePosition) -> Result<(), Failure> {
        if self.file < self.catalog.files() {
            let version = etag.map_or(WantedVersion::Any, WantedVersion::Tagged);
            let opened = self
                .catalog
                .open_file(self.file, version, at, ReadFor::Lines);
            self.open = Some(opened.await?);
        }
        Ok(())
    }
}
