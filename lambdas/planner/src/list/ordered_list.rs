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
    list_catalog::FilePosition,
    ordered_parts::{Begin, OpenPart, OrderedParts, SortedBlocks, SurveyedFiles},
};
use crate::ports::Ports;

/// How many ranges of files are read at once: each reader holds some 2 MB of a text and up to some 30 MB of a table.
const FILE_READERS_MAX: usize = 8;
/// The same of a sorted list: each reader holds some 1.5 MB. Where the target has none of the neighbors of a key, a range has a
/// page for each key.
const BLOCK_READERS_MAX: usize = 32;
/// How many objects a page has, as at S3.
const PAGE_OBJECTS: usize = 1_000;
/// A reader that waits longer than so many others beyond those of the ranges belongs to a range that has ended.
const WAITING_MORE_MAX: usize = 2;

/// A list in key order.
pub(crate) struct OrderedList<'a, P: Ports> {
    parts: OrderedParts<'a, P::Control, P::Lists>,
    lookup: &'a EntryLookup<'a, P>,
    /// How many ranges are read at once.
    readers_max: usize,
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
    /// The place of the part that comes next, in key order.
    next_part: usize,
    open: Option<OpenPart<'a, P::Lists>>,
    ahead: VecDeque<ListEntry>,
}

impl<'a, P: Ports> OrderedList<'a, P> {
    /// That of surveyed files.
    pub(super) fn of_files(
        files: SurveyedFiles<'a, P::Lists>,
        lookup: &'a EntryLookup<'a, P>,
    ) -> Self {
        Self::of(OrderedParts::Files(files), lookup, FILE_READERS_MAX)
    }

    /// That of a sorted run.
    pub(super) fn of_blocks(
        blocks: SortedBlocks<'a, P::Control, P::Lists>,
        lookup: &'a EntryLookup<'a, P>,
    ) -> Self {
        Self::of(OrderedParts::Blocks(blocks), lookup, BLOCK_READERS_MAX)
    }

    fn of(
        parts: OrderedParts<'a, P::Control, P::Lists>,
        lookup: &'a EntryLookup<'a, P>,
        readers_max: usize,
    ) -> Self {
        let begins = parts.begins();
        let mut marks: Vec<ObjectKey> = begins
            .iter()
            .filter_map(|begin| begin.after.clone())
            .collect();
        // A mark at the end of a file is the beginning of the next one.
        marks.dedup();
        Self {
            parts,
            lookup,
            readers_max,
            marks,
            begins,
            waiting: Mutex::default(),
        }
    }

    /// How many ranges of it are read at once.
    pub(crate) const fn readers_max(&self) -> usize {
        self.readers_max
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
        if waiting.len() > self.readers_max + WAITING_MORE_MAX {
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
            next_part: 0,
            open: None,
            ahead: VecDeque::new(),
        };
        if let Some(begin) = later.checked_sub(1).and_then(|last| self.begins.get(last)) {
            reader.open = Some(self.parts.open(begin.part, begin.at.clone()).await?);
            reader.next_part = begin.part + 1;
        }
        Ok(reader)
    }

    /// Reads the next entries, through as many parts as that takes; whether there are any.
    async fn read_on(&self, reader: &mut Reader<'a, P>) -> Result<bool, Failure> {
        loop {
            let Some(open) = &mut reader.open else {
                if reader.next_part >= self.parts.count() {
                    return Ok(false);
                }
                let next = self.parts.open(reader.next_part, FilePosition::Begin);
                reader.open = Some(next.await?);
                reader.next_part += 1;
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
                    reader.ahead.push_back(self.parts.taken(entry)?);
                }
            }
            if !reader.ahead.is_empty() {
                return Ok(true);
            }
        }
    }
}
