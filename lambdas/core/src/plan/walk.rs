//! The walk through one range, which merges both sides as they stream.

mod ahead_pages;
mod empty_stretch;
mod from_list;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use ahead_pages::AheadPages;

use super::{
    chunk::{Chunk, PlannedWork},
    list_page::PendingLooks,
    side_listing::SideListing,
    walk_rules::WalkRules,
};
use crate::{
    failure::Failure,
    plan::range::{Checkpoint, RangeRecord},
    port::{ListRequest, ObjectPage},
    run::{option::ArchivedPolicy, pair::Side},
    value::{key::RelativeKey, object::ListedObject},
};

/// The next page of a side is requested while at most this many of its objects wait. With one page, a side is listed ahead
/// of the other, and never more than two pages wait. Of a list more wait where several pages of the target are requested.
const BUFFERED_MAX: usize = 1_000;

/// What to do next, by the first object of each side.
enum MergeStep {
    /// Copy the source's object, or filter it out.
    SourceOnly,
    /// Compare both.
    Both,
    /// The target has an object that the source lacks.
    TargetOnly,
    /// A page is missing.
    Starved,
    /// Nothing is left.
    End,
}

/// One range from its checkpoint to its end.
#[derive(Debug)]
pub struct RangeWalk {
    source: SideListing,
    target: Option<SideListing>,
    /// Whether the target is listed only where the source has keys.
    skips_beside: bool,
    /// What is listed ahead there.
    ahead: AheadPages,
    looks: PendingLooks,
    chunk: Chunk,
    /// Whether anything was merged into the open chunk.
    has_moved: bool,
    is_ended: bool,
}

impl RangeWalk {
    /// Continues a range after its checkpoint.
    #[must_use]
    pub fn resume(range: &RangeRecord, rules: &WalkRules) -> Self {
        let pair = &rules.spec.pair;
        let through = range
            .checkpoint
            .as_ref()
            .and_then(|checkpoint| checkpoint.through.as_ref());
        let after = through.or(range.bounds.after.as_ref());
        let until = range.bounds.until.as_ref();
        let checkpoint = range.checkpoint.clone().unwrap_or(Checkpoint {
            through: None,
            tally: crate::plan::range::ListingTally::default(),
            list: None,
        });
        Self {
            source: SideListing::new(Side::Source, pair.source.prefix.clone(), after, until),
            target: rules
                .needs_target()
                .then(|| SideListing::new(Side::Target, pair.target.prefix.clone(), after, until)),
            skips_beside: !rules.lists_beside(),
            ahead: AheadPages::default(),
            looks: PendingLooks::default(),
            chunk: Chunk::begin(range.range_id.clone(), checkpoint),
            has_moved: false,
            is_ended: false,
        }
    }

    /// The request for the next page of a side, if the walk can use one now.
    #[must_use]
    pub fn next_request(&self, side: Side) -> Option<ListRequest> {
        match side {
            Side::Source => {
                let ahead = self.ahead.keys_wanted();
                self.source.next_request(ahead.max(BUFFERED_MAX))
            }
            Side::Target => self.target.as_ref()?.next_request(BUFFERED_MAX),
        }
    }

    /// Takes the response to [`next_request`](Self::next_request).
    ///
    /// # Errors
    /// `ListingIncomplete` when the page cannot be trusted (P11).
    pub fn feed(&mut self, side: Side, page: ObjectPage) -> Result<(), Failure> {
        match (side, &mut self.target) {
            (Side::Source, _) => self.source.feed(page),
            (Side::Target, Some(target)) => target.feed(page),
            (Side::Target, None) => Err(no_target()),
        }
    }

