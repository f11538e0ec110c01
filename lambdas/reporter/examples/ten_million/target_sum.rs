//! What the target holds: the copiers of the run vouch for it.

use futures::{StreamExt, stream};
use shardlift_core::{
    access::policy::session::{SessionWork, session_policy},
    plan::range::KeyRange,
    port::{Accounts, BucketListing, SessionName},
    run::record::RunRecord,
    value::{key::RelativeKey, set_sum::SetSum},
    verify::{ListedRanges, ListingStep, RangeListing},
};

/// The ranges of the plan: a planner of ten million even keys has some 180.
pub(crate) const RANGES: u32 = 64;
/// How many of them are listed at once.
const RANGES_AT_ONCE: usize = 16;

/// Where a range ends and the next one begins.
pub(crate) fn bound(number: u32) -> Option<RelativeKey> {
    (1..RANGES)
        .contains(&number)
        .then(|| RelativeKey::new(format!("{:02x}", number * 256 / RANGES)).unwrap())
}

/// The sum of the target.
pub(crate) async fn sum_of_target<A: Accounts>(accounts: &A, run: &RunRecord) -> SetSum {
    let session = SessionName::of_step("report", &run.run_id);
    let policy = session_policy(&run.spec, SessionWork::Report);
    let target = accounts
        .reopen_target(run, &session, &policy)
        .await
        .unwrap();
    let prefix = &run.spec.pair.target.prefix;
    let bounds = (0..RANGES).map(|number| KeyRange {
        after: bound(number),
        until: bound(number + 1),
    });
    let mut ranges = ListedRanges::begin(bounds.collect(), 0);
    let walks = ranges.unfinished().map(|range| async {
        let mut listing = RangeListing::resume(range, prefix);
        loop {
            match listing.advance().unwrap() {
                ListingStep::List(request) => {
                    let page = target.list_page(&request).await.unwrap();
                    listing.feed(page).unwrap();
                }
                ListingStep::PageEnd => {}
                ListingStep::Done => return,
            }
        }
    });
    stream::iter(walks)
        .buffer_unordered(RANGES_AT_ONCE)
        .collect::<Vec<()>>()
        .await;
    ranges.seen()
}
