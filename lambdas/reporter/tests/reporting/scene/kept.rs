//! What the plan left as it stood at the target.

use shardlift_core::{
    documents::{RunDocuments, receipt},
    plan::KeptRecord,
    port::{Ledger, PlanStep, PutOutcome},
    value::{id::ShardId, key::ObjectKey, object::ListedObject},
};

use super::{Scene, run_id, wait};

impl Scene {
    /// The target has these keys below its prefix: the first ones are the same as those of the source, the others stand beside.
    pub(crate) fn keep(&self, number: u32, same: &[String], beside: &[String]) {
        let mut objects = Vec::new();
        for relative in same.iter().chain(beside) {
            let key = ObjectKey::new(format!("out/{relative}")).unwrap();
            self.buckets.put("target", key.as_str(), relative, 3);
            let object = self.buckets.objects("target")[&key].listed(&key);
            objects.push((relative.clone(), object));
        }
        self.keep_listed(number, &objects, |at| at < same.len());
    }

    /// The plan found these objects at the target; `is_same` tells by its position whether one is the same as at the source.
    pub(crate) fn keep_listed(
        &self,
        number: u32,
        objects: &[(String, ListedObject)],
        is_same: impl Fn(usize) -> bool,
    ) {
        let mut lines = receipt::KeptLines::default();
        for (at, (relative, object)) in objects.iter().enumerate() {
            if is_same(at) {
                lines.push_same(relative, object, None);
            } else {
                lines.push_beside(relative, object);
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
