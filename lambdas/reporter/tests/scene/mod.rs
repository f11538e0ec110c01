//! A planned run in memory, and ways to bring it into the states that a reporter meets.

#![allow(clippy::unwrap_used, reason = "what a test sets up is the test's own")]

use std::{collections::BTreeMap, time::Duration};

use shardlift_core::{
    arn::{AccountId, ExecutionArn, Region},
    bucket::BucketName,
    control_key,
    deadline::Deadline,
    event::{Problem, ReporterEvent, ReporterResult, ReporterStatus},
    failure::{Failure, FailureCode},
    failure_list::{self, FailedObject},
    id::{RunId, ShardId},
    input::RunInput,
    key::ObjectKey,
    manifest::Manifest,
    object::{ETag, ListedObject},
    port::{
        Accounts, ControlStore, Ledger, Notification, PutOutcome, SessionName, TargetBucket,
        UploadSpec,
    },
    report::Report,
    run::{BucketFacts, LEDGER_VERSION, LockRecord, PlanTotals, RunRecord, RunState},
    shard::{OpenUpload, ShardOutcome, ShardRecord, ShardState, ShardWork},
    spec::RunSpec,
    tally::Count,
    time::Timestamp,
};
use shardlift_reporter::Reporter;
use shardlift_testkit::{
    CallScript, ManualClock, MemoryAccounts, MemoryBuckets, MemoryControlStore, MemoryLedger,
    RecordingNotifier,
};

const SOURCE_ACCOUNT: &str = "111111111111";
const TARGET_ACCOUNT: &str = "222222222222";

/// The source was written, then the run began, then it copied, then it reports.
const WRITTEN_AT: Timestamp = Timestamp::from_millis(1_000_000);
const BEGAN_AT: Timestamp = Timestamp::from_millis(2_000_500);
const COPIED_AT: Timestamp = Timestamp::from_millis(3_000_000);
const REPORTED_AT: Timestamp = Timestamp::from_millis(4_000_000);

/// An object that failed: its shard, its position there, and why.
pub(crate) struct FailedAt(pub(crate) u32, pub(crate) u32, pub(crate) FailureCode);

type MemoryReporter =
    Reporter<MemoryAccounts, MemoryLedger, MemoryControlStore, RecordingNotifier, ManualClock>;

/// A run of shards `2-0`, `2-1` and so on, whose objects are `in/<shard>-<position>`.
pub(crate) struct Scene {
    pub(crate) script: CallScript,
    pub(crate) buckets: MemoryBuckets,
    ledger: MemoryLedger,
    reporter: MemoryReporter,
    objects: Vec<u32>,
}

impl Scene {
    /// A planned run whose shards have so many objects.
    pub(crate) fn new(objects: &[u32]) -> Self {
        Self::with_input(objects, serde_json::json!({}))
    }

    /// A planned dry run.
    pub(crate) fn dry(objects: &[u32]) -> Self {
        Self::with_input(objects, serde_json::json!({"dry_run": true}))
    }

    fn with_input(objects: &[u32], input: serde_json::Value) -> Self {
        let script = CallScript::default();
        let buckets = MemoryBuckets::default()
            .with_bucket("source", SOURCE_ACCOUNT, "eu-west-1")
            .with_bucket("target", TARGET_ACCOUNT, "eu-west-1");
        let ledger = MemoryLedger::new(script.clone());
        let control = MemoryControlStore::new(name("control"), script.clone());
        let scene = Self {
            reporter: Reporter {
                accounts: MemoryAccounts::new(buckets.clone(), SOURCE_ACCOUNT, 3, script.clone()),
                ledger: ledger.clone(),
                control,
                notifier: RecordingNotifier::new(script.clone()),
                clock: ManualClock::at(REPORTED_AT),
                max_concurrency: 7,
            },
            script,
            buckets,
            ledger,
            objects: objects.to_vec(),
        };
        scene.plan(spec(input));
        scene
    }

