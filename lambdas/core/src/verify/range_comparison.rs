//! The comparison of one range: both sides as they stream.

#[cfg(test)]
mod tests;

use crate::{
    failure::Failure,
    plan::side_listing::SideListing,
    port::{ListRequest, ObjectPage},
    run::pair::Side,
    value::key::RelativeKey,
    verify::{
        discrepancies::Discrepancies,
        doubts::Doubt,
        rules::{Judgment, VerifyRules},
        verified_range::VerifiedRange,
    },
};

/// What a comparison needs next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComparisonStep {
    /// This page of this side.
    List(Side, ListRequest),
    /// Nothing: a page of the source is compared to its end, and the range may be left here.
    PageEnd,
    /// Nothing: the range is done.
    Done,
}

/// One range of the source, compared with the target.
///
/// What is found counts together with how far the comparison came, page by page: a page that fails half-way is compared
/// again, and nothing counts twice.
#[derive(Debug)]
pub struct RangeComparison<'a> {
    rules: &'a VerifyRules,
    range: &'a mut VerifiedRange,
    source: SideListing,
    target: SideListing,
    /// What was found up to the source's next object.
    found: Discrepancies,
    /// What was found since the last page end and is doubtful.
    doubts: Vec<Doubt>,
}

impl<'a> RangeComparison<'a> {
    /// Continues a range where it was left.
    #[must_use]
    pub fn resume(range: &'a mut VerifiedRange, rules: &'a VerifyRules) -> Self {
        let listing = |side: Side| {
            let (after, until) = (range.rest.after.as_ref(), range.rest.until.as_ref());
            SideListing::new(side, rules.pair().prefix(side).clone(), after, until)
        };
        Self {
            source: listing(Side::Source),
            target: listing(Side::Target),
            found: range.found,
            doubts: Vec::new(),
            rules,
            range,
        }
    }

    /// Compares what is listed, up to the next page that is needed or to the end of a page of the source.
    ///
    /// # Errors
    /// `InvariantViolated` when a listed key cannot be a bound, which no key of a checked page is.
    pub fn advance(&mut self) -> Result<ComparisonStep, Failure> {
        while let Some((relative, object)) = self.source.front() {
            if self.rules.admits(relative, object) {
                if let Some(page) = self.target.seek(relative) {
                    return Ok(ComparisonStep::List(Side::Target, page));
                }
                let target = self.target.front().filter(|(key, _)| *key == relative);
                match self.rules.judge(object, target.map(|(_, copy)| copy)) {
                    None => {}
                    Some(Judgment::Certain(discrepancy)) => self.found.add(discrepancy),
                    Some(Judgment::Doubtful(discrepancy, doubt)) => {
                        let doubts = self.range.doubts.len() + self.doubts.len();
                        if doubts < self.range.doubts_max {
                            self.doubts.push(doubt);
                        } else {
                            self.found.add(discrepancy);
                        }
                    }
                }
            }
            if self.source.waiting() == 1 {
                let compared = RelativeKey::new(relative);
                let compared = compared.map_err(|error| Failure::invariant(error.to_string()))?;
                self.range.rest.after = Some(compared);
                self.range.found = self.found;
                self.range.doubts.append(&mut self.doubts);
                self.source.pop();
                return Ok(ComparisonStep::PageEnd);
            }
            self.source.pop();
        }
        if let Some(page) = self.source.next_request(0) {
            return Ok(ComparisonStep::List(Side::Source, page));
        }
        self.range.found = self.found;
        self.range.doubts.append(&mut self.doubts);
        self.range.is_done = true;
        Ok(ComparisonStep::Done)
    }

    /// Takes the page that [`advance`](Self::advance) asked for.
    ///
    /// # Errors
    /// `ListingIncomplete` when the page cannot be trusted (P11).
    pub fn feed(&mut self, side: Side, page: ObjectPage) -> Result<(), Failure> {
        match side {
            Side::Source => self.source.feed(page),
            Side::Target => self.target.feed(page),
        }
    }
}
