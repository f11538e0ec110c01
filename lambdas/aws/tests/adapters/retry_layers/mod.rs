//! Exactly one layer retries a call: if AWS fails every request, one policy determines how many are sent. Stacked retries
//! would multiply.

mod failing_aws;

use self::failing_aws::{FailingAws, Sessions};
use shardlift_aws::{
    AwsAccounts, AwsSourceBucket, AwsTargetBucket, DynamoLedger, S3ControlStore, SfnExecutions,
    clients,
    retry::{self, RetriedByCaller},
};
use shardlift_core::{
    failure::fault::CallFault,
    port::{
        Accounts, BucketListing, ControlStore, CopyOptions, CopySource, Executions, Ledger,
        ListRequest, SessionName, TargetBucket,
    },
    run::pair::{Source, Target},
    value::{
        arn::{AccountId, ExecutionArn, RoleArn},
        bucket::BucketName,
        id::RunId,
        key::{KeyPrefix, ObjectKey},
        object::ETag,
    },
};
use shardlift_testkit::conformance::{lock_record, run_record};

/// Requests of one operation.
fn sent(operation: &str, requests: u32) -> Vec<(String, u32)> {
    vec![(operation.to_owned(), requests)]
}

async fn open(aws: &FailingAws, retried: RetriedByCaller) -> (AwsSourceBucket, AwsTargetBucket) {
    try_open(aws, retried).await.unwrap()
}

async fn try_open(
    aws: &FailingAws,
    retried: RetriedByCaller,
) -> Result<(AwsSourceBucket, AwsTargetBucket), CallFault> {
    let accounts = AwsAccounts::retried_by_caller(&aws.config().await, None, retried);
    let source = Source {
        bucket: BucketName::new("source-bucket").unwrap(),
        prefix: KeyPrefix::default(),
        request_payer: false,
    };
    let target = Target {
        bucket: BucketName::new("target-bucket").unwrap(),
        prefix: KeyPrefix::default(),
        role_arn: RoleArn::new("arn:aws:iam::222222222222:role/Target").unwrap(),
        external_id: None,
    };
    let session = SessionName::of_step("plan", &RunId::new("run").unwrap());
    let opened = accounts
        .open_target(&target, &source, &session, None)
        .await?;
    Ok((accounts.open_source(&source).await?, opened))
}

#[tokio::test(start_paused = true)]
async fn a_role_is_assumed_by_one_policy_when_the_target_is_opened() {
    for retried in [RetriedByCaller::Nothing, RetriedByCaller::Reads] {
        let aws = FailingAws::default();
        aws.set_sessions(Sessions::Failing);
        try_open(&aws, retried).await.unwrap_err();
        let attempts = retry::SDK.attempts_max;
        assert_eq!(aws.take_failed(), sent("POST", attempts), "{retried:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_is_renewed_once_in_each_attempt_of_a_caller_that_retries() {
    for (retried, attempts) in [
        (RetriedByCaller::Nothing, retry::SDK.attempts_max),
        (RetriedByCaller::Reads, 1),
    ] {
        let aws = FailingAws::default();
        aws.set_sessions(Sessions::Expired);
        let (_, target) = open(&aws, retried).await;
        aws.set_sessions(Sessions::Failing);
        let key = ObjectKey::new("key").unwrap();
        let fault = target.head_source((&key).into()).await.unwrap_err();
        assert!(fault.is_transient(), "{fault}");
        assert_eq!(aws.take_failed(), sent("POST", attempts), "{retried:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn reads_of_the_buckets_are_sent_once_if_the_caller_retries_them() {
    let by_sdk = retry::SDK.attempts_max;
    for (retried, of_listing, of_head) in [
        (RetriedByCaller::Nothing, by_sdk, by_sdk),
        (RetriedByCaller::Listings, 1, by_sdk),
        (RetriedByCaller::Reads, 1, 1),
    ] {
        let aws = FailingAws::default();
        let (source, target) = open(&aws, retried).await;
        assert_eq!(aws.take_failed(), [], "buckets can be opened");
        let request = ListRequest {
            prefix: KeyPrefix::default(),
            after: None,
        };
        source.list_page(&request).await.unwrap_err();
        assert_eq!(
            aws.take_failed(),
            sent("GET list-type=2", of_listing),
            "{retried:?}"
        );
        target.first_object(&request).await.unwrap_err();
        assert_eq!(
            aws.take_failed(),
            sent("GET list-type=2", of_listing),
            "{retried:?}"
        );
        let key = ObjectKey::new("key").unwrap();
        target.head_source((&key).into()).await.unwrap_err();
        assert_eq!(aws.take_failed(), sent("HEAD", of_head), "{retried:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_sent_once_because_the_copier_paces_and_retries_it() {
    let aws = FailingAws::default();
    let (_, target) = open(&aws, RetriedByCaller::Reads).await;
    let key = ObjectKey::new("key").unwrap();
    let source = CopySource {
        version_id: None,
        key: key.clone(),
        etag: ETag::new("etag").unwrap(),
        size_bytes: 1,
    };
    let copied = target
        .copy_object(&source, &key, &CopyOptions::default())
        .await;
    copied.unwrap_err();
    assert_eq!(aws.take_failed(), sent("PUT x-id=CopyObject", 1));
}

#[tokio::test(start_paused = true)]
async fn the_ledger_retries_its_writes_and_the_sdk_its_reads() {
    let aws = FailingAws::default();
    let ledger = DynamoLedger::new(clients::ledger_client(&aws.config().await), "ledger");
    let reads = retry::LEDGER_READ.attempts_max;
    let run = run_record("run");
    ledger.read_run(&run.run_id).await.unwrap_err();
    assert_eq!(aws.take_failed(), sent("GetItem", reads));
    ledger.read_ranges(&run.run_id).await.unwrap_err();
    assert_eq!(aws.take_failed(), sent("Query", reads));
    let lock = lock_record("target", "copy/", "run");
    ledger
        .delete_lock(&lock.locked, &run.run_id)
        .await
        .unwrap_err();
    assert_eq!(aws.take_failed(), sent("DeleteItem", reads));
    // The write cannot be settled by reading, so there is no second attempt.
    ledger.create_run(&run).await.unwrap_err();
    let mut settled = sent("GetItem", reads);
    settled.extend(sent("PutItem", 1));
    assert_eq!(aws.take_failed(), settled);
}

#[tokio::test(start_paused = true)]
async fn the_sdk_retries_everything_else() {
    let aws = FailingAws::default();
    let config = aws.config().await;
    let by_sdk = retry::SDK.attempts_max;
    let bucket = BucketName::new("control-bucket").unwrap();
    let owner = AccountId::new("111111111111").unwrap();
    let control = S3ControlStore::new(clients::control_client(&config), bucket, owner);
    control.get("key").await.unwrap_err();
    assert_eq!(aws.take_failed(), sent("GET x-id=GetObject", by_sdk));
    control
        .put("key", "text/plain", Vec::new())
        .await
        .unwrap_err();
    assert_eq!(aws.take_failed(), sent("PUT x-id=PutObject", by_sdk));
    let executions = SfnExecutions::new(aws_sdk_sfn::Client::new(&config));
    let execution =
        ExecutionArn::new("arn:aws:states:eu-central-1:111111111111:execution:shardlift:run")
            .unwrap();
    executions.state(&execution).await.unwrap_err();
    assert_eq!(aws.take_failed(), sent("DescribeExecution", by_sdk));
}
