//! Where things lie in the control bucket: everything of a run under `runs/<run id>/`.

use crate::value::id::{RunId, ShardId};

/// The folder of a run, with its trailing slash; the `report.prefix` of the report.
#[must_use]
pub fn run_folder(run_id: &RunId) -> String {
    format!("runs/{run_id}/")
}

/// The manifest of a shard; the shard determines the name, so a repeated write is the same write.
#[must_use]
pub fn manifest(run_id: &RunId, shard_id: &ShardId) -> String {
    format!("runs/{run_id}/manifests/{shard_id}.jsonl.zst")
}

/// What is known of the list that names the objects of the run. It lies beside the manifests that are made from it, where the
/// planner may read and write.
#[must_use]
pub fn list_survey(run_id: &RunId) -> String {
    format!("runs/{run_id}/manifests/list-survey.json")
}

/// A block of a sorted run of that list. Each invocation gives its runs names of its own.
#[must_use]
pub fn list_block(run_id: &RunId, run: &str, block: usize) -> String {
    format!("runs/{run_id}/manifests/list-sorted/{run}-{block}.zst")
}

/// The failed objects of a shard as the holder of `token` knew them; another holder writes another object.
#[must_use]
pub fn failures(run_id: &RunId, shard_id: &ShardId, token: u64) -> String {
    format!("runs/{run_id}/failures/{shard_id}/{token}.jsonl.zst")
}

/// The notes on copied objects of a shard, as the holder of `token` knew them.
#[must_use]
pub fn notes(run_id: &RunId, shard_id: &ShardId, token: u64) -> String {
    format!("runs/{run_id}/notes/{shard_id}/{token}.jsonl.zst")
}

/// The receipts of a shard's objects, as the holder of `token` knew them.
#[must_use]
pub fn receipts(run_id: &RunId, shard_id: &ShardId, token: u64) -> String {
    format!("runs/{run_id}/receipts/{shard_id}/{token}.jsonl.zst")
}

/// Those receipts of a shard's objects that its record counts, where the list of its last copier has others too.
#[must_use]
pub fn counted_receipts(run_id: &RunId, shard_id: &ShardId) -> String {
    format!("runs/{run_id}/receipts/{shard_id}/counted.jsonl.zst")
}

/// The receipts of the objects that a step of the plan leaves as they stand at the target.
#[must_use]
pub fn kept(run_id: &RunId, list_id: &ShardId) -> String {
    format!("runs/{run_id}/kept/{list_id}.jsonl.zst")
}

/// The keys that differ in a stretch that an audit compared.
#[must_use]
pub fn differences(run_id: &RunId, list_id: &ShardId) -> String {
    format!("runs/{run_id}/differences/{list_id}.jsonl.zst")
}

/// The index that the Map of a round reads.
#[must_use]
pub fn index(run_id: &RunId, round: u32) -> String {
    format!("runs/{run_id}/rounds/{round}/index.json")
}

/// A document of the report, for example `report.json`.
#[must_use]
pub fn report_document(run_id: &RunId, name: &str) -> String {
    format!("runs/{run_id}/{name}")
}
