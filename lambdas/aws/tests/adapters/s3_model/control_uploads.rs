//! The requests of an upload to the control bucket.

use std::sync::{Arc, Mutex};

use aws_sdk_s3::{Client, config::Intercept};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::context::BeforeTransmitInterceptorContextRef,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;
use shardlift_aws::{S3ControlStore, clients};
use shardlift_core::{
    failure::fault::FaultKind,
    port::{ControlStore, ControlWriter},
    value::arn::AccountId,
};
use shardlift_s3_model::ObjectSpec;

use super::world::{control_bucket, own_account};

/// Two full parts and a short one.
const BYTES: usize = 20 * 1024 * 1024;

/// A request as it was sent: its method, its headers by lower-case name, and its body if that is in memory.
#[derive(Debug, Clone)]
struct SentRequest {
    method: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl SentRequest {
    fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(sent, _)| sent == name);
        header.map(|(_, value)| value.as_str())
    }
}

/// Records the requests of a client.
#[derive(Debug, Clone, Default)]
struct Recording(Arc<Mutex<Vec<SentRequest>>>);

impl Recording {
    fn requests(&self, method: &str) -> Vec<SentRequest> {
        let requests = self.0.lock().unwrap();
        let of_method = requests.iter().filter(|request| request.method == method);
        of_method.cloned().collect()
    }
}

impl Intercept for Recording {
    fn name(&self) -> &'static str {
        "Recording"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let headers = request.headers().iter();
        let body = request.body().bytes().unwrap_or_default();
        self.0.lock().unwrap().push(SentRequest {
            method: request.method().to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            body: String::from_utf8_lossy(body).into_owned(),
        });
        Ok(())
    }
}

/// S3 refuses to complete an upload that names checksums of parts if the upload was created without an algorithm:
/// `InvalidPart`, or "Checksum Type mismatch occurred, expected checksum Type: null".
#[tokio::test]
async fn an_upload_is_created_with_the_checksum_that_its_completion_names() {
    let (_model, _server, config, bucket) = control_bucket().await;
    let recording = Recording::default();
    let control = clients::control_client(&config)
        .config()
        .to_builder()
        .interceptor(recording.clone());
    let store = S3ControlStore::new(Client::from_conf(control.build()), bucket, own_account());

    let bytes: Vec<u8> = (0..=255_u8).cycle().take(BYTES).collect();
    let mut writer = store.open("runs/run/failures.csv", "text/csv");
    for piece in bytes.chunks(1_000_000) {
        writer.write(piece).await.unwrap();
    }
    writer.finish().await.unwrap();
    let read = store.get("runs/run/failures.csv").await.unwrap();
    assert!(read.unwrap() == bytes, "the object is whole");

    let parts = recording.requests("PUT");
    let [created, completed] = recording.requests("POST").try_into().unwrap();
    assert_eq!(created.header("x-amz-checksum-algorithm"), Some("CRC32"));
    assert_eq!(parts.len(), 3);
    for part in &parts {
        let sent = part.header("x-amz-trailer");
        assert!(
            sent == Some("x-amz-checksum-crc32") || part.header("x-amz-checksum-crc32").is_some(),
            "{part:?}"
        );
    }
    let named = completed.body.matches("<Checksum").count();
    let of_algorithm = completed.body.matches("<ChecksumCRC32>").count();
    assert_eq!((named, of_algorithm), (3, 3), "{}", completed.body);
}

/// The bucket was deleted, and another account took its name: nothing is written there, and nothing read.
#[tokio::test]
async fn a_control_bucket_of_another_account_is_refused() {
    let (model, _server, config, bucket) = control_bucket().await;
    let written = model.bucket("control-bucket").unwrap();
    written.put("runs/run/planted", ObjectSpec::synthetic(1, 3));
    let recording = Recording::default();
    let control = clients::control_client(&config)
        .config()
        .to_builder()
        .interceptor(recording.clone());
    let client = Client::from_conf(control.build());
    let other = AccountId::new("999999999999").unwrap();
    let store = S3ControlStore::new(client.clone(), bucket.clone(), other);
    let read = store.get("runs/run/planted").await.map(drop);
    let put = store.put("runs/run/x", "text/plain", Vec::new()).await;
    let mut writer = store.open("runs/run/y", "text/csv");
    let uploaded = writer.write(&vec![0; BYTES]).await;
    for refused in [read, put, uploaded] {
        let fault = refused.unwrap_err();
        assert_eq!(fault.kind, FaultKind::AccessDenied, "{fault}");
        let owner = "control-bucket does not belong to the account 999999999999";
        assert!(fault.message.contains(owner), "{fault}");
    }
    assert!(written.object("runs/run/x").is_none());

    // The requests of an upload that has begun name the owner too.
    let store = S3ControlStore::new(client, bucket, own_account());
    let mut writer = store.open("runs/run/z", "text/csv");
    writer.write(&vec![0; BYTES]).await.unwrap();
    writer.abandon().await.unwrap();
    let mut writer = store.open("runs/run/z", "text/csv");
    writer.write(&vec![0; BYTES]).await.unwrap();
    writer.finish().await.unwrap();
    for method in ["GET", "PUT", "POST", "DELETE"] {
        let requests = recording.requests(method);
        assert!(!requests.is_empty(), "{method}");
        for request in requests {
            let owner = request.header("x-amz-expected-bucket-owner");
            assert!(owner.is_some(), "{request:?}");
        }
    }
}

#[tokio::test]
async fn an_object_that_would_fill_the_memory_is_refused_before_it_is_read() {
    let (model, _server, config, bucket) = control_bucket().await;
    let store = S3ControlStore::new(clients::control_client(&config), bucket, own_account());
    let written = model.bucket("control-bucket").unwrap();
    for (key, mib, is_read) in [("runs/run/a", 64, true), ("runs/run/b", 65, false)] {
        written.put(key, ObjectSpec::synthetic(1, mib << 20));
        let read = store.get(key).await;
        assert_eq!(read.is_ok(), is_read, "{key}");
        if let Err(fault) = read {
            assert_eq!(fault.kind, FaultKind::Rejected);
            let advice = "aws s3 cp s3://control-bucket/runs/run/b .";
            assert!(fault.message.contains(advice), "{fault}");
        }
    }
}
