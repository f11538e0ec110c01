//! Proves the target complete: lists both sides again and compares them, streaming.

use std::collections::VecDeque;

use futures::{StreamExt, future::BoxFuture, stream};
use serde::{Deserialize, Serialize};
use shardlift_core::{
    access::denial::listing_failure,
    failure::{Failure, FailureCode, Retry},
    plan::range::{self, KeyRange},
    port::{BucketListing, Clock, ListRequest},
    report::Verification,
    run::{
        filter::ObjectFilter,
        option::{Compare, Verify},
        pair::Side,
        spec::RunSpec,
    },
    value::{
        deadline::Deadline,
        key::{KeyPrefix, ObjectKey, RelativeKey},
        object::ListedObject,
        tally::RequestCounts,
        time::Timestamp,
    },
};

use crate::{replanned::Replanned, uploads::Sweep};

/// How many ranges are walked at once: two listings each, and S3 lists some 5,500 pages a second under a prefix.
const RANGES_AT_ONCE: usize = 16;

/// Transient faults that a proof survives by going on in another invocation.
const FAULTS_MAX: u32 = 5;

/// How far the proof is, and the sweep before it; kept in the control bucket between invocations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    ranges: Vec<ProvenRange>,
    faults: u32,
    /// How far the unfinished uploads are swept.
    #[serde(default)]
    pub(crate) sweep: Sweep,
    /// How many of them were aborted.
    #[serde(default)]
    pub(crate) uploads_aborted: u64,
    /// Requests that both made so far.
    pub(crate) requests: RequestCounts,
}

/// A range, how far it is proven, and what was found until there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ProvenRange {
    /// What is left of it.
    rest: KeyRange,
    is_done: bool,
    found: Findings,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Findings {
    missing: u64,
    different: u64,
    changed_since_start: u64,
}

impl Progress {
    /// Nothing proven yet. The ranges of the plan are taken when they tile the key space, else the whole of it: the
    /// proof does not rest on the plan.
    pub(crate) fn begin(mut ranges: Vec<KeyRange>) -> Self {
        ranges.sort_by(|a, b| a.after.cmp(&b.after));
        if !range::tiles(&ranges.iter().collect::<Vec<_>>()) {
            ranges = vec![KeyRange::default()];
        }
        Self {
            ranges: ranges
                .into_iter()
                .map(|rest| ProvenRange {
                    rest,
                    is_done: false,
                    found: Findings::default(),
                })
                .collect(),
            faults: 0,
            sweep: Sweep::default(),
            uploads_aborted: 0,
            requests: RequestCounts::new(),
        }
    }

    /// Whether every range is proven.
    pub(crate) fn is_done(&self) -> bool {
        self.ranges.iter().all(|range| range.is_done)
    }

    /// What was found.
    pub(crate) fn verification(&self, method: Verify) -> Verification {
        let mut sum = Verification::clean(method);
        for range in &self.ranges {
            sum.missing += range.found.missing;
            sum.different += range.found.different;
            sum.changed_since_start += range.found.changed_since_start;
        }
        sum
    }

    /// Notes a fault; tells whether it is worth going on.
    pub(crate) fn survives(&mut self, failure: &Failure) -> bool {
        self.faults += 1;
        failure.code.retry() == Retry::Later && self.faults <= FAULTS_MAX
    }
}

/// What both sides are compared by, and until when.
pub(crate) struct Relisting<'a, K> {
    spec: &'a RunSpec,
    filter: ObjectFilter,
    run_started_at: Timestamp,
    replanned: Replanned,
    clock: &'a K,
    deadline: Deadline,
}

impl<'a, K: Clock> Relisting<'a, K> {
    /// The proof of a run that began at `run_started_at`; of a rerun, `replanned` are objects that it planned although
    /// they changed after the listing that it goes back to.
    pub(crate) fn new(
        spec: &'a RunSpec,
        run_started_at: Timestamp,
        replanned: Replanned,
        clock: &'a K,
        deadline: Deadline,
    ) -> Result<Self, Failure> {
        Ok(Self {
            spec,
            filter: spec.filters.compile()?,
            run_started_at,
            replanned,
            clock,
            deadline,
        })
    }

    /// Walks what is left of the ranges on both sides, until they are proven or the deadline is near. Every range keeps
    /// what it has when one fails; the first failure is told.
    pub(crate) async fn advance<S: BucketListing, T: BucketListing>(
        &self,
        source: &S,
        target: &T,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let mut walks: Vec<BoxFuture<'_, Result<(), Failure>>> = Vec::new();
        for range in &mut progress.ranges {
            if !range.is_done {
                walks.push(Box::pin(self.walk(source, target, range)));
            }
        }
        let outcomes: Vec<Result<(), Failure>> = stream::iter(walks)
            .buffer_unordered(RANGES_AT_ONCE)
            .collect()
            .await;
        outcomes.into_iter().collect()
    }

    async fn walk<S: BucketListing, T: BucketListing>(
        &self,
        source: &S,
        target: &T,
        range: &mut ProvenRange,
    ) -> Result<(), Failure> {
        let pair = &self.spec.pair;
        let mut sources = SideWalk::new(source, Side::Source, &pair.source.prefix, &range.rest);
        let mut targets = SideWalk::new(target, Side::Target, &pair.target.prefix, &range.rest);
        // What is found counts together with how far the walk came, page by page: a page that fails half-way is walked
        // again, and nothing counts twice.
        let mut found = range.found;
        while let Some(object) = sources.next().await? {
            let relative = relative(&object.key, &pair.source.prefix)?;
            let is_past = |until: &RelativeKey| relative > until.as_str();
            if range.rest.until.as_ref().is_some_and(is_past) {
                break;
            }
            if range.rest.contains(relative) && self.filter.admits(relative, &object) {
                let copy = targets.seek(relative).await?;
                self.judge(&object, copy.as_ref(), &mut found);
            }
            if sources.page.is_empty() && range.rest.contains(relative) {
                range.found = found;
                range.rest.after = Some(relative_key(relative)?);
                if self.deadline.is_near(self.clock.now()) {
                    return Ok(());
                }
            }
        }
        range.found = found;
        range.is_done = true;
        Ok(())
    }

