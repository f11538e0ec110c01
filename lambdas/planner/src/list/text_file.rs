//! A text of a list as its chunks come in.

use shardlift_core::{failure::Failure, port::ListFiles};
use shardlift_lists::{
    FileChecksum, LineSurvey, ListItem, ListPosition, ListScope, Step, TextFormat, TextList,
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
    /// The lines surveyed last, where the file is read for a survey.
    surveyed: Option<LineSurvey>,
}

/// What is fed to a text.
enum Fed {
    Nothing,
    Bytes(Vec<u8>),
    End,
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
        Self {
            file,
            list: Some(list),
            fed,
            surveyed: None,
        }
    }

    /// The same, to be surveyed.
    pub(super) fn for_survey(self, behind: Option<LineSurvey>) -> Self {
        Self {
            surveyed: behind,
            ..self
        }
    }

    /// The next line; nothing behind the last one.
    pub(super) async fn next(&mut self) -> Result<Option<ListItem>, Failure> {
        loop {
            let list = self.list.as_mut().ok_or_else(away)?;
            match list.next()? {
                Step::Item(item) => return Ok(Some(item)),
                Step::End => return Ok(None),
                Step::NeedsBytes => {
                    let fed = self.read_on().await?;
                    let list = self.list.as_mut().ok_or_else(away)?;
                    feed(list, fed);
                }
            }
        }
    }

    /// The next lines, up to `max`, decoded beside this thread; none behind the last one.
    pub(super) async fn next_batch(&mut self, max: usize) -> Result<Vec<ListItem>, Failure> {
        let mut fed = Fed::Nothing;
        loop {
            match self.beside(fed, move |list| decode(list, max)).await? {
                (items, Step::NeedsBytes) if items.is_empty() => fed = self.read_on().await?,
                (items, _) => return Ok(items),
            }
        }
    }

    /// What the next lines are, up to `max`; none behind the last one.
    pub(super) async fn survey_batch(&mut self, max: u64) -> Result<LineSurvey, Failure> {
        let before = self.surveyed.take().ok_or_else(away)?;
        let mut fed = Fed::Nothing;
        loop {
            let mut lines = before.next();
            let survey = move |list: &mut TextList| {
                let end = list.survey(&mut lines, max)?;
                Ok((lines, end))
            };
            match self.beside(fed, survey).await? {
                (lines, Some(Step::NeedsBytes)) if lines.lines == 0 => {
                    fed = self.read_on().await?;
                }
                (lines, _) => {
                    self.surveyed = Some(lines.next());
                    return Ok(lines);
                }
            }
        }
    }

    /// Feeds the text and decodes it, beside this thread.
    async fn beside<T: Send + 'static>(
        &mut self,
        fed: Fed,
        decode: impl FnOnce(&mut TextList) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let mut list = self.list.take().ok_or_else(away)?;
        let decoded = tokio::task::spawn_blocking(move || {
            // With its checksum.
            feed(&mut list, fed);
            let decoded = decode(&mut list);
            (list, decoded)
        });
        let (list, decoded) = decoded.await.map_err(|_| away())?;
        self.list = Some(list);
        decoded
    }

    /// Reads on in the file.
    async fn read_on(&mut self) -> Result<Fed, Failure> {
        let bytes = self.file.read(self.fed..self.fed + CHUNK_BYTES).await?;
        if bytes.is_empty() {
            return Ok(Fed::End);
        }
        self.fed += bytes.len() as u64;
        Ok(Fed::Bytes(bytes))
    }

    pub(super) fn position(&self) -> ListPosition {
        let list = self.list.as_ref();
        list.map(TextList::position).unwrap_or_default()
    }

    pub(super) fn file(&self) -> &ListFile<'a, F> {
        &self.file
    }
}

fn feed(list: &mut TextList, fed: Fed) {
    match fed {
        Fed::Nothing => {}
        Fed::Bytes(bytes) => list.feed(bytes),
        Fed::End => list.end(),
    }
}

/// Up to `max` lines, and why they are no more.
fn decode(list: &mut TextList, max: usize) -> Result<(Vec<ListItem>, Step), Failure> {
    let mut items = Vec::with_capacity(max);
    while items.len() < max {
        match list.next()? {
            Step::Item(item) => items.push(item),
            step => return Ok((items, step)),
        }
    }
    // Not its end, as far as anybody knows.
    Ok((items, Step::NeedsBytes))
}

fn away() -> Failure {
    Failure::invariant("the reader of the list has gone")
}