    /// Merges as far as the pages reach. Returns the full chunks, and the last one when the range ends.
    pub fn advance(&mut self, rules: &WalkRules) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        loop {
            match self.next_step() {
                MergeStep::Starved if self.ends_target() || self.take_ahead() => {}
                MergeStep::Starved => {
                    self.pass_unplanned();
                    self.pass_nothing();
                    break;
                }
                MergeStep::End => {
                    if !self.is_ended {
                        self.count_looks(None);
                        self.is_ended = true;
                        self.chunk.ends_range = true;
                        chunks.push(self.cut());
                    }
                    break;
                }
                step => self.take(&step, rules, &mut chunks),
            }
        }
        chunks
    }

    /// The open chunk, if anything was merged into it, so that the checkpoint can move up to here.
    pub fn flush(&mut self) -> Option<Chunk> {
        self.has_moved.then(|| self.cut())
    }

    /// Whether anything was merged that no returned chunk holds.
    #[must_use]
    pub fn has_moved(&self) -> bool {
        self.has_moved
    }

    /// Whether every key of the range is merged.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// The last key that is merged, if any.
    #[must_use]
    pub fn through(&self) -> Option<&RelativeKey> {
        self.chunk.checkpoint.through.as_ref()
    }

    /// How far a side is listed; nothing when its listing is done.
    #[must_use]
    pub fn frontier(&self, side: Side) -> Option<&str> {
        match side {
            Side::Source => self.source.frontier(),
            Side::Target => self.target.as_ref()?.frontier(),
        }
    }

    /// Gives up the keys after `until`, which another walk takes over.
    ///
    /// Refused when this walk is past it already.
    pub fn narrow(&mut self, until: &RelativeKey) -> bool {
        if self.is_ended || self.through().is_some_and(|through| through >= until) {
            return false;
        }
        self.source.narrow(until);
        self.looks.narrow(self.source.prefix(), until);
        if let Some(target) = &mut self.target {
            target.narrow(until);
        }
        true
    }

    fn next_step(&self) -> MergeStep {
        let Some(target) = &self.target else {
            return match self.source.front() {
                Some(_) => MergeStep::SourceOnly,
                None if self.source.is_exhausted() => MergeStep::End,
                None => MergeStep::Starved,
            };
        };
        let is_known = |relative| self.skips_beside && target.covers(relative);
        let lacks_target = target.is_starved()
            && !self
                .source
                .front()
                .is_some_and(|(relative, _)| is_known(relative));
        if self.source.is_starved() || lacks_target {
            return MergeStep::Starved;
        }
        match (self.source.front(), target.front()) {
            (None, None) => MergeStep::End,
            (Some(_), None) => MergeStep::SourceOnly,
            (None, Some(_)) => MergeStep::TargetOnly,
            (Some((at_source, _)), Some((at_target, _))) => match at_source.cmp(at_target) {
                Ordering::Less => MergeStep::SourceOnly,
                Ordering::Equal => MergeStep::Both,
                Ordering::Greater => MergeStep::TargetOnly,
            },
        }
    }

    fn take(&mut self, step: &MergeStep, rules: &WalkRules, chunks: &mut Vec<Chunk>) {
        let source = match step {
            MergeStep::TargetOnly => None,
            _ => self.source.pop(),
        };
        let target = match (step, &mut self.target) {
            (MergeStep::Both | MergeStep::TargetOnly, Some(side)) => side.pop(),
            _ => None,
        };
        let pair = &rules.spec.pair;
        if let Some(source) = source {
            let relative = source.key.relative_to(&pair.source.prefix);
            let relative = relative.unwrap_or_default();
            self.decide(relative, &source, target.as_ref(), rules, chunks);
            self.pass(relative, target.as_ref(), rules);
        } else if let Some(target) = target {
            let relative = target.key.relative_to(&pair.target.prefix);
            let relative = relative.unwrap_or_default();
            if self.skips_beside {
                return;
            }
            if rules.may_delete(relative) {
                self.make_room(&PlannedWork::default(), rules, chunks);
                self.chunk.plan_delete(relative, &target);
            } else if rules.audits(relative) {
                self.make_room(&PlannedWork::default(), rules, chunks);
                let sides = (None, Some(&target));
                self.chunk.audited.add(relative, sides, None);
            } else {
                self.leave(relative, Some(&target), rules, chunks);
            }
            self.pass(relative, Some(&target), rules);
        }
    }

    /// Moves the checkpoint past a key. The target's object is counted only now, because deciding may have cut the open
    /// chunk, and a walk that resumes after that chunk meets this key again.
    fn pass(&mut self, relative: &str, target: Option<&ListedObject>, rules: &WalkRules) {
        self.count_looks(Some(relative));
        let tally = &mut self.chunk.checkpoint.tally;
        if let Some(target) = target.filter(|_| rules.lists_beside()) {
            tally.at_target.add_object(target.size_bytes);
            if rules.may_delete(relative) {
                tally.deletable.add_object(target.size_bytes);
            }
        }
        self.chunk.pass(relative);
        self.has_moved = true;
    }

    fn decide(
        &mut self,
        relative: &str,
        source: &ListedObject,
        target: Option<&ListedObject>,
        rules: &WalkRules,
        chunks: &mut Vec<Chunk>,
    ) {
        let spec = &rules.spec;
        if !rules.filter.admits(relative, source) {
            self.leave(relative, target, rules, chunks);
            let tally = &mut self.chunk.checkpoint.tally;
            tally.filtered.add_object(source.size_bytes);
            return;
        }
        let found = rules.difference(source, target);
        if spec.pair.is_root_marker(relative) {
            self.leave(relative, target, rules, chunks);
            let tally = &mut self.chunk.checkpoint.tally;
            tally.root_markers.add_object(source.size_bytes);
        } else if let (None, Some(target)) = (found, target) {
            self.make_room(&PlannedWork::default(), rules, chunks);
            if rules.audits(relative) {
                let sides = (Some(source), Some(target));
                self.chunk.audited.add(relative, sides, None);
            }
            self.chunk
                .kept
                .push_same(relative, target, source.version_id.as_ref());
            self.chunk
                .checkpoint
                .tally
                .same
                .add_object(source.size_bytes);
        } else if source.storage.is_archived && spec.archived == ArchivedPolicy::Skip {
            self.leave(relative, target, rules, chunks);
            let tally = &mut self.chunk.checkpoint.tally;
            tally.archived.add_object(source.size_bytes);
        } else if rules.audits(relative) {
            self.make_room(&PlannedWork::default(), rules, chunks);
            self.chunk
                .audited
                .add(relative, (Some(source), target), found);
        } else {
            let work = PlannedWork::of_object(source, spec);
            self.make_room(&work, rules, chunks);
            self.chunk.plan_copy(source, work, spec.storage_class);
        }
        // Only now, because making room may have cut the open chunk.
        let is_beside = spec.pair.source.is_beside(relative);
        self.chunk.checkpoint.tally.beside_prefix += u64::from(is_beside);
    }

    /// Leaves what the target has as it stands: the run is not about it.
    fn leave(
        &mut self,
        relative: &str,
        target: Option<&ListedObject>,
        rules: &WalkRules,
        chunks: &mut Vec<Chunk>,
    ) {
        if let Some(target) = target.filter(|_| rules.lists_beside()) {
            self.make_room(&PlannedWork::default(), rules, chunks);
            self.chunk.kept.push_beside(relative, target);
        }
    }

    /// Cuts the open chunk if it has no room for an object of `work`, for a deletion, or for an object that stays.
    fn make_room(&mut self, work: &PlannedWork, rules: &WalkRules, chunks: &mut Vec<Chunk>) {
        let bounds = &rules.chunk_bounds;
        let is_full = !bounds.hold(&self.chunk.copy_work.plus(*work))
            || self.chunk.delete_work.count.objects >= bounds.objects_max
            || self.chunk.listed() >= bounds.kept_max;
        if is_full && !self.chunk.is_empty() {
            chunks.push(self.cut());
        }
    }

    fn cut(&mut self) -> Chunk {
        self.has_moved = false;
        let next = Chunk::begin(self.chunk.range_id.clone(), self.chunk.checkpoint.clone());
        std::mem::replace(&mut self.chunk, next)
    }
}

fn no_target() -> Failure {
    Failure::invariant("a page of the target came for a run that does not list it")
}
