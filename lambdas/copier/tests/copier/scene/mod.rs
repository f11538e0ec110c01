//! A planned run with one shard, in memory, and its copier.
mod receipts;

use std::time::Duration;

use shardlift_copier::copier::Copier;
use shardlift_core::{
    copy::part_shards,
    documents::{
        control_key,
        failure_list::{self, FailedObject},
        manifest::Manifest,
    },
    failure::Failure,
    port::{Clock, ControlStore, Ledger, PutOutcome, TagSet},
    run::{
        event::{EVENT_VERSION, WorkerEvent, WorkerStatus},
        input::RunInput,
        record::{BucketFacts, PairEncryption, PlanTotals, RunRecord, RunState},
        spec::RunSpec,
    },
    shard::{CopySamples, ShardRecord, ShardWork},
    value::{
        arn::{AccountId, ExecutionArn, Region},
        bucket::BucketName,
        deadline::Deadline,
        id::{RunId, ShardId},
        object::{ETag, Encryption, ListedObject},
        set_sum::{SetDigest, SetSum},
        tally::Count,
        time::Timestamp,
        version::LEDGER_VERSION,
    },
};
use shardlift_testkit::{
    CallScript, ManualClock, MemoryAccounts, MemoryBuckets, MemoryControlStore, MemoryLedger,
    StoredObject, ceilings_around,
};
use shardlift_worker::ports::Ports;

pub(crate) const SOURCE: &str = "source-bucket";
pub(crate) const TARGET: &str = "target-bucket";
pub(crate) const SOURCE_ACCOUNT: &str = "111111111111";
pub(crate) const TARGET_ACCOUNT: &str = "222222222222";
pub(crate) const MIB: u64 = 1024 * 1024;

/// The number of calls that a copier makes before the first copy: it reads the run and its lock, reads and claims the
/// shard, reads the manifest, and assumes the role.
pub(crate) const CALLS_BEFORE_COPYING: usize = 6;

/// What S3's clock shows when a scene is set.
pub(crate) const BEGAN_AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// The ports in memory.
#[derive(Debug)]
pub(crate) enum MemoryPorts {}

impl Ports for MemoryPorts {
    type Accounts = MemoryAccounts;
    type Ledger = MemoryLedger;
    type Control = MemoryControlStore;
    type Clock = ManualClock;
}

/// The world of one shard.
pub(crate) struct Scene {
    pub(crate) buckets: MemoryBuckets,
    pub(crate) ledger: MemoryLedger,
    pub(crate) control: MemoryControlStore,
    pub(crate) accounts: MemoryAccounts,
    pub(crate) script: CallScript,
    pub(crate) clock: ManualClock,
    spec: RunSpec,
}

/// What a run leaves, as far as it must not depend on how it went.
#[derive(Debug, PartialEq)]
pub(crate) struct Remains {
    pub(crate) target: Vec<(String, StoredObject)>,
    pub(crate) unfinished_uploads: usize,
    pub(crate) records: Vec<ShardRecord>,
    pub(crate) failed: Vec<(u32, String, shardlift_core::failure::FailureCode)>,
}

impl Scene {
    /// A run over `source-bucket/in/` to `target-bucket/out/` whose input has these further fields.
    pub(crate) fn new(further: &serde_json::Value) -> Self {
        let script = CallScript::default();
        let buckets = MemoryBuckets::default()
            .with_bucket(SOURCE, SOURCE_ACCOUNT, "eu-central-1")
            .with_bucket(TARGET, TARGET_ACCOUNT, "eu-west-1");
        let mut input = serde_json::json!({
            "source": {"bucket": SOURCE, "prefix": "in/"},
            "target": {"bucket": TARGET, "prefix": "out/", "role_arn": "arn:aws:iam::222222222222:role/Shardlift"},
        });
        for (field, value) in further.as_object().into_iter().flatten() {
            input[field] = value.clone();
        }
        let input = RunInput::parse(&input).unwrap();
        buckets.set_time(BEGAN_AT);
        buckets.let_time_pass();
        Self {
            accounts: MemoryAccounts::new(buckets.clone(), SOURCE_ACCOUNT, 1000, script.clone()),
            ledger: MemoryLedger::new(script.clone()),
            control: MemoryControlStore::new(
                BucketName::new("control-bucket").unwrap(),
                script.clone(),
            ),
            clock: ManualClock::at(Timestamp::from_millis(1_000_000)),
            spec: RunSpec::settle(input).unwrap(),
            buckets,
            script,
        }
    }