    fn judge(&self, source: &ListedObject, copy: Option<&ListedObject>, found: &mut Findings) {
        let wrong = match copy {
            None => &mut found.missing,
            Some(copy) if self.is_other(source, copy) => &mut found.different,
            Some(_) => return,
        };
        if self.answers_for(source) {
            *wrong += 1;
        } else {
            found.changed_since_start += 1;
        }
    }

    /// Whether a plan of this run, or the listing that a rerun goes back to, saw this version of the object.
    ///
    /// Listings tell whole seconds, rounded down. What was written in the second in which the run began counts as
    /// planned: a false alarm is better than a loss explained away.
    fn answers_for(&self, source: &ListedObject) -> bool {
        let rerun = self.spec.rerun.as_ref();
        let listed_since = rerun.map_or(self.run_started_at, |rerun| rerun.listed_since);
        source.modified_at < listed_since
            || (source.modified_at < self.run_started_at && self.replanned.holds(&source.key))
    }

    /// A copy is written after its source was; unlike in planning, the same second is no reason to doubt.
    fn is_other(&self, source: &ListedObject, copy: &ListedObject) -> bool {
        let is_older = copy.modified_at < source.modified_at;
        source.size_bytes != copy.size_bytes
            || match self.spec.compare {
                Compare::Size => false,
                Compare::SizeAndMtime => is_older,
                Compare::Etag => is_older && source.etag != copy.etag,
            }
    }
}

fn relative_key(relative: &str) -> Result<RelativeKey, Failure> {
    RelativeKey::new(relative).map_err(|error| Failure::invariant(error.to_string()))
}

fn relative<'k>(key: &'k ObjectKey, prefix: &KeyPrefix) -> Result<&'k str, Failure> {
    key.relative_to(prefix).ok_or_else(|| {
        Failure::new(
            FailureCode::ListingIncomplete,
            format!("the listing of {prefix:?} holds {key:?}, which lies outside it"),
        )
    })
}

/// One listing, object by object. One page is in memory at a time.
struct SideWalk<'a, B> {
    bucket: &'a B,
    side: Side,
    prefix: &'a KeyPrefix,
    after: Option<ObjectKey>,
    page: VecDeque<ListedObject>,
    is_exhausted: bool,
}

impl<'a, B: BucketListing> SideWalk<'a, B> {
    fn new(bucket: &'a B, side: Side, prefix: &'a KeyPrefix, range: &KeyRange) -> Self {
        Self {
            bucket,
            side,
            prefix,
            // A bound too long to be a key on this side: then what lies before the range is listed too, and passed over.
            after: range
                .after
                .as_ref()
                .and_then(|after| prefix.join(after.as_str()).ok()),
            page: VecDeque::new(),
            is_exhausted: false,
        }
    }

    async fn next(&mut self) -> Result<Option<ListedObject>, Failure> {
        self.fill().await?;
        Ok(self.page.pop_front())
    }

    /// The object with this key below the prefix, if there is one; everything before it is passed over.
    async fn seek(&mut self, wanted: &str) -> Result<Option<ListedObject>, Failure> {
        loop {
            self.jump(wanted);
            self.fill().await?;
            let Some(object) = self.page.front() else {
                return Ok(None);
            };
            match relative(&object.key, self.prefix)?.cmp(wanted) {
                std::cmp::Ordering::Less => self.page.pop_front(),
                std::cmp::Ordering::Equal => return Ok(self.page.pop_front()),
                std::cmp::Ordering::Greater => return Ok(None),
            };
        }
    }

    /// Lets the next page begin close before `wanted`, so that any number of keys that the other side lacks is passed
    /// over in one call.
    fn jump(&mut self, wanted: &str) {
        if !self.page.is_empty() {
            return;
        }
        // Too long for a key on this side: then nothing is jumped over.
        let wanted = self.prefix.join(wanted).ok();
        if let Some(before) = wanted.and_then(|wanted| wanted.just_before())
            && self.after.as_ref().is_none_or(|after| before > *after)
        {
            self.after = Some(before);
        }
    }

    /// Reads the next page when this one is used up. Keys that do not ascend are never taken for a listing (P11).
    async fn fill(&mut self) -> Result<(), Failure> {
        while self.page.is_empty() && !self.is_exhausted {
            let request = ListRequest {
                prefix: self.prefix.clone(),
                after: self.after.clone(),
            };
            let page = self.bucket.list_page(&request).await.map_err(|fault| {
                listing_failure(fault, self.side)
                    .within(format!("listing the {} for the proof", self.side))
            })?;
            for object in &page.objects {
                if self
                    .after
                    .as_ref()
                    .is_some_and(|after| object.key <= *after)
                {
                    return Err(self.broken(&format!("{:?} does not follow", object.key)));
                }
                self.after = Some(object.key.clone());
            }
            if page.is_truncated && page.objects.is_empty() {
                return Err(self.broken("an empty page says that more follows"));
            }
            self.is_exhausted = !page.is_truncated;
            self.page = page.objects.into();
        }
        Ok(())
    }

    fn broken(&self, problem: &str) -> Failure {
        Failure::new(
            FailureCode::ListingIncomplete,
            format!(
                "listing the {} for the proof, after {:?}: {problem}",
                self.side, self.after
            ),
        )
    }
}
