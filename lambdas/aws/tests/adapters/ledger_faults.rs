//! How the ledger handles DynamoDB's responses, over an HTTP client that returns them by a script.

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

/// A response of DynamoDB.
#[derive(Debug, Clone, Copy)]
enum Response {
    /// Success, or an empty item.
    Done,
    /// The item of the last write, with its mark.
    ItemAsWritten,
    /// The item from before the step, of revision 1.
    ItemBefore,
    /// The item of another writer.
    ItemOfAnother,
    /// An error of this name.
    Refused(&'static str),
    /// A canceled transaction, for these reasons.
    Canceled([&'static str; 2]),
    /// No response in time.
    TimedOut,
}

/// A request: its operation and its body.
type Request = (String, Value);

#[derive(Debug, Clone)]
struct Script {
    responses: Arc<Mutex<VecDeque<Response>>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Script {
    fn of(responses: &[Response]) -> Self {
        Self {
            responses: Arc::new(Mutex::new(responses.iter().copied().collect())),
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

    fn assert_is_finished(&self) {
        assert_eq!(
            self.responses.lock().unwrap().len(),
            0,
            "responses are left"
        );
    }

    fn respond(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").unwrap();
        let operation = target.rsplit('.').next().unwrap().to_owned();
        let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        self.requests.lock().unwrap().push((operation, body));
        let next = self.responses.lock().unwrap().pop_front();
        let (status, body) = match next.expect("the script has a response") {
            Response::Done => (200, json!({})),
            Response::ItemAsWritten => (200, json!({"Item": self.last_item()})),
            Response::ItemBefore => (200, json!({"Item": {"revision": {"N": "1"}}})),
            Response::ItemOfAnother => (200, json!({"Item": {"written_by": {"S": "another"}}})),
            Response::Refused(name) => (400, error(name, &json!(null))),
            Response::Canceled(reasons) => {
                let reasons = reasons.map(|code| json!({"Code": code}));
                let name = "TransactionCanceledException";
                (400, error(name, &json!(reasons)))
            }
            Response::TimedOut => return Err(ConnectorError::timeout("no response".into())),
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
        HttpConnectorFuture::ready(self.respond(&request))
    }
}

/// A step of two records. The first one, which settling reads, is the range.
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
async fn a_throttled_transaction_is_retried() {
    let throttled = Response::Canceled(["None", "ThrottlingError"]);
    let script = Script::of(&[
        throttled,
        Response::ItemBefore,
        throttled,
        Response::ItemBefore,
        Response::Done,
    ]);
    let written = script.ledger().await.commit_plan(&step()).await;
    assert_eq!(written, Ok(PutOutcome::Written));
    script.assert_is_finished();
}

#[tokio::test(start_paused = true)]
async fn a_transaction_survives_more_throttling_than_other_faults() {
    let mut responses = Vec::new();
    for _ in 0..6 {
        responses.push(Response::Canceled([
            "ProvisionedThroughputExceeded",
            "None",
        ]));
        responses.push(Response::ItemBefore);
    }
    responses.push(Response::Done);
    let script = Script::of(&responses);
    let written = script.ledger().await.commit_plan(&step()).await;
    assert_eq!(written, Ok(PutOutcome::Written));
    script.assert_is_finished();
}

#[tokio::test(start_paused = true)]
async fn a_failed_condition_is_our_own_write_if_the_record_has_its_mark() {
    for (found, outcome) in [
        (Response::ItemAsWritten, PutOutcome::Written),
        (Response::ItemOfAnother, PutOutcome::Refused),
    ] {
        let script = Script::of(&[Response::Refused("ConditionalCheckFailedException"), found]);
        let put = script.ledger().await.create_run(&run_record("run")).await;
        assert_eq!(put, Ok(outcome), "{found:?}");
        let script = Script::of(&[
            Response::Canceled(["ConditionalCheckFailed", "None"]),
            found,
        ]);
        let put = script.ledger().await.commit_plan(&step()).await;
        assert_eq!(put, Ok(outcome), "{found:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_transaction_in_progress_is_retried_with_the_same_token() {
    let script = Script::of(&[
        Response::TimedOut,
        Response::ItemBefore,
        Response::Refused("TransactionInProgressException"),
        Response::ItemBefore,
        Response::Canceled(["TransactionConflict", "None"]),
        Response::ItemBefore,
        Response::Done,
    ]);
    let written = script.ledger().await.commit_plan(&step()).await;
    assert_eq!(written, Ok(PutOutcome::Written));
    script.assert_is_finished();
    let sent = script.bodies("TransactWriteItems");
    assert_eq!(sent.len(), 4);
    assert!(sent[0]["ClientRequestToken"].is_string());
    assert!(sent.iter().all(|body| *body == sent[0]));
}

#[tokio::test(start_paused = true)]
async fn a_lasting_conflict_is_one_of_the_ledger_and_not_of_an_object() {
    let conflict = Response::Canceled(["None", "TransactionConflict"]);
    let attempts = retry::LEDGER_WRITE.attempts_max as usize;
    let script = Script::of(&[conflict, Response::ItemBefore].repeat(attempts));
    let refused = script.ledger().await.commit_plan(&step()).await;
    let fault = refused.unwrap_err();
    assert_eq!(fault.kind, FaultKind::ConcurrentWrite);
    assert_eq!(fault.into_failure().code, FailureCode::LedgerConflict);
    script.assert_is_finished();
}

#[tokio::test(start_paused = true)]
async fn a_write_that_cannot_be_settled_reports_why() {
    let script = Script::of(&[
        Response::Refused("ConditionalCheckFailedException"),
        Response::Refused("AccessDeniedException"),
    ]);
    let put = script.ledger().await.create_run(&run_record("run")).await;
    let fault = put.unwrap_err();
    assert_eq!(
        (fault.kind, fault.operation),
        (FaultKind::AccessDenied, "dynamodb:GetItem")
    );
    let script = Script::of(&[
        Response::TimedOut,
        Response::Refused("AccessDeniedException"),
    ]);
    let put = script.ledger().await.create_run(&run_record("run")).await;
    assert_eq!(
        put.unwrap_err().effect,
        Effect::Unknown,
        "it may have been written"
    );
    assert_eq!(script.operations().last().unwrap(), "GetItem");
}
