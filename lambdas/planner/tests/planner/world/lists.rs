//! What a plan lists besides its shards: what it keeps, and in an audit what differs.

use std::collections::BTreeMap;

use shardlift_core::{
    documents::{
        control_key, json_lines,
        receipt::{Receipt, ReceiptOutcome},
    },
    plan::AuditSums,
    value::set_sum::SetSum,
    verify::{Difference, DifferenceKind},
};
use shardlift_testkit::{MemoryControlStore, MemoryLedger};

use super::run_id;

/// The lists of a plan, however it was cut.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct WrittenLists {
    /// What became of each key that stays at the target.
    pub(crate) kept: BTreeMap<String, ReceiptOutcome>,
    /// The sum of those that are the same.
    pub(crate) same: SetSum,
    /// The sum of the others.
    pub(crate) beside: SetSum,
    /// How each key differs, in an audit.
    pub(crate) differences: BTreeMap<String, DifferenceKind>,
    /// Both sides, in an audit.
    pub(crate) audited: AuditSums,
}

impl WrittenLists {
    /// Those that the ledger counts. Checks on the way that lists and sums agree, and that no key is listed twice.
    pub(super) fn of(ledger: &MemoryLedger, control: &MemoryControlStore) -> Self {
        let mut written = Self::default();
        for record in ledger.kept(&run_id()) {
            let (mut same, mut beside) = (SetSum::default(), SetSum::default());
            let key = control_key::kept(&run_id(), &record.list_id);
            for receipt in json_lines::decode::<Receipt>(&body(control, &key)).unwrap() {
                let receipt = receipt.unwrap();
                let sum = match receipt.outcome {
                    ReceiptOutcome::Same => &mut same,
                    ReceiptOutcome::Beside => &mut beside,
                    other => panic!("{other:?} is kept"),
                };
                let (etag, size) = (receipt.etag.as_ref().unwrap(), receipt.size.unwrap());
                sum.add_object(receipt.key.as_str(), etag, size);
                let key = receipt.key.to_string();
                let before = written.kept.insert(key, receipt.outcome);
                assert_eq!(before, None, "{} is kept twice", receipt.key);
            }
            assert_eq!((same, beside), (record.same, record.beside));
            written.same.add(&same);
            written.beside.add(&beside);
            let audited = record.audit.unwrap_or_default();
            written.audited.add(&audited);
            let key = control_key::differences(&run_id(), &record.list_id);
            let body = body(control, &key);
            let differences = json_lines::decode::<Difference>(&body).unwrap();
            let differences: Vec<Difference> = differences.map(Result::unwrap).collect();
            assert_eq!(differences.len() as u64, audited.differences.sum());
            for difference in differences {
                let key = difference.key.to_string();
                let before = written.differences.insert(key, difference.kind);
                assert_eq!(before, None, "{} differs twice", difference.key);
            }
        }
        written
    }
}

/// A list; nothing where there is no such list.
fn body(control: &MemoryControlStore, key: &str) -> Vec<u8> {
    let empty = || json_lines::compress([]).unwrap();
    control.body(key).unwrap_or_else(empty)
}
