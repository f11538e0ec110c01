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
        key::{KeyPrefix, ObjectKey, RelativeKey},
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
        (!self.is_done && self.buffer.len() <= buffered_max).then(|| ListRequest {
            prefix: self.prefix.clone(),
            after: self.listed.clone(),
        })
    }

    /// Takes the response to [`next_request`](Self::next_request).
    ///
    /// # Errors
    /// `ListingIncomplete` when the page is not what a listing of this prefix in key order gives (P11).
    pub(crate) fn feed(&mut self, page: ObjectPage) -> Result<(), Failure> {
        page.check(&self.prefix, self.listed.as_ref())
            .map_err(|problem| {
                let prefix = self.prefix.as_str();
                untrusted_listing(
                    self.name,
                    format_args!("under prefix {prefix:?}, {problem}"),
                )
            })?;
        let last = page.last_key().cloned();
        let is_past_end = |relative: &str| {
            self.until
                .as_ref()
                .is_some_and(|until| relative > until.as_str())
        };
        self.is_done = !page.is_truncated;
        self.buffer.reserve(page.objects.len());
        for object in page.objects {
            let relative = object.key.relative_to(&self.prefix).unwrap_or_default();
            if is_past_end(relative) {
                self.is_done = true;
                break;
            }
            let is_before = |after: &RelativeKey| relative <= after.as_str();
            if !self.after.as_ref().is_some_and(is_before) {
                self.buffer.push_back(object);
            }
        }
        let is_past = last
            .as_ref()
            .and_then(|last| last.relative_to(&self.prefix))
            .is_some_and(is_past_end);
        self.is_done |= is_past;
        self.listed = last;
        Ok(())
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
