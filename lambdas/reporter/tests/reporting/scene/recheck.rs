//! What the operator's command finds of a reported run, from the documents in the control bucket.

use std::collections::BTreeMap;

use shardlift_core::{
    access::policy::session::{SessionWork, session_policy},
    documents::{RunDocument, RunDocuments},
    failure::Failure,
    port::{Accounts, SessionName},
    run::option::Mode,
    verify::Difference,
};
use shardlift_proof::{DifferenceSink, Recheck, Rechecked};

use super::{Scene, objects::target_key, run_id, wait};

/// How each key differs.
#[derive(Default)]
struct ByKey(BTreeMap<String, String>);

impl DifferenceSink for ByKey {
    async fn add(&mut self, difference: &Difference) -> Result<(), Failure> {
        let name = difference.kind.name().to_owned();
        let before = self.0.insert(difference.key.as_str().to_owned(), name);
        assert_eq!(before, None, "{difference:?} is told twice");
        Ok(())
    }
}

impl Scene {
    /// The manifest of a shard of deletions names what is at the target, as the planner writes it.
    pub(crate) fn plan_deletions_at_target(&self, shard: u32) {
        let objects = self.buckets.objects("target");
        let begin = target_key(shard, 0).replace("-0", "-");
        let of_shard = objects
            .iter()
            .filter(|(key, _)| key.as_str().starts_with(&begin));
        let listed = of_shard.map(|(key, object)| object.listed(key)).collect();
        wait(self.write_manifest_of(shard, listed));
    }

    /// The index of the lists of receipts.
    pub(crate) fn index_of_receipts(&self) -> String {
        let document = RunDocument::ReceiptIndex.file_name();
        String::from_utf8(self.document(document)).unwrap()
    }

    /// Replaces it.
    pub(crate) fn write_index_of_receipts(&self, text: &str) {
        let run_id = run_id();
        let documents = RunDocuments::new(&self.reporter.control, &run_id);
        let written = documents.write(RunDocument::ReceiptIndex, text.as_bytes().to_vec());
        wait(written).unwrap();
    }

    /// What it finds, and how each key differs.
    pub(crate) async fn recheck(&self) -> Result<(Rechecked, BTreeMap<String, String>), Failure> {
        let (run_id, report) = (run_id(), self.written_report());
        let run = self.ledger.run(&run_id).unwrap();
        let session = SessionName::of_step("report", &run_id);
        let policy = session_policy(&run.spec, SessionWork::Report);
        let target = self
            .reporter
            .accounts
            .reopen_target(&run, &session, &policy);
        let recheck = Recheck {
            control: &self.reporter.control,
            run: &run_id,
            proof: report.proof.as_ref().unwrap(),
            pair: report.pair.as_ref().unwrap(),
            knows_beside: report.mode.unwrap() != Mode::Copy,
            target: &target.await.unwrap(),
            clock: &self.reporter.clock,
            failure_of: Failure::from,
        };
        let mut found = ByKey::default();
        let rechecked = recheck.run(&mut found).await?;
        Ok((rechecked, found.0))
    }
}
