use std::collections::BTreeMap;

use shardlift_core::{
    failure::{Failure, FailureCode},
    plan::{
        KeptRecord, ListCheckpoint, ListCounts,
        range::{Checkpoint, KeyRange, ListingTally, RangeRecord, RangeState},
    },
    run::{
        input::RunInput,
        lock::{LockRecord, LockState, LockedPrefix},
        record::{BucketFacts, PairEncryption, PlanTotals, RunRecord, RunState},
        renditions::{MadeRenditions, RenditionsRecord},
        spec::RunSpec,
    },
    shard::{Lease, NewerVersion, OpenUpload, ShardOutcome, ShardRecord, ShardState, ShardWork},
    value::{
        arn::{AccountId, ExecutionArn, Region},
        bucket::BucketName,
        id::{RangeId, RunId, ShardId, UploadId},
        key::{KeyPrefix, RelativeKey},
        object::ETag,
        set_sum::SetSum,
        skips::{NewerCopies, SkipReason},
        tally::{Count, RequestCounts},
        time::Timestamp,
        version::LEDGER_VERSION,
    },
};

/// The largest number that a count can be: more than a float or a signed number holds exactly.
const LARGE: u64 = u64::MAX - 1;

/// A record of a run with something in every field.
#[must_use]
pub fn run_record(run_id: &str) -> RunRecord {
    let input = serde_json::json!({
        "source": {"bucket": "source-bucket", "prefix": "data/\u{1f680}+ /"},
        "target": {
            "bucket": "target-bucket", "prefix": "",
            "role_arn": "arn:aws:iam::222222222222:role/Target", "external_id": "abc:1",
        },
        "filters": {"include": ["**/*.parquet"], "exclude": ["**/_tmp/**"], "size_min_bytes": 1},
        "storage_class": "GLACIER_IR",
        "archived": "skip",
        "acl": "bucket-owner-full-control",
        "request_payer": true,
        "delete_max_objects": 7,
        "transform": {"kind": "thumbnail", "longest_edge_px": 64, "format": "webp", "quality": 7},
    });
    let spec = RunInput::parse(&input)
        .and_then(RunSpec::settle)
        .expect("the input is right");
    let facts = |region: &str, owner: &str| BucketFacts {
        region: Region::new(region).expect("a Region"),
        owner: AccountId::new(owner).expect("an account"),
    };
    RunRecord {
        schema_version: LEDGER_VERSION,
        run_id: RunId::new(run_id).expect("a run id"),
        execution_arn: execution(run_id),
        started_at: Timestamp::from_millis(1_700_000_000_123),
        spec,
        source: facts("eu-central-1", "111111111111"),
        target: facts("us-east-1", "222222222222"),
        encryption: PairEncryption::default(),
        renditions_since: Some(Timestamp::from_millis(1_700_000_000_124)),
        state: RunState::Planning,
        totals: PlanTotals {
            planned: large_count(),
            deletable: LARGE,
            deletes_held: true,
            shards: 3,
            requests: requests(),
            ..PlanTotals::default()
        },
        expires_at: 1_800_000_000,
        revision: 1,
    }
}

fn list_checkpoint() -> ListCheckpoint {
    ListCheckpoint {
        etag: ETag::new("e-1").expect("an ETag"),
        position: "{\"lines\": 7}".to_owned(),
        passed: LARGE,
        counts: ListCounts {
            objects: LARGE,
            problems: vec!["lists/a\n, line 3: \u{1f680}".to_owned()],
            ..ListCounts::default()
        },
    }
}

