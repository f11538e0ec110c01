//! Documents of a run in the control bucket: manifests, and lists of receipts and failures.

use shardlift_core::{
    documents::{json_lines, manifest::Manifest, receipt::Receipt},
    failure::FailureCode,
    value::id::{RunId, ShardId},
};

use crate::refusal::assert_refusal;

/// A manifest that is read is written and read again as the same. The bytes are taken as they are and, so that more than
/// zstd's own checks are reached, as a text that is yet to be compressed.
pub(crate) fn run_document(bytes: &[u8]) {
    read(bytes);
    let compressed = json_lines::compress([bytes]).expect("bytes can be compressed");
    read(&compressed);
}

fn read(bytes: &[u8]) {
    let run = RunId::new("nightly").expect("an id of a run");
    let shard: ShardId = serde_json::from_str("\"s-00001\"").expect("an id of a shard");
    match Manifest::decode(bytes, &run, &shard) {
        Ok(manifest) => {
            let written = manifest.encode().expect("a manifest can be written");
            assert_eq!(
                Manifest::decode(&written, &run, &shard).as_ref(),
                Ok(&manifest)
            );
        }
        Err(failure) => assert_refusal(&failure, FailureCode::InvariantViolated),
    }
    if let Ok(receipts) = json_lines::decode::<Receipt>(bytes) {
        for receipt in receipts {
            if receipt.is_err() {
                break;
            }
        }
    }
}
