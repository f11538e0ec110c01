//! Names every key in which the target differs from what the run vouches for.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
};

use shardlift_core::{
    documents::receipt::Receipt,
    failure::{Context, Failure},
    plan::range::KeyRange,
    port::{BucketListing, Clock},
    report::Verification,
    run::option::Verify,
    value::set_sum::SetSum,
    verify::{BatchComparison, Difference, ListedRanges, SegmentBatch, SegmentSums, SegmentWalk},
};

use crate::{
    known_keys::{KnownKey, KnownKeys},
    target_listing::{TargetListing, at_once},
};

/// How many objects are compared at once: with keys of 100 bytes, some 60 MB.
const OBJECTS_AT_ONCE: u64 = 200_000;

/// Where the differences go.
pub trait DifferenceSink: Send {
    /// Takes a key that differs. Keys come in batches, each in key order.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn add(&mut self, difference: &Difference) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The differences, counted.
    pub found: Verification,
    /// What the receipts vouch for together.
    pub receipts: SetSum,
}

/// What is compared.
#[derive(Debug)]
pub struct Explanation<'a, T, K, R, F> {
    /// The target.
    pub listing: TargetListing<'a, T, K>,
    /// What the run knows.
    pub known: &'a R,
    /// Whether a key is named of which the run knows nothing.
    pub names_foreign: F,
}

impl<T, K, R, F> Explanation<'_, T, K, R, F>
where
    T: BucketListing,
    K: Clock,
    R: KnownKeys,
    F: Fn(&str) -> bool + Sync,
{
    /// Looks for all differences between the target and what the run knows: first by the segments of a listing that is done,
    /// then key by key where these differ. A key that is as it should be by then is no difference.
    ///
    /// # Errors
    /// When a receipt or the target cannot be read, and when a difference cannot be kept.
    pub async fn run(
        &self,
        listed: &ListedRanges,
        method: Verify,
        sink: &mut impl DifferenceSink,
    ) -> Result<Explained, Failure> {
        let mut sums = SegmentSums::of(listed);
        let mut receipts = SetSum::default();
        let mut add = |known| {
            if let KnownKey::Receipt(receipt) = known {
                add_vouched(&mut receipts, &receipt);
                sums.add(&receipt);
            }
        };
        self.known.each(&mut add).await?;
        let mut found = Verification::clean(method);
        for (number, batch) in sums.batches(OBJECTS_AT_ONCE).into_iter().enumerate() {
            if number > 0 && self.listing.is_ending() {
                found.is_partial = true;
                break;
            }
            for difference in self.compare(batch).await? {
                found.add(difference.kind);
                sink.add(&difference).await?;
            }
        }
        Ok(Explained { found, receipts })
    }

    async fn compare(&self, batch: SegmentBatch) -> Result<Vec<Difference>, Failure> {
        let segments = batch.segments().to_vec();
        let mut comparison = BatchComparison::new(batch);
        let mut add = |known| match known {
            KnownKey::Receipt(receipt) => comparison.add(receipt),
            KnownKey::Open(key) => comparison.leave_alone(&key),
        };
        self.known.each(&mut add).await?;
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
        loop {
            let request = {
                let mut comparison = comparison.lock().unwrap_or_else(PoisonError::into_inner);
                walk.advance(&mut comparison, &self.names_foreign)
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

fn add_vouched(sum: &mut SetSum, receipt: &Receipt) {
    if let Some((etag, size_bytes)) = receipt.vouched() {
        sum.add_object(receipt.key.as_str(), etag, size_bytes);
    }
}
