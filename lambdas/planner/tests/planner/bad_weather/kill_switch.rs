//! An HTTP client whose process is killed at a chosen request.

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

/// Kills the process at a chosen request.
#[derive(Debug, Clone, Default)]
pub(crate) struct KillSwitch {
    next: Arc<Mutex<Option<Kill>>>,
    killed: Arc<Notify>,
}

#[derive(Debug, Clone, Copy)]
struct Kill {
    requests_left: u64,
    /// Whether the request reaches the server, and only its response is lost.
    is_sent: bool,
}

impl KillSwitch {
    /// Kills the process at the request after so many others, before or after that request is sent.
    pub(crate) fn kill_at(&self, requests: u64, is_sent: bool) {
        *self.next.lock().unwrap() = Some(Kill {
            requests_left: requests,
            is_sent,
        });
    }

    /// Kills nothing from now on.
    pub(crate) fn reset(&self) {
        *self.next.lock().unwrap() = None;
    }

    /// Resolves when the process is killed. The caller drops its future.
    pub(crate) async fn killed(&self) {
        self.killed.notified().await;
    }

    /// Counts a request. Returns the kill that is due at it.
    fn begin_request(&self) -> Option<Kill> {
        let mut next = self.next.lock().unwrap();
        match next.as_mut() {
            Some(Kill {
                requests_left: 0, ..
            }) => next.take(),
            Some(kill) => {
                kill.requests_left -= 1;
                None
            }
            None => None,
        }
    }
}

/// An HTTP client with a kill switch.
#[derive(Debug)]
pub(crate) struct KillableClient {
    inner: SharedHttpClient,
    kill_switch: KillSwitch,
}

impl KillableClient {
    pub(crate) fn new(inner: SharedHttpClient, kill_switch: KillSwitch) -> Self {
        Self { inner, kill_switch }
    }
}

impl HttpClient for KillableClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(KillableConnector {
            inner: self.inner.http_connector(settings, components),
            kill_switch: self.kill_switch.clone(),
        })
    }
}

#[derive(Debug)]
struct KillableConnector {
    inner: SharedHttpConnector,
    kill_switch: KillSwitch,
}

impl HttpConnector for KillableConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(kill) = self.kill_switch.begin_request() else {
            return self.inner.call(request);
        };
        let call = kill.is_sent.then(|| self.inner.call(request));
        let killed = self.kill_switch.killed.clone();
        HttpConnectorFuture::new(async move {
            if let Some(call) = call {
                drop(call.await);
            }
            killed.notify_one();
            std::future::pending().await
        })
    }
}
