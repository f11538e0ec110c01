//! The weather, as a client feels it: each fault, and the calm without it.

use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use shardlift_s3_model::{
    BucketSpec, ErrorCode, Fault, KeySpaceSpec, Latency, Model, ObjectSpec, Operation,
    PartitionLimits, Rule, Server, Weather,
};

struct Stage {
    model: Model,
    client: Client,
    _server: Server,
}

/// A bucket `s` with one object `k` and a key space `big`, and a bucket `t`.
async fn stage() -> Stage {
    let model = Model::builder()
        .bucket(BucketSpec::new("s"))
        .bucket(BucketSpec::new("t"))
        .bucket(BucketSpec::new("big").key_space(KeySpaceSpec::flat(5_000)))
        .build()
        .expect("valid");
    model
        .bucket("s")
        .expect("just made")
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
    Stage {
        model,
        client: Client::from_conf(config),
        _server: server,
    }
}

impl Stage {
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
async fn errors_come_before_or_after_the_effect() {
    let stage = stage().await;
    for happened in [false, true] {
        let fault = Fault::Refuse {
            code: ErrorCode::InternalError,
            happened,
        };
        stage.set(vec![
            Rule::new(fault)
                .operations(&[Operation::CopyObject])
                .times(1),
        ]);
        assert_eq!(stage.copy().await, Err("500 InternalError".to_owned()));
        assert_eq!(stage.copied(), happened);
    }
    assert_eq!(stage.copy().await, Ok(()));
    assert_eq!(
        stage.model.counters().answered(Operation::CopyObject, 500),
        2
    );
}

#[tokio::test]
async fn an_error_can_hide_in_a_200() {
    let stage = stage().await;
    for happened in [false, true] {
        stage.set(vec![
            Rule::new(Fault::RefuseIn200 {
                code: ErrorCode::InternalError,
                happened,
            })
            .times(1),
        ]);
        assert_eq!(stage.copy().await, Err("200 InternalError".to_owned()));
        assert_eq!(stage.copied(), happened);
    }
    assert_eq!(stage.copy().await, Ok(()));
}

#[tokio::test]
async fn a_connection_is_reset_before_or_after_the_effect() {
    let stage = stage().await;
    for happened in [false, true] {
        stage.set(vec![Rule::new(Fault::Reset { happened }).times(1)]);
        assert_eq!(stage.copy().await, Err("connection".to_owned()));
        assert_eq!(stage.copied(), happened);
    }
    assert_eq!(stage.copy().await, Ok(()));
    assert_eq!(stage.model.counters().dropped, 2);
}

#[tokio::test]
async fn a_listing_page_breaks_off_in_its_middle() {
    let stage = stage().await;
    let list = || stage.client.list_objects_v2().bucket("big").send();
    stage.set(vec![
        Rule::new(Fault::CutBody {
            share: 0.5,
            well_framed: false,
        })
        .times(1),
    ]);
    let error = list().await.expect_err("half a page is no page");
    assert!(!matches!(error, SdkError::ServiceError(_)), "{error:?}");
    assert_eq!(list().await.expect("the calm").contents().len(), 1000);
}

#[tokio::test]
async fn a_page_whose_document_is_cut_but_whose_framing_is_right_passes_the_sdk() {
    let stage = stage().await;
    let list = || stage.client.list_objects_v2().bucket("big").send();
    stage.set(vec![
        Rule::new(Fault::CutBody {
            share: 0.5,
            well_framed: true,
        })
        .times(1),
    ]);
    // aws-sdk-s3 1.157 takes the half document for a whole one. Only KeyCount gives it away.
    let half = list().await.expect("the SDK's parser is lenient");
    assert_eq!(half.key_count(), Some(1000));
    assert!(
        (400..600).contains(&half.contents().len()),
        "{}",
        half.contents().len()
    );
    assert_eq!(list().await.expect("the calm").contents().len(), 1000);
}

#[tokio::test]
async fn an_answer_falls_silent_for_minutes_of_model_time() {
    let stage = stage().await;
    let rules = vec![Rule::new(Fault::Silence { ms: 120_000 }).times(1)];
    // Two minutes at six hundred times the pace: 200 ms.
    stage.model.set_weather(Weather {
        rules,
        time_scale: 600.0,
        ..Weather::default()
    });
    let began = Instant::now();
    assert_eq!(stage.copy().await, Ok(()));
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(200), "{took:?}");
    assert!(stage.copied());
    let began = Instant::now();
    assert_eq!(stage.copy().await, Ok(()));
    assert!(
        began.elapsed() < Duration::from_millis(190),
        "the rule fires once"
    );
}

#[tokio::test]
async fn copies_take_their_time_by_the_byte() {
    let stage = stage().await;
    let latency = Latency {
        base_ms: 30_000.0,
        jitter_ms: 0.0,
        per_copied_gib_ms: 90_000.0,
    };
    let latency = std::collections::BTreeMap::from([(Operation::CopyObject, latency)]);
    stage.model.set_weather(Weather {
        latency,
        time_scale: 600.0,
        ..Weather::default()
    });
    let began = Instant::now();
    assert_eq!(stage.copy().await, Ok(()));
    // 30 s and 90 s for the one GiB, at six hundred times the pace.
    assert!(began.elapsed() >= Duration::from_millis(200));
    let began = Instant::now();
    stage
        .client
        .head_object()
        .bucket("s")
        .key("k")
        .send()
        .await
        .expect("other operations are quick");
    assert!(began.elapsed() < Duration::from_millis(190));
}

#[tokio::test]
async fn a_prefix_slows_down_above_its_limit() {
    let stage = stage().await;
    let limits = PartitionLimits {
        changes_per_s: 0.001,
        burst_s: 2_000.0,
        ..PartitionLimits::default()
    };
    stage.model.set_weather(Weather {
        partition_limits: Some(limits),
        ..Weather::default()
    });
    assert_eq!(stage.copy().await, Ok(()));
    assert_eq!(stage.copy().await, Ok(()));
    assert_eq!(stage.copy().await, Err("503 SlowDown".to_owned()));
    assert_eq!(stage.model.counters().throttled, 1);
    stage
        .client
        .head_object()
        .bucket("t")
        .key("k")
        .send()
        .await
        .expect("looks have a limit of their own");
}

#[tokio::test]
async fn a_session_expires_in_the_middle() {
    let stage = stage().await;
    stage.set(vec![Rule::new(Fault::ExpireSession).skip(1)]);
    assert_eq!(stage.copy().await, Ok(()));
    assert_eq!(stage.copy().await, Err("400 ExpiredToken".to_owned()));
    stage.set(Vec::new());
    assert_eq!(stage.copy().await, Ok(()));
}

#[tokio::test]
async fn counters_tell_requests_bytes_and_cost() {
    let stage = stage().await;
    stage.copy().await.expect("calm");
    stage.copy().await.expect("calm");
    let missing = stage
        .client
        .head_object()
        .bucket("s")
        .key("none")
        .send()
        .await;
    assert!(missing.is_err());
    let counters = stage.model.counters();
    assert_eq!(counters.answered(Operation::CopyObject, 200), 2);
    assert_eq!(counters.answered(Operation::HeadObject, 404), 1);
    assert_eq!(counters.copied_bytes, 2 << 30);
    assert_eq!((counters.in_flight, counters.in_flight_peak), (0, 1));
    assert!((counters.cost.total_usd - (2.0 * 0.005 + 0.0004) / 1000.0).abs() < 1e-12);
    stage.model.reset_counters();
    assert_eq!(stage.model.counters().requests_of(Operation::CopyObject), 0);
}
