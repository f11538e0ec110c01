//! What the ledger makes of DynamoDB's answers, over an HTTP client that gives them by a script.

#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot make, it cannot go on with"
)]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::config::{Credentials, SharedHttpClient};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use shardlift_aws::{DynamoLedger, clients, retry};
use shardlift_core::{
    failure::{
        FailureCode,
        fault::{Effect, FaultKind},
    },
    port::{Ledger, PlanStep, PutOutcome},
};
use shardlift_testkit::conformance::{range_record, run_record, shard_record};

/// What DynamoDB answers.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// Success, or an empty item.
    Done,
    /// The item that the last write held, with its mark.
    ItemAsWritten,
    /// The item as it was before the step: of revision 1.
    ItemBefore,
    /// An item of somebody else.
    ItemOfAnother,
    /// An error of this name.
    Refused(&'static str),
    /// A canceled transaction, for these reasons.
    Canceled([&'static str; 2]),
    /// No answer in time.
    TimedOut,
}

/// A request: its operation and its body.
type Request = (String, Value);

#[derive(Debug, Clone)]
struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Script {
    fn of(answers: &[Answer]) -> Self {
        Self {
            answers: Arc::new(Mutex::new(answers.iter().copied().collect())),
            requests: Arc::default(),
        }
    }

    async fn ledger(&self) -> DynamoLedger {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .http_client(SharedHttpClient::new(self.clone()))
            .load()
            .await;
        DynamoLedger::new(clients::ledger_client(&config), "ledger")
    }

    /// The operations that were called, in order.
    fn operations(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The bodies of the calls of one operation.
    fn bodies(&self, operation: &str) -> Vec<Value> {
        let requests = self.requests.lock().unwrap();
        let of_it = requests.iter().filter(|(name, _)| name == operation);
        of_it.map(|(_, body)| body.clone()).collect()
    }

    fn assert_is_told_to_the_end(&self) {
        assert_eq!(self.answers.lock().unwrap().len(), 0, "answers are left");
    }

    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").unwrap();
        let operation = target.rsplit('.').next().unwrap().to_owned();
        let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        self.requests.lock().unwrap().push((operation, body));
        let next = self.answers.lock().unwrap().pop_front();
        let (status, body) = match next.expect("the script has an answer") {
            Answer::Done => (200, json!({})),
            Answer::ItemAsWritten => (200, json!({"Item": self.last_item()})),
            Answer::ItemBefore => (200, json!({"Item": {"revision": {"N": "1"}}})),
            Answer::ItemOfAnother => (200, json!({"Item": {"written_by": {"S": "another"}}})),
            Answer::Refused(name) => (400, error(name, &json!(null))),
            Answer::Canceled(reasons) => {
                let reasons = reasons.map(|code| json!({"Code": code}));
                let name = "TransactionCanceledException";
                (400, error(name, &json!(reasons)))
            }
            Answer::TimedOut => return Err(ConnectorError::timeout("no answer".into())),
        };
        let status = u16::try_from(status).unwrap().try_into().unwrap();
        Ok(HttpResponse::new(status, SdkBody::from(body.to_string())))
    }

    /// The first item of the last write.
    fn last_item(&self) -> Value {
        let requests = self.requests.lock().unwrap();
        let items = requests.iter().rev().filter_map(|(_, body)| {
            let of_a_transaction = body.pointer("/TransactItems/0/Put/Item");
            body.get("Item").or(of_a_transaction).cloned()
        });
        items.into_iter().next().expect("something was written")
    }
}

fn error(name: &str, reasons: &Value) -> Value {
    json!({
        "__type": format!("com.amazonaws.dynamodb.v20120810#{name}"),
        "message": "scripted",
        "CancellationReasons": reasons,
    })
}

impl HttpClient for Script {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.answer(&request))
    }
}

