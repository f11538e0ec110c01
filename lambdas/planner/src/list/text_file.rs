//! A text of a list as its chunks come in.

use shardlift_core::{failure::Failure, port::ListFiles};
use shardlift_lists::{
    FileChecksum, ListItem, ListPosition, ListScope, Step, TextFormat, TextList,
};

use super::list_file::ListFile;

/// How much is read at once: in some 100 ms, and as much as several readers may hold at once.
const CHUNK_BYTES: u64 = 2 << 20;

/// A text of a list.
pub(super) struct TextFile<'a, F> {
    file: ListFile<'a, F>,
    /// Away while another thread decodes.
    list: Option<TextList>,
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
        let list = Some(list);
        Self { file, list, fed }
    }

    /// The next line; nothing behind the last one.
    pub(super) async fn next(&mut self) -> Result<Option<ListItem>, Failure> {
        loop {
            let list = self.list.as_mut().ok_or_else(away)?;
            match list.next()? {
                Step::Item(item) => return Ok(Some(item)),
                Step::End => return Ok(None),
                Step::NeedsBytes => self.feed().await?,
            }
        }
    }

    /// The next lines, up to `max`, decoded beside this thread; none behind the last one.
    pub(super) async fn next_batch(&mut self, max: usize) -> Result<Vec<ListItem>, Failure> {
        loop {
            let list = self.list.take().ok_or_else(away)?;
            let decoded = tokio::task::spawn_blocking(move || decode(list, max)).await;
            let (list, decoded) = decoded.map_err(|_| away())?;
            self.list = Some(list);
            match decoded? {
                (items, Step::NeedsBytes) if items.is_empty() => self.feed().await?,
                (items, _) => return Ok(items),
            }
        }
    }

    /// Reads on in the file.
    async fn feed(&mut self) -> Result<(), Failure> {
        let bytes = self.file.read(self.fed..self.fed + CHUNK_BYTES).await?;
        let list = self.list.as_mut().ok_or_else(away)?;
        if bytes.is_empty() {
            list.end();
            return Ok(());
        }
        self.fed += bytes.len() as u64;
        list.feed(bytes);
        Ok(())
    }

    pub(super) fn position(&self) -> ListPosition {
        let list = self.list.as_ref();
        list.map(TextList::position).unwrap_or_default()
    }

    pub(super) fn file(&self) -> &ListFile<'a, F> {
        &self.file
    }
}

/// Up to `max` lines, and why they are no more.
fn decode(mut list: TextList, max: usize) -> (TextList, Result<(Vec<ListItem>, Step), Failure>) {
    let mut items = Vec::with_capacity(max);
    while items.len() < max {
        match list.next() {
            Ok(Step::Item(item)) => items.push(item),
            Ok(step) => return (list, Ok((items, step))),
            Err(failure) => return (list, Err(failure)),
        }
    }
    // Not its end, as far as anybody knows.
    (list, Ok((items, Step::NeedsBytes)))
}

fn away() -> Failure {
    Failure::invariant("the reader of the list has gone")
}
