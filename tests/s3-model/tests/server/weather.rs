//! The weather, as a client sees it: each fault, and the requests after it.

use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use shardlift_s3_model::{
    BucketSpec, ErrorCode, Fault, KeySpaceSpec, Latency, Model, ObjectSpec, Operation,
    PartitionLimits, Rule, Server, Weather,
};

struct Fixture {
    model: Model,
    client: Client,
    _server: Server,
}

/// Serves a bucket `s` with one object `k`, an empty bucket `t`, and a bucket `big` of computed
/// keys.
async fn fixture() -> Fixture {
    let model = Model::builder()
        .bucket(BucketSpec::new("s"))
        .bucket(BucketSpec::new("t"))
        .bucket(BucketSpec::new("big").key_space(KeySpaceSpec::flat(5_000)))
        .build()
        .expect("valid");
    model
        .bucket("s")
        .expect("created above")
        .put("k", ObjectSpec::synthetic(1, 1 << 30));
    let server = model.start().await.expect("a free port");
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(server.endpoint_url())
        .force_path_style(true)
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
        .credentials_provider(Credentials::new("key", "secret", None, None, "weather"))
        .build();
    Fixture {
        model,
        client: Client::from_conf(config),
        _server: server,
    }
}

impl Fixture {
    fn set(&self, rules: Vec<Rule>) {
        self.model.set_weather(Weather {
            rules,
            ..Weather::default()
        });
    }

    async fn copy(&self) -> Result<(), String> {
        let copy = self
            .client
            .copy_object()
            .bucket("t")
            .key("k")
            .copy_source("s/k")
            .send()
            .await;
        copy.map(|_| ()).map_err(|error| match &error {
            SdkError::ServiceError(_) => {
                let status = error
                    .raw_response()
                    .map_or(0, |response| response.status().as_u16());
                format!("{status} {}", error.code().unwrap_or(""))
            }
            SdkError::DispatchFailure(_) => "connection".to_owned(),
            other => format!("{other:?}"),
        })
    }

    fn copied(&self) -> bool {
        self.model
            .bucket("t")
            .and_then(|bucket| bucket.object("k"))
            .is_some()
    }
}

#[tokio::test]
async fn errors_are_sent_before_or_after_the_effect() {
    let fixture = fixture().await;
    for happened in [false, true] {
        let fault = Fault::Refuse {
            code: ErrorCode::InternalError,
            happened,
        };
        fixture.set(vec![
            Rule::new(fault)
                .operations(&[Operation::CopyObject])
                .times(1),
        ]);
        assert_eq!(fixture.copy().await, Err("500 InternalError".to_owned()));
        assert_eq!(fixture.copied(), happened);
    }
    assert_eq!(fixture.copy().await, Ok(()));
    assert_eq!(
        fixture
            .model
            .counters()
            .responses(Operation::CopyObject, 500),
        2
    );
}

#[tokio::test]
async fn an_error_can_hide_in_a_200() {
    let fixture = fixture().await;
    for happened in [false, true] {
        fixture.set(vec![
            Rule::new(Fault::RefuseIn200 {
                code: ErrorCode::InternalError,
                happened,
            })
            .times(1),
        ]);
        assert_eq!(fixture.copy().await, Err("200 InternalError".to_owned()));
        assert_eq!(fixture.copied(), happened);
    }
    assert_eq!(fixture.copy().await, Ok(()));
}

#[tokio::test]
async fn a_connection_is_reset_before_or_after_the_effect() {
    let fixture = fixture().await;
    for happened in [false, true] {
        fixture.set(vec![Rule::new(Fault::Reset { happened }).times(1)]);
        assert_eq!(fixture.copy().await, Err("connection".to_owned()));
        assert_eq!(fixture.copied(), happened);
    }
    assert_eq!(fixture.copy().await, Ok(()));
    assert_eq!(fixture.model.counters().dropped, 2);
}

#[tokio::test]
async fn a_listing_page_is_cut_off_in_the_middle() {
    let fixture = fixture().await;
    let list = || fixture.client.list_objects_v2().bucket("big").send();
    fixture.set(vec![
        Rule::new(Fault::CutBody {
            share: 0.5,
            well_framed: false,
        })
        .times(1),
    ]);
    let error = list().await.expect_err("half a page is an error");
    assert!(!matches!(error, SdkError::ServiceError(_)), "{error:?}");
    assert_eq!(list().await.expect("no fault").contents().len(), 1000);
}