    /// Plans every object of the source into the shard, as the planner leaves it.
    pub(crate) async fn plan(&self) {
        self.plan_work(SOURCE, ShardWork::CopyObjects).await;
    }

    /// Plans every object of a bucket into the shard, for this work.
    pub(crate) async fn plan_work(&self, bucket: &str, work: ShardWork) {
        let ready = |planned| vec![ShardRecord::ready(run_id(), shard_id(), work, planned, 0)];
        self.plan_objects(bucket, ready).await;
    }

    async fn plan_objects(&self, bucket: &str, records: impl FnOnce(Count) -> Vec<ShardRecord>) {
        let objects: Vec<ListedObject> = self
            .buckets
            .objects(bucket)
            .into_iter()
            .map(|(key, stored)| ListedObject {
                version_id: self.buckets.newest_version(bucket, &key),
                ..stored.listed(&key)
            })
            .collect();
        let mut planned = Count::default();
        for object in &objects {
            planned.add_object(object.size_bytes);
        }
        let manifest = Manifest {
            run_id: run_id(),
            shard_id: shard_id(),
            objects,
        };
        let key = control_key::manifest(&run_id(), &shard_id());
        self.control
            .put(&key, "application/zstd", manifest.encode().unwrap())
            .await
            .unwrap();
        assert_eq!(
            self.ledger.create_run(&self.run_record()).await.unwrap(),
            PutOutcome::Written
        );
        self.ledger.hold_lock_for(&self.run_record());
        for record in records(planned) {
            self.create_shard(&record).await;
        }
        self.script.clear();
    }

    async fn create_shard(&self, shard: &ShardRecord) {
        assert_eq!(
            self.ledger.create_shard(shard).await.unwrap(),
            PutOutcome::Written
        );
    }

    pub(crate) fn run_record(&self) -> RunRecord {
        RunRecord {
            schema_version: LEDGER_VERSION,
            run_id: run_id(),
            execution_arn: execution(),
            started_at: Timestamp::default(),
            spec: self.spec.clone(),
            source: facts(SOURCE_ACCOUNT, "eu-central-1"),
            target: facts(TARGET_ACCOUNT, "eu-west-1"),
            encryption: PairEncryption::default(),
            renditions_since: None,
            state: RunState::Planned,
            totals: PlanTotals::default(),
            expires_at: 0,
            revision: 1,
        }
    }

    pub(crate) fn copier(&self) -> Copier<MemoryPorts> {
        Copier::new(
            self.accounts.clone(),
            self.ledger.clone(),
            self.control.clone(),
            self.clock.clone(),
            ceilings_around(&self.spec),
        )
    }

    /// Plans the one object of the source, which is very large, as a whole and its part shards.
    pub(crate) async fn plan_parts(&self) {
        self.plan_objects(SOURCE, |planned| {
            part_shards::cut(
                &run_id(),
                &shard_id(),
                planned.bytes,
                self.spec.part_bytes,
                0,
            )
            .unwrap()
            .expect("it is very large")
        })
        .await;
    }

    /// The ids of every shard, the whole of one in parts left out, as the Map gets them.
    pub(crate) fn index(&self) -> Vec<ShardId> {
        self.ledger
            .shards(&run_id())
            .into_iter()
            .filter(|shard| !matches!(shard.work, ShardWork::AssembleObject { .. }))
            .map(|shard| shard.shard_id)
            .collect()
    }

    /// One invocation with `time` until it is killed.
    pub(crate) async fn invoke(&self, time: Duration) -> Result<WorkerStatus, Failure> {
        self.invoke_on(&shard_id(), time).await
    }

    /// One invocation on this shard.
    pub(crate) async fn invoke_on(
        &self,
        id: &ShardId,
        time: Duration,
    ) -> Result<WorkerStatus, Failure> {
        let began_at = self.clock.now();
        let deadline = Deadline::new(began_at, began_at.plus(time)).with_memory_mb(1_024);
        self.copier()
            .copy_shard(&event_for(id), deadline)
            .await
            .map(|result| result.status)
    }

    /// Invocations as the state machine makes them, dead ones repeated: the number of them until it is done.
    pub(crate) async fn invoke_until_done(&self, time: Duration) -> u32 {
        self.invoke_until_done_on(&shard_id(), time).await
    }

