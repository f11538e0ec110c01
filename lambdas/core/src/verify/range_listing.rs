//! The listing of one range of the target.

use crate::{
    failure::Failure,
    plan::side_listing::SideListing,
    port::{ListRequest, ObjectPage},
    run::pair::Side,
    value::{
        key::{KeyPrefix, RelativeKey},
        set_sum::SetSum,
    },
    verify::listed_range::ListedRange,
};

/// What a listing needs next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListingStep {
    /// This page.
    List(ListRequest),
    /// Nothing: a page is summed, and the range may be left here.
    PageEnd,
    /// Nothing: the range is done.
    Done,
}

/// Sums the objects of one range. What was seen counts together with how far the listing came, page by page: a page that
/// fails is listed again, and nothing counts twice.
#[derive(Debug)]
pub struct RangeListing<'a> {
    range: &'a mut ListedRange,
    target: SideListing,
}

impl<'a> RangeListing<'a> {
    /// Continues a range of the target prefix where it was left.
    #[must_use]
    pub fn resume(range: &'a mut ListedRange, prefix: &KeyPrefix) -> Self {
        let (after, until) = (range.rest.after.as_ref(), range.rest.until.as_ref());
        Self {
            target: SideListing::new(Side::Target, prefix.clone(), after, until),
            range,
        }
    }

    /// Sums what is listed.
    ///
    /// # Errors
    /// `InvariantViolated` when a listed key cannot be a bound, which no key of a checked page is.
    pub fn advance(&mut self) -> Result<ListingStep, Failure> {
        let mut seen = SetSum::default();
        let mut through = None;
        while let Some((relative, object)) = self.target.front() {
            seen.add_object(relative, &object.etag, object.size_bytes);
            if self.target.waiting() == 1 {
                let last = RelativeKey::new(relative);
                through = Some(last.map_err(|error| Failure::invariant(error.to_string()))?);
            }
            self.target.pop();
        }
        if let Some(through) = through {
            self.range.add(&seen, Some(through));
            return Ok(ListingStep::PageEnd);
        }
        if let Some(page) = self.target.next_request(0) {
            return Ok(ListingStep::List(page));
        }
        self.range.add(&SetSum::default(), None);
        Ok(ListingStep::Done)
    }

    /// Takes the page that [`advance`](Self::advance) asked for.
    ///
    /// # Errors
    /// `ListingIncomplete` when the page cannot be trusted (P11).
    pub fn feed(&mut self, page: ObjectPage) -> Result<(), Failure> {
        self.target.feed(page)
    }
}
