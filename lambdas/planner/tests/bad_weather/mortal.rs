//! An HTTP client whose process ends at a chosen request.

use std::sync::{Arc, Mutex};

use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    runtime_components::RuntimeComponents,
};
use tokio::sync::Notify;

/// When the process ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Life {
    end: Arc<Mutex<Option<End>>>,
    ended: Arc<Notify>,
}

#[derive(Debug, Clone, Copy)]
struct End {
    requests_left: u64,
    /// Whether the request reaches the server, and only its answer is never seen.
    is_sent: bool,
}

impl Life {
    /// The process ends at the request that comes after so many others: before or after it is sent.
    pub(crate) fn end_at(&self, requests: u64, is_sent: bool) {
        *self.end.lock().unwrap() = Some(End {
            requests_left: requests,
            is_sent,
        });
    }

    /// The process lives on.
    pub(crate) fn go_on(&self) {
        *self.end.lock().unwrap() = None;
    }

    /// Resolves when it ended: drop what it was doing.
    pub(crate) async fn ended(&self) {
        self.ended.notified().await;
    }

    /// Counts a request. The end, if it is the last.
    fn begin_request(&self) -> Option<End> {
        let mut end = self.end.lock().unwrap();
        match end.as_mut() {
            Some(End {
                requests_left: 0, ..
            }) => end.take(),
            Some(end) => {
                end.requests_left -= 1;
                None
            }
            None => None,
        }
    }
}

/// The client.
#[derive(Debug)]
pub(crate) struct Mortal {
    inner: SharedHttpClient,
    life: Life,
}

impl Mortal {
    pub(crate) fn new(inner: SharedHttpClient, life: Life) -> Self {
        Self { inner, life }
    }
}

impl HttpClient for Mortal {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(MortalConnector {
            inner: self.inner.http_connector(settings, components),
            life: self.life.clone(),
        })
    }
}

#[derive(Debug)]
struct MortalConnector {
    inner: SharedHttpConnector,
    life: Life,
}

impl HttpConnector for MortalConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(end) = self.life.begin_request() else {
            return self.inner.call(request);
        };
        let call = end.is_sent.then(|| self.inner.call(request));
        let ended = self.life.ended.clone();
        HttpConnectorFuture::new(async move {
            if let Some(call) = call {
                drop(call.await);
            }
            ended.notify_one();
            std::future::pending().await
        })
    }
}
