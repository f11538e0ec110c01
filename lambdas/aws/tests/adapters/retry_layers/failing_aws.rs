//! An HTTP client that opens every bucket and session, and fails every other request.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use aws_config::{Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedHttpClient};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use shardlift_aws::clients;

const REGION: &str = "eu-central-1";

const SESSION: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
    <Credentials><AccessKeyId>key</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>\
    <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
const EXPIRED_SESSION: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <AssumeRoleResult><Credentials><AccessKeyId>key</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
    <SessionToken>token</SessionToken><Expiration>2001-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>\
    </AssumeRoleResponse>";
const IDENTITY: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <GetCallerIdentityResult><Account>111111111111</Account><Arn>arn:aws:iam::111111111111:role/Planner</Arn>\
    <UserId>id</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>";

/// The client. Clones share their counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct FailingAws {
    requests: Arc<Mutex<BTreeMap<String, u32>>>,
    sessions: Arc<Mutex<Sessions>>,
}

/// What AssumeRole responds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Sessions {
    #[default]
    Valid,
    /// Sessions that are renewed before each call.
    Expired,
    Failing,
}

impl FailingAws {
    /// The settings of a function whose requests it receives.
    pub(crate) async fn config(&self) -> SdkConfig {
        clients::config_loader()
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .http_client(SharedHttpClient::new(self.clone()))
            .load()
            .await
    }

    /// The number of failed requests by operation since the last call of this.
    pub(crate) fn take_failed(&self) -> Vec<(String, u32)> {
        let requests = std::mem::take(&mut *self.requests.lock().unwrap());
        requests.into_iter().collect()
    }

    /// Changes the response of AssumeRole.
    pub(crate) fn set_sessions(&self, sessions: Sessions) {
        *self.sessions.lock().unwrap() = sessions;
    }

    fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let body = request.body().bytes().unwrap_or_default();
        let body = String::from_utf8_lossy(body);
        let sessions = *self.sessions.lock().unwrap();
        let (status, document) = if request.method() == "HEAD" && is_of_bucket(request.uri()) {
            (200, "")
        } else if body.contains("Action=GetCallerIdentity") {
            (200, IDENTITY)
        } else if body.contains("Action=AssumeRole") && sessions != Sessions::Failing {
            match sessions {
                Sessions::Valid => (200, SESSION),
                _ => (200, EXPIRED_SESSION),
            }
        } else {
            let mut requests = self.requests.lock().unwrap();
            *requests.entry(operation(request)).or_default() += 1;
            (500, "")
        };
        let status = u16::try_from(status).unwrap().try_into().unwrap();
        HttpResponse::new(status, SdkBody::from(document))
    }
}

fn is_of_bucket(uri: &str) -> bool {
    uri.ends_with(".amazonaws.com/")
}

/// The operation: the target header if the protocol has one, otherwise the method and the query.
fn operation(request: &HttpRequest) -> String {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.rsplit('.').next().unwrap().to_owned();
    }
    let query = request.uri().split_once('?').map_or("", |(_, query)| query);
    let first = query.split('&').next().unwrap();
    format!("{} {first}", request.method())
        .trim_end()
        .to_owned()
}

impl HttpClient for FailingAws {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for FailingAws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Ok(self.respond(&request)))
    }
}
