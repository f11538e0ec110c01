//! Measures the processor time per listed key of our own plain reader, of our XML reader, and of the SDK's parser. They
//! take turns over the same full page, which an HTTP client within the process returns; a comment in the page makes the
//! plain reader leave it to the XML reader. `cargo run --release --workspace --example listing_cost`

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

/// Responds to STS, HeadBucket and ListObjectsV2 without a network.
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

/// A page in the form that S3 writes, with the keys of a typical data lake.
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
        request_payer: false,
    };
    let accounts = AwsAccounts::new(&config, None);
    let listing = accounts.open_source(&source).await.expect("the bucket");
    (listing, aws_sdk_s3::Client::new(&config))
}

/// The processor time for each key of some pages, in microseconds.
async fn cost_of<F: Future<Output = usize>>(list: impl Fn() -> F) -> f64 {
    let started = processor_time();
    for _ in 0..PAGES {
        assert_eq!(list().await, PAGE_OBJECTS);
    }
    microseconds_per_key(processor_time() - started)
}

async fn list_with_our_parser(listing: &impl BucketListing) -> usize {
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
    let response = client
        .list_objects_v2()
        .bucket("source-bucket")
        .encoding_type(EncodingType::Url)
        .send()
        .await
        .expect("a page");
    response.contents().len()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "some hundred thousand keys and microseconds"
)]
fn microseconds_per_key(spent: Duration) -> f64 {
    spent.as_secs_f64() * 1e6 / (PAGES * PAGE_OBJECTS) as f64
}

/// The processor time of this thread, which does all the work. It does not depend on how busy the machine is.
fn processor_time() -> Duration {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux has it");
    let nanoseconds = schedule.split_whitespace().next().expect("a number");
    Duration::from_nanos(nanoseconds.parse().expect("a number"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let page = page();
    let commented = page.replace("<Name>", "<!-- --><Name>");
    let (listing, client) = open(page.leak()).await;
    let (commented_listing, _) = open(commented.leak()).await;
    let mut figures = Vec::new();
    for _ in 0..ROUNDS {
        figures.push(serde_json::json!({
            "plain_us": cost_of(|| list_with_our_parser(&listing)).await,
            "xml_us": cost_of(|| list_with_our_parser(&commented_listing)).await,
            "sdk_us": cost_of(|| list_with_the_sdk(&client)).await,
        }));
    }
    let report = serde_json::json!({"keys_per_round": PAGES * PAGE_OBJECTS, "per_key": figures});
    write_line(&report.to_string());
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are the purpose of the example"
)]
fn write_line(text: &str) {
    println!("{text}");
}
