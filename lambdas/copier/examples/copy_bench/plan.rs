//! Lists a source and cuts it into shards, without comparing anything, in a process of its own.

use serde::Deserialize;
use shardlift_aws::AwsAccounts;
use shardlift_core::{
    documents::{control_key, manifest::Manifest},
    port::{
        Accounts, BucketListing, ControlStore, ListRequest, SessionName, SourceBucket, TargetBucket,
    },
    run::{
        input::RunInput,
        record::{PairEncryption, PlanTotals, RunRecord, RunState},
        spec::RunSpec,
    },
    shard::{ShardRecord, ShardWork},
    value::{
        id::ShardId, key::ObjectKey, object::ListedObject, tally::Count, time::Timestamp,
        version::LEDGER_VERSION,
    },
};

use crate::{execution, folder::Folder, run_id};

/// What to plan.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Task {
    /// The input of a run.
    input: serde_json::Value,
    /// The most objects of all shards together, and those of one.
    objects_max: usize,
    shard_objects: usize,
    /// The shards of the run, where these are some of them.
    run_shards: Option<u64>,
}

pub(crate) async fn plan(task: &Task, accounts: &AwsAccounts, folder: &Folder) {
    let spec = RunSpec::settle(RunInput::parse(&task.input).unwrap()).unwrap();
    let pair = spec.pair.clone();
    let source = accounts.open_source(&pair.source).await.unwrap();
    let session = SessionName::of_step("bench", &run_id());
    let target = accounts
        .open_target(&pair.target, &pair.source, &session, None)
        .await
        .unwrap();
    let mut run = RunRecord {
        schema_version: LEDGER_VERSION,
        run_id: run_id(),
        execution_arn: execution(),
        started_at: Timestamp::default(),
        spec,
        source: source.facts().clone(),
        target: target.facts().clone(),
        encryption: PairEncryption::default(),
        renditions_since: None,
        state: RunState::Planned,
        totals: PlanTotals::default(),
        expires_at: 0,
        revision: 1,
    };
    let (mut shards, mut open) = (Vec::new(), Vec::new());
    let (mut after, mut left): (Option<ObjectKey>, usize) = (None, task.objects_max);
    loop {
        let prefix = pair.source.prefix.clone();
        let page = source
            .list_page(&ListRequest { prefix, after })
            .await
            .unwrap();
        after = page.objects.last().map(|object| object.key.clone());
        let before = open.len();
        open.extend(page.objects.into_iter().take(left));
        left -= open.len() - before;
        while open.len() >= task.shard_objects {
            let rest = open.split_off(task.shard_objects);
            shards.push(write_manifest(folder, shards.len(), open).await);
            open = rest;
        }
        if !page.is_truncated || left == 0 {
            break;
        }
    }
    if !open.is_empty() {
        shards.push(write_manifest(folder, shards.len(), open).await);
    }
    run.totals.shards = task.run_shards.unwrap_or(shards.len() as u64);
    folder.write_records(&run, &shards);
}

async fn write_manifest(folder: &Folder, number: usize, objects: Vec<ListedObject>) -> ShardRecord {
    let shard_id = ShardId::new(format!("1-{number}")).unwrap();
    let mut planned = Count::default();
    for object in &objects {
        planned.add_object(object.size_bytes);
    }
    let manifest = Manifest {
        run_id: run_id(),
        shard_id: shard_id.clone(),
        objects,
    };
    let key = control_key::manifest(&run_id(), &shard_id);
    let body = manifest.encode().unwrap();
    folder.put(&key, "application/zstd", body).await.unwrap();
    ShardRecord::ready(run_id(), shard_id, ShardWork::CopyObjects, planned, 0)
}