#[tokio::test]
async fn a_cut_document_with_correct_framing_passes_the_sdk() {
    let fixture = fixture().await;
    let list = || fixture.client.list_objects_v2().bucket("big").send();
    fixture.set(vec![
        Rule::new(Fault::CutBody {
            share: 0.5,
            well_framed: true,
        })
        .times(1),
    ]);
    // aws-sdk-s3 1.157 accepts half of the document. Only KeyCount shows that entries are missing.
    let half = list().await.expect("the SDK's parser is lenient");
    assert_eq!(half.key_count(), Some(1000));
    assert!(
        (400..600).contains(&half.contents().len()),
        "{}",
        half.contents().len()
    );
    assert_eq!(list().await.expect("no fault").contents().len(), 1000);
}

#[tokio::test]
async fn a_response_stalls_for_minutes_of_model_time() {
    let fixture = fixture().await;
    let rules = vec![Rule::new(Fault::Silence { ms: 120_000 }).times(1)];
    // Two minutes at 600 times the speed: 200 ms.
    fixture.model.set_weather(Weather {
        rules,
        time_scale: 600.0,
        ..Weather::default()
    });
    let started = Instant::now();
    assert_eq!(fixture.copy().await, Ok(()));
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(200), "{took:?}");
    assert!(fixture.copied());
    let started = Instant::now();
    assert_eq!(fixture.copy().await, Ok(()));
    assert!(
        started.elapsed() < Duration::from_millis(190),
        "the rule fires once"
    );
}

#[tokio::test]
async fn copies_take_time_in_proportion_to_their_bytes() {
    let fixture = fixture().await;
    let latency = Latency {
        base_ms: 30_000.0,
        jitter_ms: 0.0,
        per_copied_gib_ms: 90_000.0,
    };
    let latency = std::collections::BTreeMap::from([(Operation::CopyObject, latency)]);
    fixture.model.set_weather(Weather {
        latency,
        time_scale: 600.0,
        ..Weather::default()
    });
    let started = Instant::now();
    assert_eq!(fixture.copy().await, Ok(()));
    // 30 s, and 90 s for the one GiB, at 600 times the speed.
    assert!(started.elapsed() >= Duration::from_millis(200));
    let started = Instant::now();
    fixture
        .client
        .head_object()
        .bucket("s")
        .key("k")
        .send()
        .await
        .expect("other operations have no latency");
    assert!(started.elapsed() < Duration::from_millis(190));
}

#[tokio::test]
async fn a_partition_is_throttled_above_its_limit() {
    let fixture = fixture().await;
    let limits = PartitionLimits {
        writes_per_s: 0.001,
        burst_s: 2_000.0,
        ..PartitionLimits::default()
    };
    fixture.model.set_weather(Weather {
        partition_limits: Some(limits),
        ..Weather::default()
    });
    assert_eq!(fixture.copy().await, Ok(()));
    assert_eq!(fixture.copy().await, Ok(()));
    assert_eq!(fixture.copy().await, Err("503 SlowDown".to_owned()));
    assert_eq!(fixture.model.counters().throttled, 1);
    fixture
        .client
        .head_object()
        .bucket("t")
        .key("k")
        .send()
        .await
        .expect("reads have a separate limit");
}

#[tokio::test]
async fn a_session_expires_in_the_middle() {
    let fixture = fixture().await;
    fixture.set(vec![Rule::new(Fault::ExpireSession).skip(1)]);
    assert_eq!(fixture.copy().await, Ok(()));
    assert_eq!(fixture.copy().await, Err("400 ExpiredToken".to_owned()));
    fixture.set(Vec::new());
    assert_eq!(fixture.copy().await, Ok(()));
}

#[tokio::test]
async fn counters_report_requests_bytes_and_cost() {
    let fixture = fixture().await;
    fixture.copy().await.expect("no fault");
    fixture.copy().await.expect("no fault");
    let missing = fixture
        .client
        .head_object()
        .bucket("s")
        .key("none")
        .send()
        .await;
    assert!(missing.is_err());
    let counters = fixture.model.counters();
    assert_eq!(counters.responses(Operation::CopyObject, 200), 2);
    assert_eq!(counters.responses(Operation::HeadObject, 404), 1);
    assert_eq!(counters.copied_bytes, 2 << 30);
    assert_eq!((counters.in_flight, counters.in_flight_peak), (0, 1));
    assert!((counters.cost.total_usd - (2.0 * 0.005 + 0.0004) / 1000.0).abs() < 1e-12);
    fixture.model.reset_counters();
    assert_eq!(
        fixture.model.counters().requests_of(Operation::CopyObject),
        0
    );
}
