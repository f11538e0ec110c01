//! An HTTP client that responds to requests for STS itself and forwards all others.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;

/// The account of the functions and of the source bucket.
pub(crate) const OWN_ACCOUNT: &str = "111111111111";
/// The account of the target bucket.
pub(crate) const TARGET_ACCOUNT: &str = "222222222222";

/// The requests that this stand-in for STS has seen, and how it responds.
#[derive(Debug, Clone, Default)]
pub(crate) struct LocalSts {
    assumed: Arc<AtomicUsize>,
    refuses: Arc<AtomicBool>,
    is_unreachable: Arc<AtomicBool>,
}

impl LocalSts {
    /// How often a role was assumed.
    pub(crate) fn assumed(&self) -> usize {
        self.assumed.load(Ordering::SeqCst)
    }

    /// Refuses to assume any role from now on.
    pub(crate) fn refuse(&self) {
        self.refuses.store(true, Ordering::SeqCst);
    }

    /// Resets every connection from now on.
    pub(crate) fn cut_off(&self) {
        self.is_unreachable.store(true, Ordering::SeqCst);
    }

    /// The client that calls this instead of STS.
    pub(crate) fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(Router {
            sts: self.clone(),
            network: aws_smithy_http_client::Builder::new().build_http(),
        })
    }

    fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let (status, document) = if body.contains("Action=GetCallerIdentity") {
            (200, identity())
        } else if self.refuses.load(Ordering::SeqCst) {
            (403, refusal())
        } else {
            assert!(body.contains("ExternalId=external-1"), "{body}");
            self.assumed.fetch_add(1, Ordering::SeqCst);
            (200, session())
        };
        let status = status.try_into().expect("a status");
        HttpResponse::new(status, SdkBody::from(document))
    }
}

#[derive(Debug)]
struct Router {
    sts: LocalSts,
    network: SharedHttpClient,
}

#[derive(Debug)]
struct RouterConnector {
    sts: LocalSts,
    network: SharedHttpConnector,
}

impl HttpClient for Router {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(RouterConnector {
            sts: self.sts.clone(),
            network: self.network.http_connector(settings, components),
        })
    }
}

impl HttpConnector for RouterConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if request.uri().contains("//sts.") {
            let response = if self.sts.is_unreachable.load(Ordering::SeqCst) {
                Err(ConnectorError::io("the connection was reset".into()))
            } else {
                Ok(self.sts.respond(&request))
            };
            HttpConnectorFuture::ready(response)
        } else {
            self.network.call(request)
        }
    }
}

fn identity() -> String {
    format!(
        "<GetCallerIdentityResponse><GetCallerIdentityResult>\
         <Arn>arn:aws:sts::{OWN_ACCOUNT}:assumed-role/Planner/x</Arn><UserId>u</UserId>\
         <Account>{OWN_ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
}

/// The model accepts an account id as the access key of the account's root.
fn session() -> String {
    format!(
        "<AssumeRoleResponse><AssumeRoleResult><AssumedRoleUser><AssumedRoleId>r:s</AssumedRoleId>\
         <Arn>arn:aws:sts::{TARGET_ACCOUNT}:assumed-role/Target/s</Arn></AssumedRoleUser><Credentials>\
         <AccessKeyId>{TARGET_ACCOUNT}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
         <SessionToken>token</SessionToken><Expiration>2096-01-01T00:00:00Z</Expiration></Credentials>\
         </AssumeRoleResult></AssumeRoleResponse>"
    )
}

fn refusal() -> String {
    "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
     <Message>is not authorized to perform: sts:AssumeRole</Message></Error>\
     <RequestId>request-1</RequestId></ErrorResponse>"
        .to_owned()
}
