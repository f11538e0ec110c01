//! What a list in key order consists of: the files of a survey, or the blocks of a sorted run.

use std::sync::Arc;

use shardlift_core::{
    failure::Failure,
    port::{ControlStore, ListFiles},
    value::{id::RunId, key::ObjectKey},
};
use shardlift_lists::{ListEntry, ListItem, OpenBlock};

use super::{
    block_traffic::read_block,
    file_survey::ListSurvey,
    list_catalog::{FilePosition, ListCatalog, OpenFile, ReadFor, WantedVersion},
    list_sort::SortedRun,
};

/// Where reading can begin to find the keys after one.
pub(super) struct Begin {
    pub(super) after: Option<ObjectKey>,
    /// The place of the part in key order.
    pub(super) part: usize,
    pub(super) at: FilePosition,
}

/// The files of a survey, in the order of their keys.
pub(super) struct SurveyedFiles<'a, F> {
    catalog: &'a ListCatalog<'a, F>,
    survey: &'a ListSurvey,
    files: Vec<usize>,
}

impl<'a, F: ListFiles> SurveyedFiles<'a, F> {
    /// Those of a finished survey, with its `files` in key order.
    pub(super) fn new(
        catalog: &'a ListCatalog<'a, F>,
        survey: &'a ListSurvey,
        files: Vec<usize>,
    ) -> Self {
        Self {
            catalog,
            survey,
            files,
        }
    }

    fn begins(&self) -> Vec<Begin> {
        let mut begins = Vec::new();
        let mut after = None;
        for (part, index) in self.files.iter().enumerate() {
            let known = &self.survey.files[*index];
            let at = FilePosition::Begin;
            begins.push(Begin { after, part, at });
            begins.extend(known.marks.iter().map(|mark| Begin {
                after: Some(mark.after.clone()),
                part,
                at: mark.at.clone(),
            }));
            after = known.last().cloned();
        }
        begins
    }

    /// Opens a file in the version that was surveyed: its checksum was compared then.
    async fn open(&self, part: usize, at: FilePosition) -> Result<OpenFile<'a, F>, Failure> {
        let index = self.files[part];
        let version = self.survey.files[index].version();
        let version = version.map_or(WantedVersion::Any, WantedVersion::Known);
        let is_clean = self.survey.files[index].is_clean();
        let read_for = ReadFor::SurveyedLines { is_clean };
        self.catalog.open_file(index, version, at, read_for).await
    }
}

/// The blocks of a sorted run.
pub(super) struct SortedBlocks<'a, C, F> {
    control: &'a C,
    run_id: &'a RunId,
    run: &'a SortedRun,
    catalog: &'a ListCatalog<'a, F>,
    names: Arc<[Arc<str>]>,
}

impl<'a, C: ControlStore, F: ListFiles> SortedBlocks<'a, C, F> {
    /// Those of a run of the list of `catalog`.
    pub(super) fn new(
        (control, run_id): (&'a C, &'a RunId),
        run: &'a SortedRun,
        catalog: &'a ListCatalog<'a, F>,
    ) -> Self {
        Self {
            control,
            run_id,
            run,
            catalog,
            names: catalog.names().into(),
        }
    }

    fn begins(&self) -> Vec<Begin> {
        let lasts = self.run.lasts.iter().cloned().map(Some);
        let afters = std::iter::once(None).chain(lasts);
        let begin = |(part, after)| Begin {
            after,
            part,
            at: FilePosition::Begin,
        };
        let blocks = self.run.lasts.len();
        afters.take(blocks).enumerate().map(begin).collect()
    }
}

/// What a list in key order consists of.
pub(super) enum OrderedParts<'a, C, F> {
    Files(SurveyedFiles<'a, F>),
    Blocks(SortedBlocks<'a, C, F>),
}

/// A part while it is read.
pub(super) enum OpenPart<'a, F> {
    File(OpenFile<'a, F>),
    /// Away while another thread decodes.
    Block(Option<OpenBlock>, Arc<[Arc<str>]>),
}

impl<'a, C: ControlStore, F: ListFiles> OrderedParts<'a, C, F> {
    /// Where reading can begin, in the order of keys.
    pub(super) fn begins(&self) -> Vec<Begin> {
        match self {
            Self::Files(files) => files.begins(),
            Self::Blocks(blocks) => blocks.begins(),
        }
    }

    /// How many parts there are.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Files(files) => files.files.len(),
            Self::Blocks(blocks) => blocks.run.lasts.len(),
        }
    }

    /// Opens a part, by its place in key order.
    pub(super) async fn open(
        &self,
        part: usize,
        at: FilePosition,
    ) -> Result<OpenPart<'a, F>, Failure> {
        match self {
            Self::Files(files) => Ok(OpenPart::File(files.open(part, at).await?)),
            Self::Blocks(blocks) => {
                blocks.catalog.requests().note_read();
                let (run, names) = (&blocks.run.name, blocks.names.clone());
                let block = read_block(blocks.control, blocks.run_id, run, part).await?;
                Ok(OpenPart::Block(Some(block), names))
            }
        }
    }

    /// What is taken of an entry.
    pub(super) fn taken(&self, entry: ListEntry) -> Result<ListEntry, Failure> {
        match self {
            Self::Files(files) => files.catalog.line_rules().taken(entry),
            Self::Blocks(blocks) => blocks.catalog.line_rules().taken(entry),
        }
    }
}

impl<F: ListFiles> OpenPart<'_, F> {
    /// The next lines, up to `max`, decoded beside this thread; none behind the last one.
    pub(super) async fn next_batch(&mut self, max: usize) -> Result<Vec<ListItem>, Failure> {
        match self {
            Self::File(file) => file.next_batch(max).await,
            Self::Block(block, names) => {
                let names = names.clone();
                let mut away = block.take().ok_or_else(gone)?;
                let decoded = tokio::task::spawn_blocking(move || {
                    let entries = away.next_entries(max, &names);
                    (away, entries)
                });
                let (back, entries) = decoded.await.map_err(|_| gone())?;
                *block = Some(back);
                Ok(entries?.into_iter().map(ListItem::Entry).collect())
            }
        }
    }
}

fn gone() -> Failure {
    Failure::invariant("a block of the sorted list has gone")
}
