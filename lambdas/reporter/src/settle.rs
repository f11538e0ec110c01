//! Adds the shards of a run up, page by page.

use futures::{Stream, TryStreamExt, stream};
use shardlift_core::{
    failure::Failure, port::Ledger, report::settlement::Settlement, run::record::RunRecord,
    shard::ShardRecord, value::id::RunId,
};

/// Every shard of a run, in the ledger's order, which is the same each time. One page is in memory at a time.
pub(crate) fn shards<'a, L: Ledger>(
    ledger: &'a L,
    run_id: &'a RunId,
) -> impl Stream<Item = Result<ShardRecord, Failure>> + Send + 'a {
    /// Where the next page begins; nothing once the last page was read.
    enum Next {
        First,
        From(String),
        Nothing,
    }
    let pages = stream::try_unfold(Next::First, move |next| async move {
        let from = match &next {
            Next::First => None,
            Next::From(from) => Some(from.as_str()),
            Next::Nothing => return Ok::<_, Failure>(None),
        };
        let page = ledger
            .read_shards(run_id, from)
            .await
            .map_err(|fault| fault.into_failure().within("reading the shards of the run"))?;
        let next = page.next.map_or(Next::Nothing, Next::From);
        Ok(Some((stream::iter(page.items.into_iter().map(Ok)), next)))
    });
    pages.try_flatten()
}

/// The sums over the ledger, held against the plan.
pub(crate) async fn settle<L: Ledger>(ledger: &L, run: &RunRecord) -> Result<Settlement, Failure> {
    let mut sums = shards(ledger, &run.run_id)
        .try_fold(Settlement::default(), |mut sums, shard| async move {
            sums.add(&shard);
            Ok(sums)
        })
        .await?;
    sums.hold_against(&run.totals);
    Ok(sums)
}
