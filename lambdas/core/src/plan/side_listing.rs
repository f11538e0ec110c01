//! The listing of one side of a range: its pages, checked and cut to the range.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::{
    failure::Failure,
    plan::range::start_after,
    port::{ListRequest, ObjectPage, untrusted_listing},
    run::pair::Side,
    value::{
        key::{KEY_BYTES_MAX, KeyPrefix, ObjectKey, RelativeKey},
        object::ListedObject,
    },
};

/// The listing of one side within a range, as far as it is fetched and not yet merged.
#[derive(Debug)]
pub(crate) struct SideListing {
    name: Side,
    prefix: KeyPrefix,
    /// Where the range begins. A shortened start lists keys before it, which are left out.
    after: Option<RelativeKey>,
    until: Option<RelativeKey>,
    buffer: VecDeque<ListedObject>,
    /// The last key of the last page, or where the first one begins.
    listed: Option<ObjectKey>,
    is_done: bool,
}

impl SideListing {
    pub(crate) fn new(
        name: Side,
        prefix: KeyPrefix,
        after: Option<&RelativeKey>,
        until: Option<&RelativeKey>,
    ) -> Self {
        Self {
            name,
            listed: start_after(&prefix, after.map(RelativeKey::as_str)),
            prefix,
            after: after.cloned(),
            until: until.cloned(),
            buffer: VecDeque::new(),
            is_done: false,
        }
    }

    /// The request for the next page, as long as the listing is not done and at most `buffered_max` objects wait.
    pub(crate) fn next_request(&self, buffered_max: usize) -> Option<ListRequest> {
        (!self.is_done && self.buffer.len() <= buffered_max)
            .then(|| self.request_behind(self.listed.clone()))
    }

    /// The request for the page behind a key.
    pub(super) fn request_behind(&self, after: Option<ObjectKey>) -> ListRequest {
        ListRequest {
            prefix: self.prefix.clone(),
            after,
        }
    }

    /// Takes the response to [`next_request`](Self::next_request).
    ///
    /// # Errors
    /// `ListingIncomplete` when the page is not what a listing of this prefix in key order gives (P11).
    pub(crate) fn feed(&mut self, page: ObjectPage) -> Result<(), Failure> {
        self.check(&page, self.listed.as_ref())?;
        self.take_page(page);
        Ok(())
    }

    /// Whether a page that was requested behind `after` can be trusted.
    ///
    /// # Errors
    /// `ListingIncomplete` when it is not what a listing of this prefix in key order gives (P11).
    pub(super) fn check(
        &self,
        page: &ObjectPage,
        after: Option<&ObjectKey>,
    ) -> Result<(), Failure> {
        page.check(&self.prefix, after).map_err(|problem| {
            let prefix = self.prefix.as_str();
            untrusted_listing(
                self.name,
                format_args!("under prefix {prefix:?}, {problem}"),
            )
        })
    }

    /// Takes a page that was requested behind `after` and [checked](Self::check). What was listed before is left out, and what
    /// lies between that and `after` does not matter. Returns how many of its objects were listed before.
    pub(super) fn take_page_behind(
        &mut self,
        after: Option<ObjectKey>,
        mut page: ObjectPage,
    ) -> usize {
        if after >= self.listed {
            self.listed = after;
            self.take_page(page);
            return 0;
        }
        let listed = self.listed.as_ref();
        let is_listed = |object: &ListedObject| Some(&object.key) <= listed;
        let before = page.objects.partition_point(is_listed);
        page.objects.drain(..before);
        if !page.is_truncated || page.last_key() > listed {
            self.take_page(page);
        }
        before
    }

    fn take_page(&mut self, page: ObjectPage) {
        let last = page.last_key().cloned();
        self.is_done = !page.is_truncated;
        self.take(page.objects);
        self.is_done |= last
            .as_ref()
            .and_then(|last| last.relative_to(&self.prefix))
            .is_some_and(|relative| self.is_past_end(relative));
        self.listed = last;
    }

    /// Takes the objects that a list in key order names up to `through`, all that are left if it is the `last` of it.
    ///
    /// # Errors
    /// `ListingIncomplete` when they are not in key order, or lie outside the prefix.
    pub(crate) fn feed_list(
        &mut self,
        objects: Vec<ListedObject>,
        through: Option<ObjectKey>,
        is_last: bool,
    ) -> Result<(), Failure> {
        let page = ObjectPage {
            objects,
            ..ObjectPage::default()
        };
        page.check(&self.prefix, self.listed.as_ref())
            .map_err(|problem| {
                untrusted_listing(self.name, format_args!("in the list, {problem}"))
            })?;
        self.is_done = is_last;
        self.take(page.objects);
        if let Some(through) = through {
            self.is_done |= through
                .relative_to(&self.prefix)
                .is_some_and(|relative| self.is_past_end(relative));
            self.listed = Some(through);
        }
        Ok(())
    }

