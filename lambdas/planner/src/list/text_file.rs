//! A text of a list as its chunks come in.

use shardlift_core::{failure::Failure, port::ListFiles};
use shardlift_lists::{
    FileChecksum, ListItem, ListPosition, ListScope, Step, TextFormat, TextList,
};

use super::list_file::ListFile;

/// How much is read at once: a second's work for the parser, and many requests to a list of gigabytes.
const CHUNK_BYTES: u64 = 8 << 20;

/// A text of a list.
pub(super) struct TextFile<'a, F> {
    file: ListFile<'a, F>,
    list: TextList,
    /// What was fed, from the beginning of the file.
    fed: u64,
}

impl<'a, F: ListFiles> TextFile<'a, F> {
    pub(super) fn resume(
        file: ListFile<'a, F>,
        format: TextFormat,
        scope: ListScope,
        checksum: Option<FileChecksum>,
        position: ListPosition,
    ) -> Self {
        let fed = position.read_from();
        let list = TextList::resume(format, &file.name(), scope, checksum, position);
        Self { file, list, fed }
    }

    /// The next line; nothing behind the last one.
    pub(super) async fn next(&mut self) -> Result<Option<ListItem>, Failure> {
        loop {
            match self.list.next()? {
                Step::Item(item) => return Ok(Some(item)),
                Step::End => return Ok(None),
                Step::NeedsBytes if self.fed >= self.file.version().size_bytes => self.list.end(),
                Step::NeedsBytes => {
                    let bytes = self.file.read(self.fed..self.fed + CHUNK_BYTES).await?;
                    self.fed += bytes.len() as u64;
                    self.list.feed(bytes);
                }
            }
        }
    }

    pub(super) fn position(&self) -> ListPosition {
        self.list.position()
    }

    pub(super) fn file(&self) -> &ListFile<'a, F> {
        &self.file
    }
}
