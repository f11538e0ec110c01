//! A report whose lists are too large for one request each: the reporter uploads them in parts to the control bucket,
//! through the production adapter, to the S3 model.

use std::{collections::BTreeSet, time::Duration};

use aws_config::Region;
use aws_credential_types::Credentials;
use shardlift_aws::{S3ControlStore, clients};
use shardlift_core::{
    documents::{RunDocument, RunDocuments, control_key, failure_list::FailedObject},
    failure::FailureCode,
    port::{ControlStore, Ledger, PutOutcome},
    report::Report,
    run::{
        event::{ReporterEvent, ReporterStatus},
        input::RunInput,
        record::{BucketFacts, PairEncryption, PlanTotals, RunRecord, RunState},
        spec::RunSpec,
    },
    shard::{ShardRecord, ShardState, ShardWork},
    value::{
        arn::{AccountId, ExecutionArn},
        bucket::BucketName,
        deadline::Deadline,
        id::{RunId, ShardId},
        key::ObjectKey,
        tally::Count,
        time::Timestamp,
        version::LEDGER_VERSION,
    },
};
use shardlift_reporter::{Ports, Reporter};
use shardlift_s3_model::{BucketSpec, Model, Operation, Server};
use shardlift_testkit::{
    CallScript, ManualClock, MemoryAccounts, MemoryBuckets, MemoryLedger, RecordingNotifier,
    ceilings_around,
};

const SHARDS: u32 = 30_000;
/// The first shards are full, and each of their objects failed. Every other shard copied one object.
const FAILED_SHARDS: u32 = 10;
const FAILED_PER_SHARD: u32 = 10_000;
const OBJECT_BYTES: u64 = 4_096;

/// The largest document that is written in one request.
const ONE_REQUEST_BYTES: usize = 8 * 1024 * 1024;

const OWN_ACCOUNT: &str = "111111111111";
const BEGAN_AT: Timestamp = Timestamp::from_millis(2_000_000);
const REPORTED_AT: Timestamp = Timestamp::from_millis(4_000_000);

enum LargePorts {}

impl Ports for LargePorts {
    type Accounts = MemoryAccounts;
    type Ledger = MemoryLedger;
    type Control = S3ControlStore;
    type Notifier = RecordingNotifier;
    type Clock = ManualClock;
}

#[tokio::test]
async fn a_hundred_thousand_failures_and_thirty_thousand_shards_are_listed_whole() {
    let model = Model::builder()
        .bucket(BucketSpec::new("control-bucket").owner(OWN_ACCOUNT))
        .build()
        .unwrap();
    let server = model.start().await.unwrap();
    let control = control_store(&server).await;
    let ledger = settled_ledger(&control).await;
    let reporter: Reporter<LargePorts> = Reporter {
        accounts: accounts(),
        ledger,
        control: control.clone(),
        notifier: RecordingNotifier::new(CallScript::default()),
        clock: ManualClock::at(REPORTED_AT),
        ceilings: Ok(ceilings_around(&run_record(Count::default()).spec)),
        max_concurrency: 1,
    };
    let deadline = Deadline::new(REPORTED_AT, REPORTED_AT.plus(Duration::from_secs(900)));
    let result = reporter.report(&event(), deadline).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Incomplete, "{result:?}");

    let (run_id, failed) = (run_id(), FAILED_SHARDS * FAILED_PER_SHARD);
    let documents = RunDocuments::new(&control, &run_id);
    let report: Report = documents.json(RunDocument::Report).await.unwrap().unwrap();
    assert_eq!(report.problem, None);
    assert_eq!(report.failed.objects, u64::from(failed));
    assert_eq!(report.shards.total, u64::from(SHARDS));

    let failures_csv = document(&control, RunDocument::FailuresCsv).await;
    assert_eq!(failed_keys(&failures_csv).len(), failed as usize);
    let shards_json = document(&control, RunDocument::ShardsJson).await;
    assert_eq!(shard_ids(&shards_json).len(), SHARDS as usize);
    let uploads = model
        .counters()
        .requests_of(Operation::CompleteMultipartUpload);
    assert_eq!(uploads, 2, "both lists were uploaded in parts");
    let bucket = model.bucket("control-bucket").unwrap();
    assert!(bucket.open_uploads().is_empty());
}

/// The keys of `failures.csv`: those of the run, each once.
fn failed_keys(failures_csv: &[u8]) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for row in csv::Reader::from_reader(failures_csv).records() {
        let row = row.unwrap();
        assert_eq!((&row[1], &row[2]), ("4096", "AccessDenied"));
        assert!(
            keys.insert(row[0].to_owned()),
            "{} is listed twice",
            &row[0]
        );
    }
    let planned = (0..FAILED_SHARDS)
        .flat_map(|shard| (0..FAILED_PER_SHARD).map(move |index| object_key(shard, index)));
    assert!(planned.eq(keys.iter().cloned()), "other keys than planned");
    keys
}

/// The shards of `shards.json`: those of the run, each once.
fn shard_ids(shards_json: &[u8]) -> BTreeSet<String> {
    let shards: Vec<serde_json::Value> = serde_json::from_slice(shards_json).unwrap();
    let ids = shards
        .iter()
        .map(|shard| shard["shard_id"].as_str().unwrap().to_owned());
    let ids: BTreeSet<String> = ids.collect();
    assert_eq!(ids.len(), shards.len(), "a shard is listed twice");
    assert!((0..SHARDS).all(|number| ids.contains(shard_id(number).as_str())));
    ids
}