    /// Takes what lies within the range of objects in key order.
    fn take(&mut self, objects: Vec<ListedObject>) {
        self.buffer.reserve(objects.len());
        for object in objects {
            let relative = object.key.relative_to(&self.prefix).unwrap_or_default();
            if self.is_past_end(relative) {
                self.is_done = true;
                break;
            }
            if !self.is_before_begin(relative) {
                self.buffer.push_back(object);
            }
        }
    }

    fn is_past_end(&self, relative: &str) -> bool {
        let until = self.until.as_ref();
        until.is_some_and(|until| relative > until.as_str())
    }

    /// Whether a key lies before the range.
    pub(super) fn is_before_begin(&self, relative: &str) -> bool {
        let after = self.after.as_ref();
        after.is_some_and(|after| relative <= after.as_str())
    }

    /// Ends the listing if it has told of all of these keys; whether it did so now.
    pub(super) fn end_unless_wanted<'a>(&mut self, keys: impl Iterator<Item = &'a str>) -> bool {
        let ends = !self.is_done && self.first_unlisted(keys).is_none();
        self.is_done |= ends;
        ends
    }

    /// The first of these keys below the prefix that is not listed yet. A key that would be too long does not stand here.
    pub(super) fn first_unlisted<'a>(
        &self,
        mut keys: impl Iterator<Item = &'a str>,
    ) -> Option<ObjectKey> {
        let listed = self.listed_through();
        keys.find_map(|relative| {
            let is_listed = listed.is_some_and(|listed| relative <= listed);
            (!is_listed).then(|| self.prefix.join(relative).ok())?
        })
    }

    /// Whether it is known whether a key stands here. One that would be too long does not.
    pub(super) fn covers(&self, relative: &str) -> bool {
        let is_listed = || {
            self.listed_through()
                .is_some_and(|listed| relative <= listed)
        };
        let is_too_long = || self.prefix.as_str().len() + relative.len() > KEY_BYTES_MAX;
        self.is_done || is_listed() || is_too_long()
    }

    /// The keys below the prefix that wait.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        let objects = self.buffer.iter();
        objects.filter_map(|object| object.key.relative_to(&self.prefix))
    }

    /// The last key of the last page.
    pub(super) fn listed(&self) -> Option<&ObjectKey> {
        self.listed.as_ref()
    }

    /// How many of the objects that wait lie at or before a key below the prefix.
    pub(super) fn waiting_through(&self, relative: &str) -> usize {
        self.buffer.partition_point(|object| {
            let key = object.key.relative_to(&self.prefix);
            key.is_some_and(|key| key <= relative)
        })
    }

    /// The key below the prefix of the object that waits behind so many others.
    pub(super) fn waiting_at(&self, index: usize) -> Option<&str> {
        self.buffer.get(index)?.key.relative_to(&self.prefix)
    }

    /// The last key of the last page, below the prefix.
    pub(super) fn listed_through(&self) -> Option<&str> {
        self.listed.as_ref()?.relative_to(&self.prefix)
    }

    /// Narrows the range to `until`.
    pub(super) fn narrow(&mut self, until: &RelativeKey) {
        while self
            .buffer
            .back()
            .and_then(|object| object.key.relative_to(&self.prefix))
            .is_some_and(|relative| relative > until.as_str())
        {
            self.buffer.pop_back();
            self.is_done = true;
        }
        let is_past = self
            .listed
            .as_ref()
            .and_then(|listed| listed.relative_to(&self.prefix))
            .is_some_and(|relative| relative > until.as_str());
        self.is_done |= is_past;
        self.until = Some(until.clone());
    }

    /// How far the listing got, below the prefix; nothing when it is done.
    pub(super) fn frontier(&self) -> Option<&str> {
        let listed = self.listed.as_ref().filter(|_| !self.is_done)?;
        listed.relative_to(&self.prefix)
    }

    /// The next object and its key below the prefix.
    pub(crate) fn front(&self) -> Option<(&str, &ListedObject)> {
        let object = self.buffer.front()?;
        let relative = object.key.relative_to(&self.prefix)?;
        Some((relative, object))
    }

    pub(super) fn prefix(&self) -> &KeyPrefix {
        &self.prefix
    }

    pub(super) fn until(&self) -> Option<&RelativeKey> {
        self.until.as_ref()
    }

    /// Whether nothing is left in the bucket.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// How many objects wait.
    pub(crate) fn waiting(&self) -> usize {
        self.buffer.len()
    }

    pub(crate) fn pop(&mut self) -> Option<ListedObject> {
        self.buffer.pop_front()
    }

    /// The last key below the prefix up to which every object was taken; nothing when every object of the range was, or none
    /// is known.
    pub(super) fn taken_through(&self) -> Option<&str> {
        let through = match self.buffer.front() {
            // Whatever lies before it was taken.
            Some(_) => None,
            None => self.frontier(),
        };
        let after = self.after.as_ref().map(RelativeKey::as_str);
        through.filter(|through| Some(*through) > after)
    }

    /// Whether nothing is left, neither here nor in the bucket.
    pub(super) fn is_exhausted(&self) -> bool {
        self.is_done && self.buffer.is_empty()
    }

    /// Whether merging needs another page.
    pub(super) fn is_starved(&self) -> bool {
        !self.is_done && self.buffer.is_empty()
    }
}