/// A record of a shard with something in every field.
#[must_use]
pub fn shard_record(run_id: &str, shard_id: &str) -> ShardRecord {
    let mut vouched = SetSum::default();
    vouched.add_object("k", &ETag::new("e").expect("an ETag"), LARGE);
    let mut outcome = ShardOutcome {
        retryable: 1,
        vouched,
        beside: vouched,
        receipts_key: Some("runs/x/receipts/1-2/3.jsonl.zst".into()),
        failures_key: Some("runs/x/failures/1-2/3.jsonl.zst".into()),
        requests: requests(),
        uploads: vec![OpenUpload {
            index: 7,
            upload_id: UploadId::new("upload+/=").expect("an upload id"),
            is_without_tags: true,
            is_tagged_later: false,
            created_at: Some(Timestamp::from_millis(1_700_000_000_000)),
            completing: Some(ETag::new("0a1b-3").expect("an ETag")),
            newer: Some(NewerVersion {
                etag: ETag::new("newer").expect("an ETag"),
                size_bytes: LARGE,
                storage_class: None,
                number: 2,
            }),
        }],
        newer: NewerCopies {
            objects: 1,
            bytes: LARGE,
            planned_bytes: 1,
        },
        ..ShardOutcome::default()
    };
    for index in [0, 1, 2, 500, 9_999] {
        outcome.progress.settle(index);
    }
    outcome.tally.copied = large_count();
    outcome
        .tally
        .skipped
        .add_object(SkipReason::GoneAtSource, 3);
    outcome
        .tally
        .failed
        .add_object(FailureCode::SourceChanged, 1);
    outcome.tally.failed.add_object(FailureCode::Throttled, 2);
    let mut record = ShardRecord::ready(
        RunId::new(run_id).expect("a run id"),
        ShardId::new(shard_id).expect("a shard id"),
        ShardWork::CopyObjects,
        large_count(),
        1_800_000_000,
    );
    record.state = ShardState::Copying;
    record.attempts = 2;
    record.lease = Some(Lease {
        token: 3,
        expires_at: Timestamp::from_millis(-1),
    });
    record.outcome = outcome;
    record.begun_at = Some(Timestamp::from_millis(1_700_000_000_456));
    record.problem = Some(Failure::new(FailureCode::RoleUnavailable, "trust \u{e9}"));
    record
}

/// A list of what a plan keeps, with every field.
#[must_use]
pub fn kept_record(run_id: &str, list_id: &str) -> KeptRecord {
    let etag = ETag::new("e-2").expect("an ETag");
    let (mut same, mut beside) = (SetSum::default(), SetSum::default());
    same.add_object("a//b", &etag, u64::MAX / 2);
    beside.add_object("\u{1f680}", &etag, 0);
    let run_id = RunId::new(run_id).expect("a run id");
    let list_id = ShardId::new(list_id).expect("a list id");
    KeptRecord::new(run_id, list_id, (same, beside), 2_000_000_000)
}

/// A record of a range with something in every field.
#[must_use]
pub fn range_record(run_id: &str, number: u32) -> RangeRecord {
    let key = |text: &str| Some(RelativeKey::new(text).expect("a key"));
    RangeRecord {
        schema_version: LEDGER_VERSION,
        run_id: RunId::new(run_id).expect("a run id"),
        range_id: RangeId::numbered(number),
        bounds: KeyRange {
            after: key("\n\u{1}"),
            until: key("\u{1f680}"),
        },
        checkpoint: Some(Checkpoint {
            through: key("a//b"),
            tally: ListingTally {
                planned: large_count(),
                ..ListingTally::default()
            },
            list: Some(list_checkpoint()),
        }),
        state: RangeState::Listing,
        expires_at: 1_800_000_000,
        revision: 1,
    }
}

/// A lock over a target prefix.
#[must_use]
pub fn lock_record(bucket: &str, prefix: &str, run_id: &str) -> LockRecord {
    LockRecord {
        schema_version: LEDGER_VERSION,
        locked: LockedPrefix {
            bucket: BucketName::new(bucket).expect("a bucket"),
            prefix: KeyPrefix::new(prefix).expect("a prefix"),
        },
        state: LockState::Held,
        run_id: RunId::new(run_id).expect("a run id"),
        execution_arn: execution(run_id),
        revision: 1,
    }
}

/// What is known of the renditions under a target prefix.
#[must_use]
pub fn renditions_record(bucket: &str, prefix: &str) -> RenditionsRecord {
    RenditionsRecord {
        schema_version: LEDGER_VERSION,
        place: lock_record(bucket, prefix, "any").locked,
        made: Some(MadeRenditions {
            source_bucket: BucketName::new("source-bucket").expect("a bucket"),
            source_prefix: KeyPrefix::new("images/\u{e9}").expect("a prefix"),
            transform: "thumbnail:64,format=png".parse().expect("a transform"),
            since: Timestamp::from_millis(1_700_000_000_125),
        }),
        revision: 1,
    }
}

fn execution(run_id: &str) -> ExecutionArn {
    ExecutionArn::new(format!(
        "arn:aws:states:us-east-1:111111111111:execution:Sync:{run_id}"
    ))
    .expect("an execution")
}

fn large_count() -> Count {
    Count {
        objects: 9_007_199_254_740_993,
        bytes: LARGE,
    }
}

fn requests() -> RequestCounts {
    BTreeMap::from([
        ("s3:CopyObject".to_owned(), LARGE),
        ("s3:HeadObject".to_owned(), 0),
    ])
}
