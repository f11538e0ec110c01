//! What may have become of a run before its reporter is called.

use std::collections::BTreeMap;

use shardlift_core::{
    documents::{
        control_key,
        failure_list::{self, FailedObject},
    },
    failure::FailureCode,
    port::{Accounts, ControlStore, Ledger, PutOutcome, SessionName, TargetBucket, UploadSpec},
    run::record::{PlanTotals, RunRecord, RunState},
    shard::{OpenUpload, ShardOutcome, ShardState, ShardWork},
    value::{id::UploadId, key::ObjectKey, skips::SkipReason, time::Timestamp},
};

use super::{
    BEGAN_AT, COPIED_AT, REPORTED_AT, Scene,
    objects::{key, shard_id, size, target_key},
    run_id, wait,
};

/// An object that failed: its shard, its position there, and why.
pub(crate) struct FailedAt(pub(crate) u32, pub(crate) u32, pub(crate) FailureCode);

impl Scene {
    /// Every shard is done, every object at the target.
    pub(crate) fn copy_everything(&self) {
        self.buckets.set_time(COPIED_AT);
        for (shard, &objects) in (0u32..).zip(&self.objects) {
            for index in 0..objects {
                self.buckets
                    .put("target", &target_key(shard, index), "body", size(index));
            }
            self.change(shard, |record| {
                record.state = ShardState::Done;
                record.attempts = 1;
                for index in 0..objects {
                    record.outcome.progress.settle(index);
                    record.outcome.tally.copied.add_object(size(index));
                }
            });
        }
    }

    /// An object changed after it was planned, and was copied in its newer version.
    pub(crate) fn change_at_source(&self, shard: u32, index: u32, size_bytes: u64) {
        for (bucket, key) in [
            ("source", key(shard, index)),
            ("target", target_key(shard, index)),
        ] {
            self.buckets.put(bucket, &key, "newer", size_bytes);
        }
        self.change(shard, |record| {
            record.outcome.newer.add_object(size(index), size_bytes);
            let noted = record.outcome.notes.entry("copied_newer".to_owned());
            *noted.or_default() += 1;
        });
    }

    /// An object was gone when its copy began.
    pub(crate) fn remove_at_source(&self, shard: u32, index: u32) {
        self.buckets.remove("source", &key(shard, index));
        self.buckets.remove("target", &target_key(shard, index));
        self.change(shard, |record| {
            let tally = &mut record.outcome.tally;
            tally.copied.objects -= 1;
            tally.copied.bytes -= size(index);
            let reason = SkipReason::GoneAtSource;
            tally.skipped.add_object(reason, size(index));
        });
    }

    /// Some objects of finished shards were not copied after all.
    pub(crate) fn fail(&self, failed: &[FailedAt]) {
        for shard in 0..u32::try_from(self.objects.len()).unwrap() {
            let mut list: Vec<FailedObject> = failed
                .iter()
                .filter(|failed| failed.0 == shard)
                .map(|&FailedAt(_, index, code)| failed_object(shard, index, code))
                .collect();
            list.sort_by_key(|object| object.index);
            if !list.is_empty() {
                self.fail_objects(shard, &list);
            }
        }
    }

    fn fail_objects(&self, shard: u32, list: &[FailedObject]) {
        let path = control_key::failures(&run_id(), &shard_id(shard), 2);
        let body = failure_list::encode(list).unwrap();
        wait(self.reporter.control.put(&path, "application/zstd", body)).unwrap();
        self.change(shard, |record| {
            for object in list {
                self.buckets
                    .remove("target", &target_key(shard, object.index));
                record.outcome.tally.copied.objects -= 1;
                record.outcome.tally.copied.bytes -= object.size;
                record
                    .outcome
                    .tally
                    .failed
                    .add_object(object.code, object.size);
                record.outcome.retryable += u64::from(object.is_retryable());
            }
            record.outcome.failures_key = Some(path);
        });
    }

    /// The shards were copied one after the other, a few at a time, at their own paces.
    pub(crate) fn spread_over_time(&self) {
        let whole_ms = i64::try_from(REPORTED_AT.since(BEGAN_AT).as_millis()).unwrap();
        let shards = i64::try_from(self.objects.len()).unwrap();
        for shard in 0..u32::try_from(self.objects.len()).unwrap() {
            let at = i64::from(shard);
            let begun_ms = BEGAN_AT.as_millis() + whole_ms / 10 + at * whole_ms * 6 / 10 / shards;
            let took_ms = whole_ms / 30 * (1 + at * 5 % 4);
            self.change(shard, |record| {
                record.begun_at = Some(Timestamp::from_millis(begun_ms));
                record.ended_at = Some(Timestamp::from_millis(begun_ms + took_ms));
            });
        }
    }

    /// An object of a finished shard failed under another key and with another detail than it has: hostile texts.
    pub(crate) fn fail_with(&self, shard: u32, index: u32, text: &str) {
        let mut object = failed_object(shard, index, FailureCode::ObjectUnsupported);
        object.key = ObjectKey::new(text).unwrap();
        object.detail = text.to_owned();
        self.fail_objects(shard, &[object]);
    }

