//! A list in key order, read like the listing of a bucket: many ranges of it at once.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use shardlift_core::{
    failure::Failure,
    plan::{ListPage, ListedLook, LookedUp},
    value::key::ObjectKey,
};
use shardlift_lists::{ListEntry, ListItem};

use super::{
    entry_lookup::{EntryLookup, is_stated, stated},
    file_survey::ListSurvey,
    list_catalog::{FilePosition, ListCatalog, OpenFile, ReadFor, WantedVersion},
};
use crate::ports::Ports;

/// How many ranges of a list are read at once: each reader holds some 2 MB of a text and up to some 30 MB of a table.
pub(crate) const READERS_MAX: usize = 8;
/// How many objects a page has, as at S3.
const PAGE_OBJECTS: usize = 1_000;
/// A reader that waits longer than so many others for its next page belongs to a range that has ended.
const WAITING_MAX: usize = READERS_MAX + 2;

/// Where reading can begin to find the keys after one.
struct Begin {
    after: Option<ObjectKey>,
    /// The place of the file in key order.
    file: usize,
    at: FilePosition,
}

/// A list in key order.
pub(crate) struct OrderedList<'a, P: Ports> {
    catalog: &'a ListCatalog<'a, P::Lists>,
    survey: &'a ListSurvey,
    lookup: &'a EntryLookup<'a, P>,
    /// The files by the order of their keys.
    files: Vec<usize>,
    /// In the order of their keys.
    begins: Vec<Begin>,
    /// The keys after which they lie.
    marks: Vec<ObjectKey>,
    /// Readers that wait for their next page, the one that waits the longest first.
    waiting: Mutex<VecDeque<Reader<'a, P>>>,
}

/// Reads on behind a key.
struct Reader<'a, P: Ports> {
    /// The key behind which it goes on.
    after: Option<ObjectKey>,
    /// The place of the file that comes next, in key order.
    next_file: usize,
    open: Option<OpenFile<'a, P::Lists>>,
    ahead: VecDeque<ListEntry>,
}

impl<'a, P: Ports> OrderedList<'a, P> {
    /// The list of a finished survey, with its `files` in key order.
    pub(super) fn new(
        catalog: &'a ListCatalog<'a, P::Lists>,
        survey: &'a ListSurvey,
        lookup: &'a EntryLookup<'a, P>,
        files: Vec<usize>,
    ) -> Self {
        let mut begins = Vec::new();
        let mut after = None;
        for (file, index) in files.iter().enumerate() {
            let known = &survey.files[*index];
            let at = FilePosition::Begin;
            begins.push(Begin { after, file, at });
            begins.extend(known.marks.iter().map(|mark| Begin {
                after: Some(mark.after.clone()),
                file,
                at: mark.at.clone(),
            }));
            after = known.last().cloned();
        }
        let mut marks: Vec<ObjectKey> = begins
            .iter()
            .filter_map(|begin| begin.after.clone())
            .collect();
        // A mark at the end of a file is the beginning of the next one.
        marks.dedup();
        Self {
            catalog,
            survey,
            lookup,
            files,
            marks,
            begins,
            waiting: Mutex::default(),
        }
    }

    /// The keys between these two after which ranges can begin, in order.
    pub(crate) fn marks_between(
        &self,
        after: Option<&ObjectKey>,
        until: Option<&ObjectKey>,
    ) -> &[ObjectKey] {
        let begin = self.marks.partition_point(|mark| Some(mark) <= after);
        let is_before = |mark: &ObjectKey| until.is_none_or(|until| mark < until);
        let end = self.marks.partition_point(is_before);
        self.marks.get(begin..end).unwrap_or_default()
    }

