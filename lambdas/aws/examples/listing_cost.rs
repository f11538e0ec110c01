//! What a listed key costs the client's processor: our own reader of listings, on the page as S3 writes it and with a
//! comment in it, which makes it one for the XML library; and the SDK's reader. In turn, over the same full page that
//! an HTTP client within the process answers. `cargo run --release --workspace --example listing_cost`

use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::{
    config::{Credentials, SharedHttpClient},
    types::EncodingType,
};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use shardlift_aws::AwsAccounts;
use shardlift_core::{
    port::{Accounts, BucketListing, ListRequest},
    run::pair::Source,
    value::{bucket::BucketName, key::KeyPrefix},
};

const PAGE_OBJECTS: usize = 1_000;
const PAGES: usize = 200;
const ROUNDS: usize = 5;

/// Answers STS, HeadBucket and ListObjectsV2 without a network.
#[derive(Debug, Clone)]
struct Canned {
    page: &'static str,
}

impl HttpClient for Canned {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = if request.uri().contains("//sts.") {
            SdkBody::from(
                "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>a</Arn>\
                 <Account>111111111111</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
            )
        } else if request.method() == "HEAD" {
            SdkBody::empty()
        } else {
            SdkBody::from(self.page)
        };
        let status = 200_u16.try_into().expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, body)))
    }
}

/// A page as S3 writes it, with keys as a data lake has them.
fn page() -> String {
    let objects: String = (0..PAGE_OBJECTS)
        .map(|number| {
            format!(
                "<Contents><Key>data/year%3D2026/month%3D11/day%3D22/part-{number:08}.parquet</Key>\
                 <LastModified>2026-11-22T01:02:03.000Z</LastModified>\
                 <ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>{number}</Size>\
                 <StorageClass>STANDARD</StorageClass></Contents>"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix/>\
         <KeyCount>{PAGE_OBJECTS}</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>\
         <IsTruncated>false</IsTruncated>{objects}</ListBucketResult>"
    )
}

async fn open(page: &'static str) -> (impl BucketListing, aws_sdk_s3::Client) {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "canned"))
        .http_client(SharedHttpClient::new(Canned { page }))
        .load()
        .await;
    let source = Source {
        bucket: BucketName::new("source-bucket").expect("a name"),
        prefix: KeyPrefix::default(),
    };
    let accounts = AwsAccounts::new(&config, None);
    let listing = accounts.open_source(&source).await.expect("the bucket");
    (listing, aws_sdk_s3::Client::new(&config))
}

/// What the keys of some pages cost, in microseconds each.
async fn cost_of<F: Future<Output = usize>>(list: impl Fn() -> F) -> f64 {
    let began = processor_time();
    for _ in 0..PAGES {
        assert_eq!(list().await, PAGE_OBJECTS);
    }
    microseconds_per_key(processor_time() - began)
}

async fn list_with_our_own(listing: &impl BucketListing) -> usize {
    let request = ListRequest {
        prefix: KeyPrefix::default(),
        after: None,
    };
    listing
        .list_page(&request)
        .await
        .expect("a page")
        .objects
        .len()
}

async fn list_with_the_sdk(client: &aws_sdk_s3::Client) -> usize {
    let answer = client
        .list_objects_v2()
        .bucket("source-bucket")
        .encoding_type(EncodingType::Url)
        .send()
        .await
        .expect("a page");
    answer.contents().len()
}

#[allow(
    clippy::cast_precision_loss,
    reason = "some hundred thousand keys and microseconds"
)]
fn microseconds_per_key(spent: Duration) -> f64 {
    spent.as_secs_f64() * 1e6 / (PAGES * PAGE_OBJECTS) as f64
}

/// The processor's time of this thread, which does everything: a busy machine does not show in it.
fn processor_time() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
    let nanoseconds = told.split_whitespace().next().expect("a number");
    Duration::from_nanos(nanoseconds.parse().expect("a number"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let page = page();
    let commented = page.replace("<Name>", "<!-- --><Name>");
    let (listing, client) = open(page.leak()).await;
    let (library, _) = open(commented.leak()).await;
    let mut figures = Vec::new();
    for _ in 0..ROUNDS {
        figures.push(serde_json::json!({
            "own_us": cost_of(|| list_with_our_own(&listing)).await,
            "library_us": cost_of(|| list_with_our_own(&library)).await,
            "sdk_us": cost_of(|| list_with_the_sdk(&client)).await,
        }));
    }
    let report = serde_json::json!({"keys_per_round": PAGES * PAGE_OBJECTS, "per_key": figures});
    write_line(&report.to_string());
}

#[allow(clippy::print_stdout, reason = "the figures are what it is run for")]
fn write_line(text: &str) {
    println!("{text}");
}
