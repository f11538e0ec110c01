//! The shards of a run, read page by page.

use shardlift_core::{
    failure::{Failure, fault::CallFault},
    port::Ledger,
    shard::ShardRecord,
    value::id::RunId,
};

/// Hands every shard of a run to `take`, in no particular order. One page is in memory at a time.
pub(crate) async fn for_each<L: Ledger>(
    ledger: &L,
    run_id: &RunId,
    mut take: impl FnMut(ShardRecord),
) -> Result<(), Failure> {
    let mut from: Option<String> = None;
    loop {
        let page = ledger.read_shards(run_id, from.as_deref()).await;
        let page = page.map_err(CallFault::into_failure)?;
        page.items.into_iter().for_each(&mut take);
        from = page.next;
        if from.is_none() {
            return Ok(());
        }
    }
}
