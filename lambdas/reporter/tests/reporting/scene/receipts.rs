//! What the copiers of the run vouched for: what the target holds of their settled objects while its history is made.

use shardlift_core::{
    documents::{
        RunDocuments,
        receipt::{Receipt, ReceiptOutcome, TargetVersion},
    },
    shard::{ShardRecord, ShardWork},
    value::{
        key::{ObjectKey, RelativeKey},
        object::ETag,
        set_sum::SetSum,
    },
};

use super::{
    Scene,
    objects::{shard_id, target_key},
    run_id, wait,
};

/// The fencing token of the copiers.
const TOKEN: u64 = 2;

impl Scene {
    /// Writes the receipts of a shard, and has its record vouch for what was copied.
    pub(super) fn write_receipts(&self, shard: u32, record: &mut ShardRecord) {
        let objects = self.objects[shard as usize];
        let deletes = record.work == ShardWork::DeleteObjects;
        (record.outcome.vouched, record.outcome.beside) = <(SetSum, SetSum)>::default();
        let mut receipts = Vec::new();
        for index in 0..objects {
            let version = self.at_target(&target_key(shard, index));
            let key = RelativeKey::new(format!("{shard}-{index}")).unwrap();
            if let Some(version) = version.as_ref().filter(|_| deletes) {
                let beside = &mut record.outcome.beside;
                beside.add_object(key.as_str(), &version.etag, version.size_bytes);
            }
            if !record.outcome.progress.is_settled(index) {
                continue;
            }
            let mut receipt = match version {
                Some(version) if !deletes => {
                    let vouched = &mut record.outcome.vouched;
                    vouched.add_object(key.as_str(), &version.etag, version.size_bytes);
                    Receipt::of(key, ReceiptOutcome::Copied).at_target(version)
                }
                None if deletes => Receipt::of(key, ReceiptOutcome::Deleted),
                _ => Receipt::of(key, ReceiptOutcome::Failed),
            };
            receipt.index = Some(index);
            receipts.push(receipt);
        }
        let run_id = run_id();
        let documents = RunDocuments::new(&self.reporter.control, &run_id);
        let id = shard_id(shard);
        let written = documents.write_receipts(&id, TOKEN, &receipts);
        record.outcome.receipts_key = Some(wait(written).unwrap());
    }

    /// The list of a shard's receipts has one for each of its objects, copied as nothing that is there, whatever its record
    /// counts: its copier died before it could write the record.
    pub(crate) fn claim_receipts(&self, shard: u32) {
        let counted = self.shard(shard).outcome.receipts_key;
        let run_id = run_id();
        let documents = RunDocuments::new(&self.reporter.control, &run_id);
        let mut receipts: Vec<Receipt> = wait(documents.list(counted.as_deref())).unwrap();
        let is_counted = |index| receipts.iter().any(|known| known.index == Some(index));
        let objects = 0..self.objects[shard as usize];
        let claimed: Vec<Receipt> = objects
            .filter(|&index| !is_counted(index))
            .map(|index| {
                let key = RelativeKey::new(format!("{shard}-{index}")).unwrap();
                let mut receipt =
                    Receipt::of(key, ReceiptOutcome::Copied).at_target(TargetVersion {
                        etag: ETag::new("claimed").unwrap(),
                        version_id: None,
                        size_bytes: 1,
                    });
                receipt.index = Some(index);
                receipt
            })
            .collect();
        receipts.extend(claimed);
        let id = shard_id(shard);
        let written = documents.write_receipts(&id, TOKEN, &receipts);
        assert_eq!(Some(wait(written).unwrap()), counted);
    }

    fn at_target(&self, key: &str) -> Option<TargetVersion> {
        let objects = self.buckets.objects("target");
        let object = objects.get(&ObjectKey::new(key).unwrap())?;
        Some(TargetVersion {
            etag: object.attributes.etag.clone(),
            version_id: None,
            size_bytes: object.attributes.size_bytes,
        })
    }
}
