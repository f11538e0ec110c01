//! Lists what is left of the ranges on both sides, and feeds it to their comparisons.

use futures::{StreamExt, future::BoxFuture, stream};
use shardlift_core::{
    access::denial::listing_failure,
    failure::{Context, Failure, fault::CallFault},
    port::{BucketListing, Clock, ListRequest, ObjectPage, malformed_listing},
    run::pair::Side,
    value::deadline::Deadline,
    verify::{ComparisonStep, RangeComparison, VerifiedRange, VerifiedRanges, VerifyRules},
};

/// How many ranges are walked at once: two listings each, and S3 lists some 5,500 pages a second under a prefix.
const RANGES_AT_ONCE: usize = 16;

/// Both sides, what they are compared by, and until when.
pub(super) struct Relisting<'a, S, T, K> {
    pub(super) source: &'a S,
    pub(super) target: &'a T,
    pub(super) rules: &'a VerifyRules,
    pub(super) clock: &'a K,
    pub(super) deadline: Deadline,
}

impl<S: BucketListing, T: BucketListing, K: Clock> Relisting<'_, S, T, K> {
    /// Walks what is left of the ranges until they are verified or the deadline is near. Every range keeps what it has
    /// when one fails.
    ///
    /// # Errors
    /// The first failure.
    pub(super) async fn advance(&self, ranges: &mut VerifiedRanges) -> Result<(), Failure> {
        let mut walks: Vec<BoxFuture<'_, Result<(), Failure>>> = Vec::new();
        for range in ranges.unfinished() {
            walks.push(Box::pin(self.walk(range)));
        }
        let outcomes: Vec<Result<(), Failure>> = stream::iter(walks)
            .buffer_unordered(RANGES_AT_ONCE)
            .collect()
            .await;
        outcomes.into_iter().collect()
    }

    async fn walk(&self, range: &mut VerifiedRange) -> Result<(), Failure> {
        let mut comparison = RangeComparison::resume(range, self.rules);
        loop {
            match comparison.advance()? {
                ComparisonStep::List(side, request) => {
                    let page = self.list(side, &request).await;
                    let page = page.map_err(|fault| page_failure(side, fault));
                    page.and_then(|page| comparison.feed(side, page))
                        .context(format_args!("listing the {side} again"))?;
                }
                ComparisonStep::PageEnd if self.deadline.is_near(self.clock.now()) => return Ok(()),
                ComparisonStep::PageEnd => {}
                ComparisonStep::Done => return Ok(()),
            }
        }
    }

    async fn list(&self, side: Side, request: &ListRequest) -> Result<ObjectPage, CallFault> {
        match side {
            Side::Source => self.source.list_page(request).await,
            Side::Target => self.target.list_page(request).await,
        }
    }
}

fn page_failure(side: Side, fault: CallFault) -> Failure {
    malformed_listing(side, &fault).unwrap_or_else(|| listing_failure(fault, side))
}
