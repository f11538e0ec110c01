//! What a walk does whose source is a list in key order.

use super::RangeWalk;
use crate::{
    failure::Failure,
    plan::list_page::ListPage,
    port::{ListRequest, ObjectPage},
    value::key::ObjectKey,
};

impl RangeWalk {
    /// Takes what a list in key order names, in response to [`next_request`](Self::next_request) for the source.
    ///
    /// # Errors
    /// `ListingIncomplete` when it is not in key order (P11).
    pub fn feed_list(&mut self, page: ListPage) -> Result<(), Failure> {
        let ListPage {
            objects,
            mut looks,
            through,
            is_last,
        } = page;
        let source = &mut self.source;
        looks.retain(|look| {
            let relative = look.key.relative_to(source.prefix());
            relative.is_some_and(|relative| !source.is_before_begin(relative))
        });
        self.looks.extend(looks);
        if let Some(until) = source.until() {
            self.looks.narrow(source.prefix(), until);
        }
        source.feed_list(objects, through, is_last)
    }

    /// Whether the target is listed where the source has keys alone, by [`next_ahead`](Self::next_ahead).
    #[must_use]
    pub fn lists_ahead(&self) -> bool {
        self.skips_beside && self.target.is_some()
    }

    /// The request for a further page of the target, where the source has keys that no page tells of yet; at most `at_once` are
    /// on their way or wait.
    #[must_use]
    pub fn next_ahead(&mut self, at_once: usize) -> Option<ListRequest> {
        let target = self.target.as_ref().filter(|_| self.skips_beside)?;
        self.ahead.next(&self.source, target, at_once)
    }

    /// Takes the response to [`next_ahead`](Self::next_ahead) behind `after`. Responses may come in any order.
    ///
    /// # Errors
    /// `ListingIncomplete` when the page cannot be trusted (P11).
    pub fn feed_ahead(
        &mut self,
        after: Option<&ObjectKey>,
        page: ObjectPage,
    ) -> Result<(), Failure> {
        let Some(target) = &self.target else {
            return Err(super::no_target());
        };
        target.check(&page, after)?;
        self.ahead.keep(&self.source, target, after, page);
        Ok(())
    }

    /// Merges the next page that was listed ahead, if it is there; whether it was.
    pub(super) fn take_ahead(&mut self) -> bool {
        let target = self.target.as_mut().filter(|_| self.skips_beside);
        target.is_some_and(|target| self.ahead.hand_over(&self.source, target))
    }

    /// Whether the target's listing ends here: no key of the source is left that it could tell of.
    pub(super) fn ends_target(&mut self) -> bool {
        let target = self.target.as_mut().filter(|_| self.skips_beside);
        let target = target.filter(|_| self.source.is_done());
        target.is_some_and(|target| target.end_unless_wanted(self.source.keys()))
    }

    /// How far the source is listed, whether or not more of it follows.
    #[must_use]
    pub fn listed_through(&self) -> Option<&str> {
        self.source.listed_through()
    }

    /// Counts the looks at or before a key, which the checkpoint is about to pass; all of them where nothing follows.
    pub(super) fn count_looks(&mut self, through: Option<&str>) {
        let tally = &mut self.chunk.checkpoint.tally;
        while let Some(looked) = self.looks.pop(self.source.prefix(), through) {
            tally.looks.note(looked.look);
            if let Some(size_bytes) = looked.unplanned_bytes {
                tally.gone.add_object(size_bytes);
            }
        }
    }

    /// Moves the checkpoint behind the keys of a list of which none is planned, so that a list of objects that are gone is
    /// not read from the same key again and again. Not where what stands at the target between them is still to be merged.
    pub(super) fn pass_unplanned(&mut self) {
        if !self.skips_beside || self.source.waiting() > 0 {
            return;
        }
        let Some(through) = self.source.listed_through().map(ToOwned::to_owned) else {
            return;
        };
        if self
            .through()
            .is_none_or(|passed| passed.as_str() < through.as_str())
            && !self.source.is_before_begin(&through)
        {
            self.count_looks(Some(&through));
            self.chunk.pass(&through);
            self.has_moved = true;
        }
    }
}
