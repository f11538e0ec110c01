//! Pages of the target that are listed ahead, several at once, where the source is a list.
//!
//! A listing says where it goes on only when a page has come, so it makes one request after the other. The keys of a list are
//! known before: once a page has shown how many of them it tells of, the next ones are requested behind so many keys each. A
//! page that gets less far than expected leaves a gap, which is requested before the next one is merged; one that gets farther
//! makes the next one tell the same again, which is left out. So what is merged is what one request after the other gives.

use std::collections::VecDeque;

use crate::{
    plan::side_listing::SideListing,
    port::{ListRequest, ObjectPage},
    value::key::ObjectKey,
};

/// Of a page that was requested ahead, one of so many objects may have been told by the page before. Where more were, the pages
/// begin too close to each other.
const TOLD_AGAIN_SHARE: usize = 8;

/// A page that was requested.
#[derive(Debug)]
struct AheadPage {
    /// The key behind which it begins.
    after: Option<ObjectKey>,
    /// Nothing while it is on its way.
    page: Option<ObjectPage>,
}

/// The pages of the target that are on their way or wait.
#[derive(Debug)]
pub(super) struct AheadPages {
    /// In the order in which they begin.
    pages: VecDeque<AheadPage>,
    /// How many keys of the source a page tells of; nothing while it is not known, or more than wait.
    stride: Option<usize>,
    /// How many pages are worth being requested at once. Doubled with each page that told something new.
    worth: usize,
    /// The most that may be requested at once.
    at_once: usize,
}

impl Default for AheadPages {
    fn default() -> Self {
        Self {
            pages: VecDeque::new(),
            stride: None,
            worth: 1,
            at_once: 1,
        }
    }
}

impl AheadPages {
    /// The request for a further page; nothing where none is to be requested now.
    pub(super) fn next(
        &mut self,
        source: &SideListing,
        target: &SideListing,
        at_once: usize,
    ) -> Option<ListRequest> {
        self.at_once = at_once;
        if target.is_done() {
            return None;
        }
        let wanted = target.first_unlisted(source.keys())?;
        let tells_of_it = |page: &AheadPage| Some(&wanted) > page.after.as_ref();
        if !self.pages.front().is_some_and(tells_of_it) {
            // What stands before the key does not matter.
            let after = target.listed().cloned().max(wanted.just_before());
            self.pages.push_front(AheadPage::on_its_way(after.clone()));
            return Some(target.request_behind(after));
        }
        if self.pages.len() >= self.worth.min(self.at_once) {
            return None;
        }
        let last = self.pages.back().and_then(|last| last.after.as_ref());
        let passed = last.and_then(|last| last.relative_to(target.prefix()));
        let passed = passed.map_or(0, |passed| source.waiting_through(passed));
        let next = source.waiting_at(passed.checked_add(self.stride?)?)?;
        let after = target.prefix().join(next).ok()?.just_before();
        if after.as_ref() <= last {
            return None;
        }
        self.pages.push_back(AheadPage::on_its_way(after.clone()));
        Some(target.request_behind(after))
    }

    /// Keeps a page until it is its turn.
    pub(super) fn keep(
        &mut self,
        source: &SideListing,
        target: &SideListing,
        after: Option<&ObjectKey>,
        page: ObjectPage,
    ) {
        if let Some(told) = keys_told(source, target, after, &page) {
            // The fewest, so that no gaps are left, unless they are many more now.
            let fewest = self.stride.filter(|stride| told < 2 * stride);
            self.stride = Some(fewest.map_or(told, |stride| stride.min(told)));
        }
        let is_it = |kept: &&mut AheadPage| kept.after.as_ref() == after;
        if let Some(kept) = self.pages.iter_mut().find(is_it) {
            kept.page = Some(page);
        }
    }

    /// Hands the next page over to the target, if it is there and follows; whether it was.
    pub(super) fn hand_over(&mut self, source: &SideListing, target: &mut SideListing) -> bool {
        if !target.is_starved() {
            return false;
        }
        let wanted = target.first_unlisted(source.keys());
        let leaves_gap =
            |page: &AheadPage| wanted.is_some() && wanted.as_ref() <= page.after.as_ref();
        let Some(first) = self
            .pages
            .pop_front_if(|first| first.page.is_some() && !leaves_gap(first))
        else {
            return false;
        };
        let Some(page) = first.page else {
            return false;
        };
        let objects = page.objects.len();
        let told_before = target.take_page_behind(first.after, page);
        if told_before > objects / TOLD_AGAIN_SHARE {
            (self.worth, self.stride) = (1, None);
        } else {
            self.worth = self.worth.saturating_mul(2).min(self.at_once.max(1));
        }
        true
    }

    /// How many keys of the source should wait, so that as many pages are requested as may be.
    pub(super) fn keys_wanted(&self) -> usize {
        let pages = self.worth.min(self.at_once);
        self.stride.unwrap_or_default().saturating_mul(pages)
    }
}

impl AheadPage {
    fn on_its_way(after: Option<ObjectKey>) -> Self {
        Self { after, page: None }
    }
}

/// How many keys of the source a page tells of, one at least; nothing where fewer wait than that or some are merged.
fn keys_told(
    source: &SideListing,
    target: &SideListing,
    after: Option<&ObjectKey>,
    page: &ObjectPage,
) -> Option<usize> {
    if !page.is_truncated || after < target.listed() {
        return None;
    }
    let through = page.last_key()?.relative_to(target.prefix())?;
    let passed = after.and_then(|after| after.relative_to(target.prefix()));
    let passed = passed.map_or(0, |passed| source.waiting_through(passed));
    let told = source.waiting_through(through);
    (told < source.waiting()).then(|| told.saturating_sub(passed).max(1))
}

#[cfg(test)]
mod tests;
