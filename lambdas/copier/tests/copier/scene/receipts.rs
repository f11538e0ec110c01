//! Receipts against what the target really holds.

use shardlift_core::{
    documents::{
        json_lines,
        receipt::{Receipt, ReceiptOutcome},
    },
    shard::ShardRecord,
    value::{key::ObjectKey, set_sum::SetSum},
};

use super::{Scene, TARGET};

impl Scene {
    /// The receipts of a shard that its record counts.
    pub(crate) fn receipts(&self, record: &ShardRecord) -> Vec<Receipt> {
        let Some(key) = &record.outcome.receipts_key else {
            return Vec::new();
        };
        let body = self.control.body(key).expect("the list exists");
        let listed = json_lines::decode::<Receipt>(&body).unwrap();
        let settled = &record.outcome.progress;
        listed
            .map(Result::unwrap)
            .filter(|receipt| settled.is_settled(receipt.index.expect("a position")))
            .collect()
    }

    /// Each settled object has one receipt, these add up to the record's sum, and the target holds what they show.
    pub(crate) fn assert_receipts_are_true(&self, record: &ShardRecord) {
        let receipts = self.receipts(record);
        let settled = record.outcome.progress.settled_count();
        assert_eq!(receipts.len() as u64, settled, "{receipts:?}");
        let at_target = self.buckets.objects(TARGET);
        let mut sum = SetSum::default();
        for receipt in &receipts {
            // The key of a failed object may be too long at the target.
            let key = ObjectKey::new(format!("out/{}", receipt.key.as_str()));
            let object = key.ok().and_then(|key| at_target.get(&key));
            if receipt.outcome == ReceiptOutcome::Deleted {
                assert!(object.is_none(), "{receipt:?}");
            }
            if let Some((etag, size_bytes)) = receipt.vouched() {
                let object = object.expect("what was copied is there");
                assert_eq!(*etag, object.attributes.etag, "{receipt:?}");
                assert_eq!(size_bytes, object.attributes.size_bytes, "{receipt:?}");
                sum.add_object(receipt.key.as_str(), etag, size_bytes);
            }
        }
        assert_eq!(sum, record.outcome.vouched);
    }
}