    fn plan(&self, spec: RunSpec) {
        self.buckets.set_time(WRITTEN_AT);
        let mut planned = Count::default();
        for (shard, &objects) in (0u32..).zip(&self.objects) {
            for index in 0..objects {
                self.buckets
                    .put("source", &key(shard, index), "body", size(index));
                planned.add_object(size(index));
            }
            wait(self.write_manifest(shard, objects));
            assert_eq!(
                wait(self.ledger.create_shard(&ready(shard, objects))).unwrap(),
                PutOutcome::Written
            );
        }
        let facts = |owner| BucketFacts {
            region: Region::new("eu-west-1").unwrap(),
            owner: AccountId::new(owner).unwrap(),
        };
        let run = RunRecord {
            schema_version: LEDGER_VERSION,
            run_id: run_id(),
            execution_arn: execution(),
            started_at: BEGAN_AT,
            source: facts(SOURCE_ACCOUNT),
            target: facts(TARGET_ACCOUNT),
            state: RunState::Planned,
            totals: PlanTotals {
                planned,
                shards: self.objects.len() as u64,
                ..PlanTotals::default()
            },
            expires_at: 0,
            revision: 1,
            spec,
        };
        let lock = LockRecord {
            schema_version: LEDGER_VERSION,
            pair: run.spec.pair.lock_name(),
            run_id: run_id(),
            execution_arn: execution(),
            revision: 1,
        };
        assert_eq!(
            wait(self.ledger.create_run(&run)).unwrap(),
            PutOutcome::Written
        );
        assert_eq!(
            wait(self.ledger.create_lock(&lock)).unwrap(),
            PutOutcome::Written
        );
    }

    async fn write_manifest(&self, shard: u32, objects: u32) {
        let manifest = Manifest {
            run_id: run_id(),
            shard_id: shard_id(shard),
            objects: (0..objects).map(|index| listed(shard, index)).collect(),
        };
        let path = control_key::manifest(&run_id(), &shard_id(shard));
        let body = manifest.encode().unwrap();
        self.reporter
            .control
            .put(&path, "application/zstd", body)
            .await
            .unwrap();
    }

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

