//! What the plan left as it stood at the target.

use shardlift_core::{
    documents::{RunDocuments, receipt},
    plan::KeptRecord,
    port::{Ledger, PlanStep, PutOutcome},
    value::{
        id::ShardId,
        key::{KeyPrefix, ObjectKey},
    },
};

use super::{Scene, run_id, wait};

impl Scene {
    /// The target has these keys below its prefix: the first ones are the same as those of the source, the others stand beside.
    pub(crate) fn keep(&self, number: u32, same: &[String], beside: &[String]) {
        let prefix = KeyPrefix::new("out/").unwrap();
        let mut lines = receipt::KeptLines::default();
        for (relative, is_same) in same
            .iter()
            .map(|key| (key, true))
            .chain(beside.iter().map(|key| (key, false)))
        {
            let key = ObjectKey::new(format!("{}{relative}", prefix.as_str())).unwrap();
            self.buckets.put("target", key.as_str(), relative, 3);
            let object = self.buckets.objects("target")[&key].listed(&key);
            if is_same {
                lines.push_same(relative, &object);
            } else {
                lines.push_beside(relative, &object);
            }
        }
        let (run_id, list_id) = (run_id(), ShardId::new(format!("9-{number}")).unwrap());
        let documents = RunDocuments::new(&self.reporter.control, &run_id);
        let encoded = receipt::encode_kept([&lines]).unwrap();
        wait(documents.write_kept(&list_id, encoded)).unwrap();
        let record = KeptRecord::new(run_id.clone(), list_id, (lines.same, lines.beside), 0);
        let step = PlanStep {
            kept: vec![record],
            ..PlanStep::default()
        };
        let written = wait(self.ledger.commit_plan(&step)).unwrap();
        assert_eq!(written, PutOutcome::Written);
    }
}