    /// A copier died after so many objects of the shard.
    pub(crate) fn leave_undone(&self, shard: u32, copied: u32) {
        let objects = self.objects[shard as usize];
        for index in copied..objects {
            self.buckets.remove("target", &target_key(shard, index));
        }
        self.change(shard, |record| {
            record.state = ShardState::Copying;
            record.outcome = ShardOutcome::default();
            for index in 0..copied {
                record.outcome.progress.settle(index);
                record.outcome.tally.copied.add_object(size(index));
            }
        });
    }

    /// The copier of a shard that was left undone lives, and copies the rest.
    pub(crate) fn finish(&self, shard: u32, copied: u32) {
        let objects = self.objects[shard as usize];
        for index in copied..objects {
            self.buckets
                .put("target", &target_key(shard, index), "body", size(index));
        }
        self.change(shard, |record| {
            record.state = ShardState::Done;
            for index in copied..objects {
                record.outcome.progress.settle(index);
                record.outcome.tally.copied.add_object(size(index));
            }
        });
    }

    /// An unfinished multipart upload to this key, which no record names.
    pub(crate) fn leave_upload(&self, target_key: &str) -> UploadId {
        let run = self.ledger.run(&run_id()).unwrap();
        let pair = &run.spec.pair;
        let session = SessionName::of_step("copy", &run_id());
        let target = self
            .reporter
            .accounts
            .open_target(&pair.target, &pair.source, &session, None);
        let upload = UploadSpec {
            target_key: ObjectKey::new(target_key).unwrap(),
            headers: BTreeMap::new(),
            metadata: BTreeMap::new(),
            tags: BTreeMap::new(),
            storage_class: None,
            kms_key_arn: None,
            sse: None,
            acl: None,
            checksum_algorithm: None,
        };
        let created = wait(wait(target).unwrap().create_upload(&upload));
        created.unwrap().id
    }

    /// An unfinished multipart upload of an object, which the shard's record knows.
    pub(crate) fn leave_recorded_upload(&self, shard: u32, index: u32) {
        let upload_id = self.leave_upload(&target_key(shard, index));
        self.change(shard, |record| {
            record.outcome.uploads = vec![OpenUpload {
                index,
                upload_id,
                is_without_tags: false,
                is_tagged_later: false,
                created_at: None,
                completing: None,
                newer: None,
            }];
        });
    }

    /// A shard deletes instead of copying: its objects are at the target alone, and it waits.
    pub(crate) fn make_deletions(&self, shard: u32) {
        let objects = self.objects[shard as usize];
        for index in 0..objects {
            self.buckets.remove("source", &key(shard, index));
        }
        let mut run = self.ledger.run(&run_id()).unwrap();
        self.change(shard, |record| {
            record.work = ShardWork::DeleteObjects;
            record.state = ShardState::Ready;
            record.attempts = 0;
            record.outcome = ShardOutcome::default();
            run.totals.planned.objects -= record.planned.objects;
            run.totals.planned.bytes -= record.planned.bytes;
            run.totals.deletes += record.planned.objects;
        });
        run.revision += 1;
        assert_eq!(
            wait(self.ledger.replace_run(&run)).unwrap(),
            PutOutcome::Written
        );
    }

    /// What a shard sent.
    pub(crate) fn note_requests(&self, shard: u32, requests: &[(&str, u64)]) {
        self.change(shard, |record| {
            let counted = requests
                .iter()
                .map(|&(operation, count)| (operation.to_owned(), count));
            record.outcome.requests = counted.collect();
        });
    }

    /// There are more deletions than the limits of the run allow.
    pub(crate) fn hold_deletions(&self) {
        self.change_run(|run| {
            run.totals.deletes_held = true;
            run.totals.deletable = 7;
        });
    }

    /// The record of the run counts a shard that is not there.
    pub(crate) fn claim_more_shards_than_there_are(&self) {
        self.change_run(|run| run.totals.shards += 1);
    }

    /// Its planner failed before the plan was complete.
    pub(crate) fn leave_unplanned(&self) {
        self.change_run(|run| {
            run.state = RunState::Planning;
            run.totals = PlanTotals::default();
        });
    }

    /// Nothing is to be copied in parts.
    pub(crate) fn plan_no_parts(&self) {
        self.change_run(|run| run.totals.estimate.requests.clear());
    }

    fn change_run(&self, change: impl FnOnce(&mut RunRecord)) {
        let mut run = self.ledger.run(&run_id()).unwrap();
        change(&mut run);
        run.revision += 1;
        assert_eq!(
            wait(self.ledger.replace_run(&run)).unwrap(),
            PutOutcome::Written
        );
    }

    /// The record of a shard points to a list that does not exist.
    pub(crate) fn point_to_another_list(&self, shard: u32) {
        self.change(shard, |record| {
            record.outcome.failures_key = Some("runs/run-1/nowhere".into());
        });
    }
}

fn failed_object(shard: u32, index: u32, code: FailureCode) -> FailedObject {
    FailedObject {
        index,
        key: ObjectKey::new(key(shard, index)).unwrap(),
        version_id: None,
        size: size(index),
        code,
        detail: format!("{code} on {}", key(shard, index)),
    }
}