    /// What the list names after `after`, up to `until` or for a page.
    ///
    /// # Errors
    /// `InvalidRun` when a file is another version than was surveyed, and those of a lookup.
    pub(crate) async fn page(
        &self,
        after: Option<&ObjectKey>,
        until: Option<&ObjectKey>,
    ) -> Result<ListPage, Failure> {
        let mut reader = match self.waiting_at(after) {
            Some(reader) => reader,
            None => self.reader_at(after).await?,
        };
        let mut entries: Vec<ListEntry> = Vec::with_capacity(PAGE_OBJECTS);
        let mut is_last = false;
        while entries.len() < PAGE_OBJECTS {
            if reader.ahead.is_empty() && !self.read_on(&mut reader).await? {
                is_last = true;
                break;
            }
            let is_past = |entry: &ListEntry| until.is_some_and(|until| entry.key > *until);
            if reader.ahead.front().is_some_and(is_past) {
                is_last = true;
                break;
            }
            // What comes again, or before the keys that are asked for, is passed over.
            let before = entries.last().map(|entry| &entry.key);
            if let Some(entry) = reader.ahead.pop_front()
                && Some(&entry.key) > before.or(reader.after.as_ref())
            {
                entries.push(entry);
            }
        }
        let through = entries.last().map(|entry| entry.key.clone());
        if through.is_some() {
            reader.after.clone_from(&through);
        }
        self.put_back(reader);
        let found = self.found(entries).await?;
        Ok(ListPage {
            through,
            is_last,
            ..found
        })
    }

    /// The objects of these entries, looked up where the list does not tell everything.
    async fn found(&self, entries: Vec<ListEntry>) -> Result<ListPage, Failure> {
        let mut page = ListPage::default();
        if entries.iter().all(is_stated) {
            page.objects = entries.into_iter().filter_map(stated).collect();
            return Ok(page);
        }
        let refs: Vec<&ListEntry> = entries.iter().collect();
        let found = self.lookup.found(&refs).await?;
        for (entry, (object, look)) in entries.into_iter().zip(found) {
            if look != ListedLook::None {
                let unplanned_bytes = object
                    .is_none()
                    .then(|| entry.size_bytes.unwrap_or_default());
                page.looks.push(LookedUp {
                    key: entry.key,
                    look,
                    unplanned_bytes,
                });
            }
            page.objects.extend(object);
        }
        Ok(page)
    }

    fn waiting_at(&self, after: Option<&ObjectKey>) -> Option<Reader<'a, P>> {
        let mut waiting = self.waiting();
        let index = waiting
            .iter()
            .position(|reader| reader.after.as_ref() == after)?;
        waiting.remove(index)
    }

    fn put_back(&self, reader: Reader<'a, P>) {
        let mut waiting = self.waiting();
        waiting.push_back(reader);
        if waiting.len() > WAITING_MAX {
            waiting.pop_front();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Reader<'a, P>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A reader from the last place before the keys after `after`.
    async fn reader_at(&self, after: Option<&ObjectKey>) -> Result<Reader<'a, P>, Failure> {
        let later = self
            .begins
            .partition_point(|begin| begin.after.as_ref() <= after);
        let mut reader = Reader {
            after: after.cloned(),
            next_file: 0,
            open: None,
            ahead: VecDeque::new(),
        };
        if let Some(begin) = later.checked_sub(1).and_then(|last| self.begins.get(last)) {
            reader.open = Some(self.open(begin.file, begin.at.clone()).await?);
            reader.next_file = begin.file + 1;
        }
        Ok(reader)
    }

    /// Reads the next entries, through as many files as that takes; whether there are any.
    async fn read_on(&self, reader: &mut Reader<'a, P>) -> Result<bool, Failure> {
        let rules = self.catalog.line_rules();
        loop {
            let Some(open) = &mut reader.open else {
                if reader.next_file >= self.files.len() {
                    return Ok(false);
                }
                reader.open = Some(self.open(reader.next_file, FilePosition::Begin).await?);
                reader.next_file += 1;
                continue;
            };
            let items = open.next_batch(PAGE_OBJECTS).await?;
            if items.is_empty() {
                reader.open = None;
                continue;
            }
            for item in items {
                // The survey counted the others.
                if let ListItem::Entry(entry) = item {
                    reader.ahead.push_back(rules.taken(entry)?);
                }
            }
            if !reader.ahead.is_empty() {
                return Ok(true);
            }
        }
    }

    /// Opens a file, by its place in key order, in the version that was surveyed: its checksum was compared then.
    async fn open(&self, file: usize, at: FilePosition) -> Result<OpenFile<'a, P::Lists>, Failure> {
        let index = self.files[file];
        let version = self.survey.files[index].version();
        let version = version.map_or(WantedVersion::Any, WantedVersion::Known);
        let is_clean = self.survey.files[index].is_clean();
        let read_for = ReadFor::SurveyedLines { is_clean };
        self.catalog.open_file(index, version, at, read_for).await
    }
}