    /// An unfinished multipart upload of an object, which the shard's record knows.
    pub(crate) fn leave_upload(&self, shard: u32, index: u32) {
        let run = self.ledger.run(&run_id()).unwrap();
        let pair = &run.spec.pair;
        let session = SessionName::of_step("copy", &run_id());
        let target = self
            .reporter
            .accounts
            .open_target(&pair.target, &pair.source, &session);
        let upload = UploadSpec {
            target_key: ObjectKey::new(target_key(shard, index)).unwrap(),
            headers: BTreeMap::new(),
            metadata: BTreeMap::new(),
            tags: BTreeMap::new(),
            storage_class: None,
            kms_key_arn: None,
            checksum_algorithm: None,
        };
        let upload_id = wait(wait(target).unwrap().create_upload(&upload)).unwrap();
        self.change(shard, |record| {
            record.outcome.uploads = vec![OpenUpload { index, upload_id }];
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

    /// The reporter, called again and again while it asks for it, with so little time that each call looks at its
    /// deadline after its first page. Tells the calls, and the last answer.
    pub(crate) async fn report_in_little_time(&self) -> (u32, ReporterResult) {
        for calls in 1..1_000 {
            let event = event(run_id(), 1, None);
            let result = self
                .reporter
                .report(&event, Deadline::new(BEGAN_AT, BEGAN_AT))
                .await;
            let result = result.unwrap();
            if result.status != ReporterStatus::Continue {
                return (calls, result);
            }
        }
        panic!("the reporter asks to be called for ever");
    }

    /// The record of the run speaks of a shard that is not there.
    pub(crate) fn claim_more_shards_than_there_are(&self) {
        let mut run = self.ledger.run(&run_id()).unwrap();
        run.totals.shards += 1;
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

    /// An object is written at the source while the run copies.
    pub(crate) fn write_later(&self, key: &str, content: &str) {
        self.buckets.set_time(REPORTED_AT);
        self.buckets.put("source", key, content, 12_345);
    }

    /// The reporter after a round.
    pub(crate) async fn report(&self, round: u32) -> Result<ReporterResult, Failure> {
        self.call(run_id(), round, None).await
    }

    /// The reporter of the run after the first round, and its report.
    pub(crate) async fn reported(&self) -> Report {
        self.report(1).await.unwrap();
        self.written_report()
    }

    /// The reporter after a state that broke.
    pub(crate) async fn report_problem(&self, problem: Problem) -> Result<ReporterResult, Failure> {
        self.call(run_id(), 1, Some(problem)).await
    }

    /// The reporter of a run that the ledger does not know, after a state that broke.
    pub(crate) async fn report_unknown(&self, problem: Problem) -> Result<ReporterResult, Failure> {
        self.call(RunId::new("unknown").unwrap(), 1, Some(problem))
            .await
    }

    async fn call(
        &self,
        run_id: RunId,
        round: u32,
        problem: Option<Problem>,
    ) -> Result<ReporterResult, Failure> {
        let deadline = Deadline::new(REPORTED_AT, REPORTED_AT.plus(Duration::from_secs(900)));
        self.reporter
            .report(&event(run_id, round, problem), deadline)
            .await
    }

    pub(crate) fn shard(&self, shard: u32) -> ShardRecord {
        wait(self.ledger.read_shard(&run_id(), &shard_id(shard)))
            .unwrap()
            .unwrap()
    }

    pub(crate) fn shards(&self) -> Vec<ShardRecord> {
        self.ledger.shards(&run_id())
    }

    pub(crate) fn run_state(&self) -> RunState {
        self.ledger.run(&run_id()).unwrap().state
    }

    pub(crate) async fn is_locked(&self) -> bool {
        let pair = self.ledger.run(&run_id()).unwrap().spec.pair.lock_name();
        self.ledger.read_lock(&pair).await.unwrap().is_some()
    }

    pub(crate) fn index(&self, result: &ReporterResult) -> Vec<String> {
        let body = self
            .reporter
            .control
            .body(&result.index.as_ref().unwrap().key)
            .unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    /// A document of the report of the run.
    pub(crate) fn document(&self, document: &str) -> Vec<u8> {
        self.reporter
            .control
            .body(&control_key::report_document(&run_id(), document))
            .unwrap()
    }

    pub(crate) fn written_report(&self) -> Report {
        serde_json::from_slice(&self.document("report.json")).unwrap()
    }

    /// The rows of `failures.csv` in order of their keys, without the header.
    pub(crate) fn failures_csv(&self) -> Vec<Vec<String>> {
        let body = self.document("failures.csv");
        let mut rows: Vec<Vec<String>> = csv::Reader::from_reader(body.as_slice())
            .records()
            .map(|row| row.unwrap().iter().map(str::to_owned).collect())
            .collect();
        rows.sort();
        rows
    }

    pub(crate) fn published(&self) -> Vec<Notification> {
        self.reporter.notifier.published()
    }

    fn change(&self, shard: u32, change: impl FnOnce(&mut ShardRecord)) {
        let mut record = self.shard(shard);
        change(&mut record);
        record.revision += 1;
        assert_eq!(
            wait(self.ledger.replace_shard(&record)).unwrap(),
            PutOutcome::Written
        );
    }
}

fn event(run_id: RunId, round: u32, problem: Option<Problem>) -> ReporterEvent {
    ReporterEvent {
        schema_version: 1,
        run_id,
        execution_arn: execution(),
        started_at: BEGAN_AT,
        input: serde_json::json!({}),
        round,
        problem,
    }
}

/// The memory ports answer at once.
fn wait<T>(answer: impl Future<Output = T>) -> T {
    futures::executor::block_on(answer)
}

fn spec(mut input: serde_json::Value) -> RunSpec {
    input["source"] = serde_json::json!({"bucket": "source", "prefix": "in/"});
    input["target"] = serde_json::json!({
        "bucket": "target", "prefix": "out/", "role_arn": format!("arn:aws:iam::{TARGET_ACCOUNT}:role/Target"),
    });
    RunSpec::settle(RunInput::parse(&input).unwrap()).unwrap()
}

fn ready(shard: u32, objects: u32) -> ShardRecord {
    let mut planned = Count::default();
    (0..objects).for_each(|index| planned.add_object(size(index)));
    ShardRecord::ready(
        run_id(),
        shard_id(shard),
        ShardWork::CopyObjects,
        planned,
        0,
    )
}

fn failed_object(shard: u32, index: u32, code: FailureCode) -> FailedObject {
    FailedObject {
        index,
        key: ObjectKey::new(key(shard, index)).unwrap(),
        size: size(index),
        code,
        detail: format!("{code} on {}", key(shard, index)),
    }
}

fn listed(shard: u32, index: u32) -> ListedObject {
    ListedObject {
        key: ObjectKey::new(key(shard, index)).unwrap(),
        size_bytes: size(index),
        etag: ETag::new("e").unwrap(),
        modified_at: WRITTEN_AT,
    }
}

fn size(index: u32) -> u64 {
    u64::from(index) * 100
}

fn key(shard: u32, index: u32) -> String {
    format!("in/{shard}-{index}")
}

fn target_key(shard: u32, index: u32) -> String {
    format!("out/{shard}-{index}")
}

fn run_id() -> RunId {
    RunId::new("run-1").unwrap()
}

fn shard_id(shard: u32) -> ShardId {
    ShardId::new(format!("2-{shard}")).unwrap()
}

fn name(bucket: &str) -> BucketName {
    BucketName::new(bucket).unwrap()
}

fn execution() -> ExecutionArn {
    ExecutionArn::new("arn:aws:states:eu-west-1:111111111111:execution:machine:run-1").unwrap()
}