/// A step of two records, the first of which is the range: what settling reads.
fn step() -> PlanStep {
    let mut range = range_record("run", 0);
    range.revision = 2;
    PlanStep {
        ranges: vec![range],
        shards: vec![shard_record("run", "1-0")],
        ..PlanStep::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_transaction_is_made_again() {
    let throttled = Answer::Canceled(["None", "ThrottlingError"]);
    let script = Script::of(&[
        throttled,
        Answer::ItemBefore,
        throttled,
        Answer::ItemBefore,
        Answer::Done,
    ]);
    let written = script.ledger().await.commit_plan(&step()).await;
    assert_eq!(written, Ok(PutOutcome::Written));
    script.assert_is_told_to_the_end();
}

#[tokio::test(start_paused = true)]
async fn a_transaction_outlasts_more_throttling_than_other_faults() {
    let mut answers = Vec::new();
    for _ in 0..6 {
        answers.push(Answer::Canceled(["ProvisionedThroughputExceeded", "None"]));
        answers.push(Answer::ItemBefore);
    }
    answers.push(Answer::Done);
    let script = Script::of(&answers);
    let written = script.ledger().await.commit_plan(&step()).await;
    assert_eq!(written, Ok(PutOutcome::Written));
    script.assert_is_told_to_the_end();
}

#[tokio::test(start_paused = true)]
async fn a_failed_condition_is_our_own_write_if_the_record_bears_its_mark() {
    for (found, outcome) in [
        (Answer::ItemAsWritten, PutOutcome::Written),
        (Answer::ItemOfAnother, PutOutcome::Refused),
    ] {
        let script = Script::of(&[Answer::Refused("ConditionalCheckFailedException"), found]);
        let put = script.ledger().await.create_run(&run_record("run")).await;
        assert_eq!(put, Ok(outcome), "{found:?}");
        let script = Script::of(&[Answer::Canceled(["ConditionalCheckFailed", "None"]), found]);
        let put = script.ledger().await.commit_plan(&step()).await;
        assert_eq!(put, Ok(outcome), "{found:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_transaction_in_progress_is_asked_about_again_as_the_same_one() {
    let script = Script::of(&[
        Answer::TimedOut,
        Answer::ItemBefore,
        Answer::Refused("TransactionInProgressException"),
        Answer::ItemBefore,
        Answer::Canceled(["TransactionConflict", "None"]),
        Answer::ItemBefore,
        Answer::Done,
    ]);
    let written = script.ledger().await.commit_plan(&step()).await;
    assert_eq!(written, Ok(PutOutcome::Written));
    script.assert_is_told_to_the_end();
    let sent = script.bodies("TransactWriteItems");
    assert_eq!(sent.len(), 4);
    assert!(sent[0]["ClientRequestToken"].is_string());
    assert!(sent.iter().all(|body| *body == sent[0]));
}

#[tokio::test(start_paused = true)]
async fn a_conflict_that_lasts_is_the_ledgers_and_no_objects() {
    let conflict = Answer::Canceled(["None", "TransactionConflict"]);
    let attempts = retry::LEDGER_WRITE.attempts_max as usize;
    let script = Script::of(&[conflict, Answer::ItemBefore].repeat(attempts));
    let refused = script.ledger().await.commit_plan(&step()).await;
    let fault = refused.unwrap_err();
    assert_eq!(fault.kind, FaultKind::ConcurrentWrite);
    assert_eq!(fault.into_failure().code, FailureCode::LedgerConflict);
    script.assert_is_told_to_the_end();
}

#[tokio::test(start_paused = true)]
async fn a_write_that_cannot_be_settled_tells_why() {
    let script = Script::of(&[
        Answer::Refused("ConditionalCheckFailedException"),
        Answer::Refused("AccessDeniedException"),
    ]);
    let put = script.ledger().await.create_run(&run_record("run")).await;
    let fault = put.unwrap_err();
    assert_eq!(
        (fault.kind, fault.operation),
        (FaultKind::AccessDenied, "dynamodb:GetItem")
    );
    let script = Script::of(&[Answer::TimedOut, Answer::Refused("AccessDeniedException")]);
    let put = script.ledger().await.create_run(&run_record("run")).await;
    assert_eq!(
        put.unwrap_err().effect,
        Effect::Unknown,
        "it may have been written"
    );
    assert_eq!(script.operations().last().unwrap(), "GetItem");
}
