//! Names every key in which the target differs from what the run vouches for.

use std::sync::{Mutex, PoisonError};

use shardlift_core::{
    failure::{Context, Failure},
    plan::range::KeyRange,
    port::{BucketListing, Clock},
    report::Verification,
    run::{filter::ObjectFilter, record::RunRecord},
    verify::{BatchComparison, Difference, ListedRanges, SegmentBatch, SegmentSums, SegmentWalk},
};

use super::{
    differences_csv::DifferencesCsv,
    receipt_lists::{KnownKey, ReceiptLists},
    target_listing::{TargetListing, at_once},
};
use crate::{invocation::Invocation, ports::Ports};

/// How many objects are compared at once: with keys of 100 bytes, some 60 MB.
const OBJECTS_AT_ONCE: u64 = 200_000;

/// What is compared.
pub(super) struct Explanation<'a, P: Ports, T, K> {
    pub(super) invocation: &'a Invocation<'a, P>,
    pub(super) run: &'a RunRecord,
    pub(super) listing: TargetListing<'a, T, K>,
    pub(super) filter: ObjectFilter,
    /// Whether the plan knows what stands beside, so that what it does not know is foreign.
    pub(super) knows_beside: bool,
}

impl<P: Ports, T: BucketListing, K: Clock> Explanation<'_, P, T, K> {
    /// Looks for all differences between the target and the receipts of the run, and writes `differences.csv`: first by the
    /// segments of a listing that is done, then key by key where these differ. A key that is as it should be by then is no
    /// difference.
    ///
    /// # Errors
    /// When a receipt or the target cannot be read, and when the list cannot be written.
    pub(super) async fn run(&self, listed: &ListedRanges) -> Result<Verification, Failure> {
        let receipts = ReceiptLists {
            invocation: self.invocation,
            run: self.run,
        };
        let mut sums = SegmentSums::of(listed);
        let mut add = |known| {
            if let KnownKey::Receipt(receipt) = known {
                sums.add(&receipt);
            }
        };
        receipts.each(&mut add).await?;
        let mut found = Verification::clean(self.run.spec.verify);
        let mut list = DifferencesCsv::open(self.invocation.documents())?;
        for (number, batch) in sums.batches(OBJECTS_AT_ONCE).into_iter().enumerate() {
            if number > 0 && self.listing.is_ending() {
                found.is_partial = true;
                break;
            }
            for difference in self.compare(&receipts, batch).await? {
                found.add(difference.kind);
                list.add(&difference).await?;
            }
        }
        if found.differences() > 0 || found.is_partial {
            list.finish().await?;
        } else {
            list.abandon().await;
        }
        Ok(found)
    }
    async fn compare(
        &self,
        receipts: &ReceiptLists<'_, P>,
        batch: SegmentBatch,
    ) -> Result<Vec<Difference>, Failure> {
        let segments = batch.segments().to_vec();
        let mut comparison = BatchComparison::new(batch);
        let mut add = |known| match known {
            KnownKey::Receipt(receipt) => comparison.add(receipt),
            KnownKey::Open(key) => comparison.leave_alone(&key),
        };
        receipts.each(&mut add).await?;
        let comparison = Mutex::new(comparison);
        let walks = segments.iter().map(|keys| self.walk(keys, &comparison));
        at_once(walks.collect()).await?;
        let comparison = comparison.into_inner();
        Ok(comparison.unwrap_or_else(PoisonError::into_inner).finish())
    }

    async fn walk(
        &self,
        keys: &KeyRange,
        comparison: &Mutex<BatchComparison>,
    ) -> Result<(), Failure> {
        let mut walk = SegmentWalk::begin(self.listing.prefix, keys);
        let names_foreign = |key: &str| self.knows_beside && self.filter.admits_key(key);
        loop {
            let request = {
                let mut comparison = comparison.lock().unwrap_or_else(PoisonError::into_inner);
                walk.advance(&mut comparison, &names_foreign)
            };
            let Some(request) = request else {
                return Ok(());
            };
            let page = self.listing.page(&request).await;
            page.and_then(|page| walk.feed(page))
                .context("comparing the target")?;
        }
    }
}