    /// The same for this shard.
    pub(crate) async fn invoke_until_done_on(&self, id: &ShardId, time: Duration) -> u32 {
        const INVOCATIONS_MAX: u32 = 200;
        for number in 1..=INVOCATIONS_MAX {
            let outcome = tokio::select! {
                biased;
                outcome = self.invoke_on(id, time) => Some(outcome),
                () = self.script.killed() => None,
            };
            match outcome {
                Some(Ok(WorkerStatus::Done)) => return number,
                Some(Ok(WorkerStatus::Yield)) | None => {}
                Some(Err(failure)) => assert!(
                    matches!(failure.code.name(), "Throttled" | "ServiceFault"),
                    "the state machine does not repeat {failure}"
                ),
            }
        }
        panic!("not done after {INVOCATIONS_MAX} invocations");
    }

    pub(crate) fn shard(&self) -> ShardRecord {
        self.shards().remove(0)
    }

    /// Every record; the whole of an object in parts comes first.
    pub(crate) fn shards(&self) -> Vec<ShardRecord> {
        self.ledger.shards(&run_id())
    }

    pub(crate) fn failures(&self) -> Vec<FailedObject> {
        let record = self.shard();
        let Some(key) = record.outcome.failures_key else {
            return Vec::new();
        };
        failure_list::decode(&self.control.body(&key).expect("the list exists"))
            .unwrap()
            .map(Result::unwrap)
            .filter(|failed| record.outcome.progress.is_settled(failed.index))
            .collect()
    }

    pub(crate) fn target_keys(&self) -> Vec<String> {
        let objects = self.buckets.objects(TARGET);
        objects.into_keys().map(String::from).collect()
    }

    /// What is left, without what tells how it went: attempts, tokens, revisions, times and requests.
    pub(crate) fn remains(&self) -> Remains {
        let mut records = self.shards();
        for record in &mut records {
            self.assert_receipts_are_true(record);
            // An ETag under a key is another one for each copy.
            record.outcome.vouched = SetSum {
                digest: SetDigest::default(),
                ..record.outcome.vouched
            };
            record.attempts = 0;
            record.revision = 0;
            record.idle_yields = 0;
            record.begun_at = None;
            record.ended_at = None;
            record.samples = CopySamples::default();
            record.outcome.requests.clear();
            record.outcome.failures_key =
                record.outcome.failures_key.take().map(|_| "there".into());
            record.outcome.notes_key = record.outcome.notes_key.take().map(|_| "there".into());
            record.outcome.receipts_key =
                record.outcome.receipts_key.take().map(|_| "there".into());
        }
        Remains {
            target: self
                .buckets
                .objects(TARGET)
                .into_iter()
                .map(|(key, object)| (key.into(), without_accidents(object)))
                .collect(),
            unfinished_uploads: self.buckets.unfinished_uploads(),
            records,
            failed: self
                .failures()
                .into_iter()
                .map(|failed| (failed.index, failed.key.into(), failed.code))
                .collect(),
        }
    }
}

/// When an object was written, and its ETag under a key, depend on how the run went.
fn without_accidents(mut object: StoredObject) -> StoredObject {
    object.modified_at = Timestamp::default();
    if object.attributes.encryption == Encryption::Kms {
        object.attributes.etag = ETag::new("under a key").unwrap();
    }
    object
}

/// The largest set of tags that S3 allows.
pub(crate) fn largest_tags() -> TagSet {
    let tag = |number| (format!("{number}{}", "+".repeat(127)), "@".repeat(256));
    (0..10).map(tag).collect()
}

pub(crate) fn run_id() -> RunId {
    RunId::new("run-1").unwrap()
}

pub(crate) fn shard_id() -> ShardId {
    ShardId::new("1-0").unwrap()
}

pub(crate) fn event() -> WorkerEvent {
    event_for(&shard_id())
}

pub(crate) fn event_for(shard_id: &ShardId) -> WorkerEvent {
    WorkerEvent {
        schema_version: EVENT_VERSION,
        run_id: run_id(),
        execution_arn: execution(),
        round: 1,
        shard_id: shard_id.clone(),
    }
}

fn execution() -> ExecutionArn {
    ExecutionArn::new("arn:aws:states:eu-central-1:111111111111:execution:sync:run-1").unwrap()
}

fn facts(owner: &str, region: &str) -> BucketFacts {
    BucketFacts {
        region: Region::new(region).unwrap(),
        owner: AccountId::new(owner).unwrap(),
    }
}
