//! Proves the target complete: lists both sides again and compares them, streaming.

use std::collections::VecDeque;

use futures::{TryStreamExt, stream};
use shardlift_core::{
    failure::{Failure, FailureCode},
    filter::ObjectFilter,
    key::{KeyPrefix, ObjectKey, RelativeKey},
    object::ListedObject,
    port::{BucketListing, ListRequest},
    range::{KeyRange, start_after},
    report::Verification,
    spec::{Compare, RunSpec},
    time::Timestamp,
};

/// How many ranges are walked at once: two listings each, and S3 lists some 5,500 pages a second under a prefix.
const RANGES_AT_ONCE: usize = 16;

/// What both sides are compared by.
pub(crate) struct Relisting<'a> {
    spec: &'a RunSpec,
    filter: ObjectFilter,
    run_started_at: Timestamp,
}

impl<'a> Relisting<'a> {
    /// The proof of a run that began at `run_started_at`.
    pub(crate) fn new(spec: &'a RunSpec, run_started_at: Timestamp) -> Result<Self, Failure> {
        Ok(Self {
            spec,
            filter: spec.filters.compile()?,
            run_started_at,
        })
    }

    /// Walks `ranges`, which tile the source prefix, on both sides.
    pub(crate) async fn verify<S: BucketListing, T: BucketListing>(
        &self,
        source: &S,
        target: &T,
        ranges: Vec<KeyRange>,
    ) -> Result<Verification, Failure> {
        stream::iter(ranges.into_iter().map(Ok))
            .map_ok(|range| self.verify_range(source, target, range))
            .try_buffer_unordered(RANGES_AT_ONCE)
            .try_fold(
                Verification::clean(self.spec.verify),
                |mut sum, found| async move {
                    sum.missing += found.missing;
                    sum.different += found.different;
                    sum.changed_since_start += found.changed_since_start;
                    Ok(sum)
                },
            )
            .await
    }

    async fn verify_range<S: BucketListing, T: BucketListing>(
        &self,
        source: &S,
        target: &T,
        range: KeyRange,
    ) -> Result<Verification, Failure> {
        let pair = &self.spec.pair;
        let mut sources = Side::new(source, "source", &pair.source.prefix, &range);
        let mut targets = Side::new(target, "target", &pair.target.prefix, &range);
        let mut found = Verification::clean(self.spec.verify);
        while let Some(object) = sources.next().await? {
            let relative = relative(&object.key, &pair.source.prefix)?;
            let is_past = |until: &RelativeKey| relative > until.as_str();
            if range.until.as_ref().is_some_and(is_past) {
                break;
            }
            if !range.contains(relative) || !self.filter.admits(relative, &object) {
                continue;
            }
            let copy = targets.seek(relative).await?;
            self.judge(&object, copy.as_ref(), &mut found);
        }
        Ok(found)
    }

    fn judge(&self, source: &ListedObject, copy: Option<&ListedObject>, found: &mut Verification) {
        let wrong = match copy {
            None => &mut found.missing,
            Some(copy) if self.is_other(source, copy) => &mut found.different,
            Some(_) => return,
        };
        // Listings tell whole seconds, rounded down. What was written in the second in which the run began counts as
        // planned: a false alarm is better than a loss explained away.
        if source.modified_at >= self.run_started_at {
            found.changed_since_start += 1;
        } else {
            *wrong += 1;
        }
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

/// The ranges of a plan when they tile the key space, else the whole of it: the proof does not rest on the plan.
pub(crate) fn tiling(mut ranges: Vec<KeyRange>) -> Vec<KeyRange> {
    ranges.sort_by(|a, b| a.after.cmp(&b.after));
    let meet = ranges
        .windows(2)
        .all(|pair| pair[0].until.is_some() && pair[0].until == pair[1].after);
    let open = ranges.first().is_some_and(|first| first.after.is_none())
        && ranges.last().is_some_and(|last| last.until.is_none());
    if meet && open {
        ranges
    } else {
        vec![KeyRange::default()]
    }
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
struct Side<'a, B> {
    bucket: &'a B,
    name: &'static str,
    prefix: &'a KeyPrefix,
    after: Option<ObjectKey>,
    page: VecDeque<ListedObject>,
    is_exhausted: bool,
}

impl<'a, B: BucketListing> Side<'a, B> {
    fn new(bucket: &'a B, name: &'static str, prefix: &'a KeyPrefix, range: &KeyRange) -> Self {
        Self {
            bucket,
            name,
            prefix,
            after: start_after(prefix, range.after.as_ref()),
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

    /// Reads the next page when this one is used up. Keys that do not ascend are never taken for a listing (P11).
    async fn fill(&mut self) -> Result<(), Failure> {
        while self.page.is_empty() && !self.is_exhausted {
            let request = ListRequest {
                prefix: self.prefix.clone(),
                after: self.after.clone(),
            };
            let page = self.bucket.list_page(&request).await.map_err(|fault| {
                fault
                    .into_failure()
                    .within(format!("listing the {} for the proof", self.name))
            })?;
            for object in &page.objects {
                if self
                    .after
                    .as_ref()
                    .is_some_and(|after| object.key <= *after)
                {
                    return Err(self.broken(format!("{:?} does not follow", object.key)));
                }
                self.after = Some(object.key.clone());
            }
            if page.is_truncated && page.objects.is_empty() {
                return Err(self.broken("an empty page says that more follows".to_owned()));
            }
            self.is_exhausted = !page.is_truncated;
            self.page = page.objects.into();
        }
        Ok(())
    }

    fn broken(&self, problem: String) -> Failure {
        Failure::new(
            FailureCode::ListingIncomplete,
            format!(
                "listing the {} for the proof, after {:?}: {problem}",
                self.name, self.after
            ),
        )
    }
}
