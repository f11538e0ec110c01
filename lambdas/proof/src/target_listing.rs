//! Lists the target, many ranges at once.

use std::future::Future;

use futures::{StreamExt, future::BoxFuture, stream};
use shardlift_core::{
    failure::{Context, Failure, fault::CallFault},
    port::{BucketListing, Clock, ListRequest, ObjectPage},
    value::{deadline::Deadline, key::KeyPrefix},
    verify::{ListedRange, ListedRanges, ListingStep, RangeListing},
};

/// How many ranges are walked at once; S3 lists some 5,500 pages a second under a prefix.
const RANGES_AT_ONCE: usize = 16;

/// The target, and until when it is listed.
#[derive(Debug)]
pub struct TargetListing<'a, T, K> {
    /// The bucket.
    pub target: &'a T,
    /// What is listed of it.
    pub prefix: &'a KeyPrefix,
    /// The time.
    pub clock: &'a K,
    /// When no other page is begun.
    pub deadline: Deadline,
    /// What a page that cannot be listed means to whoever asked.
    pub failure_of: fn(CallFault) -> Failure,
}

impl<T: BucketListing, K: Clock> TargetListing<'_, T, K> {
    /// Walks what is left of the ranges until they are listed or the deadline is near. Every range keeps what it has when
    /// one fails.
    ///
    /// # Errors
    /// The first failure.
    pub async fn advance(&self, ranges: &mut ListedRanges) -> Result<(), Failure> {
        let mut walks: Vec<BoxFuture<'_, Result<(), Failure>>> = Vec::new();
        for range in ranges.unfinished() {
            walks.push(Box::pin(self.walk(range)));
        }
        at_once(walks).await
    }

    async fn walk(&self, range: &mut ListedRange) -> Result<(), Failure> {
        let mut listing = RangeListing::resume(range, self.prefix);
        loop {
            match listing.advance()? {
                ListingStep::List(request) => {
                    let page = self.page(&request).await;
                    page.and_then(|page| listing.feed(page))
                        .context("listing the target")?;
                }
                ListingStep::PageEnd if self.is_ending() => return Ok(()),
                ListingStep::PageEnd => {}
                ListingStep::Done => return Ok(()),
            }
        }
    }

    /// One page of the target.
    ///
    /// # Errors
    /// Why it cannot be listed.
    pub(crate) async fn page(&self, request: &ListRequest) -> Result<ObjectPage, Failure> {
        self.target
            .list_page(request)
            .await
            .map_err(self.failure_of)
    }

    /// Whether the deadline is near.
    pub(crate) fn is_ending(&self) -> bool {
        self.deadline.is_near(self.clock.now())
    }
}

/// Drives walks, [`RANGES_AT_ONCE`] at once, each to its end.
///
/// # Errors
/// The first failure.
pub(crate) async fn at_once<F: Future<Output = Result<(), Failure>>>(
    walks: Vec<F>,
) -> Result<(), Failure> {
    let outcomes: Vec<Result<(), Failure>> = stream::iter(walks)
        .buffer_unordered(RANGES_AT_ONCE)
        .collect()
        .await;
    outcomes.into_iter().collect()
}