async fn document(control: &S3ControlStore, document: RunDocument) -> Vec<u8> {
    let key = control_key::report_document(&run_id(), document.file_name());
    let body = control.get(&key).await.unwrap().unwrap();
    assert!(
        body.len() > ONE_REQUEST_BYTES,
        "{key} has {} bytes only",
        body.len()
    );
    body
}

async fn control_store(server: &Server) -> S3ControlStore {
    let config = clients::config_loader()
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(OWN_ACCOUNT, "secret", None, None, "test"))
        .endpoint_url(server.endpoint_url())
        .load()
        .await;
    let bucket = BucketName::new("control-bucket").unwrap();
    let owner = AccountId::new(OWN_ACCOUNT).unwrap();
    S3ControlStore::new(clients::control_client(&config), bucket, owner)
}

fn accounts() -> MemoryAccounts {
    let buckets = MemoryBuckets::default()
        .with_bucket("source", OWN_ACCOUNT, "us-east-1")
        .with_bucket("target", "222222222222", "us-east-1");
    MemoryAccounts::new(buckets, OWN_ACCOUNT, 1_000, CallScript::default())
}

/// The ledger of the run once its copiers have ended, and their lists in the control bucket.
async fn settled_ledger(control: &S3ControlStore) -> MemoryLedger {
    let ledger = MemoryLedger::new(CallScript::default());
    let mut planned = Count::default();
    for number in 0..SHARDS {
        let shard = match number < FAILED_SHARDS {
            true => failed_shard(number, control).await,
            false => copied_shard(number),
        };
        planned.add(shard.planned);
        let written = ledger.create_shard(&shard).await.unwrap();
        assert_eq!(written, PutOutcome::Written);
    }
    let run = run_record(planned);
    let written = ledger.create_run(&run).await.unwrap();
    assert_eq!(written, PutOutcome::Written);
    ledger.hold_lock_for(&run);
    ledger
}

fn done_shard(number: u32, objects: u32) -> ShardRecord {
    let planned = Count {
        objects: objects.into(),
        bytes: u64::from(objects) * OBJECT_BYTES,
    };
    let work = ShardWork::CopyObjects;
    let mut shard = ShardRecord::ready(run_id(), shard_id(number), work, planned, 0);
    shard.state = ShardState::Done;
    shard.attempts = 1;
    shard.begun_at = Some(BEGAN_AT);
    shard.ended_at = Some(BEGAN_AT.plus(Duration::from_secs(60)));
    for index in 0..objects {
        shard.outcome.progress.settle(index);
    }
    shard
}

fn copied_shard(number: u32) -> ShardRecord {
    let mut shard = done_shard(number, 1);
    shard.outcome.tally.copied.add_object(OBJECT_BYTES);
    shard
}

async fn failed_shard(number: u32, control: &S3ControlStore) -> ShardRecord {
    let mut shard = done_shard(number, FAILED_PER_SHARD);
    let code = FailureCode::AccessDenied;
    let failed: Vec<FailedObject> = (0..FAILED_PER_SHARD)
        .map(|index| FailedObject {
            index,
            key: ObjectKey::new(object_key(number, index)).unwrap(),
            version_id: None,
            size: OBJECT_BYTES,
            code,
            detail: "arn:aws:sts::222222222222:assumed-role/Target/copy may not s3:GetObject"
                .into(),
        })
        .collect();
    for object in &failed {
        shard.outcome.tally.failed.add_object(code, object.size);
    }
    let run_id = run_id();
    let documents = RunDocuments::new(control, &run_id);
    let key = documents.write_failures(&shard.shard_id, 2, &failed).await;
    shard.outcome.failures_key = Some(key.unwrap());
    shard
}

fn run_record(planned: Count) -> RunRecord {
    let input = serde_json::json!({
        "source": {"bucket": "source"}, "verify": "none",
        "target": {"bucket": "target", "role_arn": "arn:aws:iam::222222222222:role/Target"},
    });
    let facts = |owner| BucketFacts {
        region: shardlift_core::value::arn::Region::new("us-east-1").unwrap(),
        owner: AccountId::new(owner).unwrap(),
    };
    RunRecord {
        schema_version: LEDGER_VERSION,
        run_id: run_id(),
        execution_arn: execution(),
        started_at: BEGAN_AT,
        spec: RunSpec::settle(RunInput::parse(&input).unwrap()).unwrap(),
        source: facts(OWN_ACCOUNT),
        target: facts("222222222222"),
        encryption: PairEncryption::default(),
        renditions_since: None,
        state: RunState::Planned,
        totals: PlanTotals {
            planned,
            shards: SHARDS.into(),
            ..PlanTotals::default()
        },
        expires_at: 0,
        revision: 1,
    }
}

/// The event after the last round, so that no other one is offered.
fn event() -> ReporterEvent {
    ReporterEvent {
        schema_version: 1,
        run_id: run_id(),
        execution_arn: execution(),
        started_at: BEGAN_AT,
        input: serde_json::json!({}).into(),
        round: 3,
        problem: None,
    }
}

/// Keys whose order is that of their numbers.
fn object_key(shard: u32, index: u32) -> String {
    format!("data/shard={shard:05}/part-{index:08}.snappy.parquet")
}

fn shard_id(number: u32) -> ShardId {
    ShardId::new(format!("1-{number}")).unwrap()
}

fn run_id() -> RunId {
    RunId::new("night").unwrap()
}

fn execution() -> ExecutionArn {
    ExecutionArn::new("arn:aws:states:us-east-1:111111111111:execution:machine:night").unwrap()
}
