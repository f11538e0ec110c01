//! The control API.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use shardlift_s3_model::{Model, Server};

/// Sends a control request and returns the status and the document of the response.
fn control(server: &Server, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let mut stream = TcpStream::connect(server.address()).expect("the server listens");
    let length = body.len();
    let request = format!(
        "{method} /_model/{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("a request");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("a response");
    let status = response[9..12].parse().expect("a status");
    let document = response
        .split_once("\r\n\r\n")
        .map_or("", |(_, document)| document);
    (status, serde_json::from_str(document).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buckets_are_created_filled_inspected_and_compared() {
    let model = Model::builder().build().expect("valid");
    let server = model.start().await.expect("a free port");
    let space = json!({"owner": "222222222222", "region": "eu-west-1",
        "key_space": {"shape": {"kind": "dated", "days": 30}, "objects": 1000, "seed": 3, "missing_every": 10}});
    assert_eq!(control(&server, "PUT", "buckets/lake", &space).0, 200);
    let (_, description) = control(&server, "GET", "buckets/lake", &Value::Null);
    assert_eq!(
        (&description["owner"], &description["computed_keys"]),
        (&json!("222222222222"), &json!(900))
    );
    assert_eq!(control(&server, "PUT", "buckets/a", &Value::Null).0, 200);
    assert_eq!(control(&server, "PUT", "buckets/b", &Value::Null).0, 200);
    let encrypted = json!({"default_encryption": "arn:aws:kms:us-east-1:111111111111:key/1"});
    assert_eq!(
        control(&server, "PUT", "buckets/encrypted", &encrypted).0,
        200
    );
    let objects = json!({"key": "x/", "size_bytes": 5, "count": 20, "tags": {"k": "v"}});
    assert_eq!(control(&server, "POST", "objects/a", &objects).0, 200);
    let sides = json!({"source": {"bucket": "a", "prefix": "x/"}, "target": {"bucket": "b", "prefix": "y/"}});
    let (_, comparison) = control(&server, "POST", "compare", &sides);
    assert_eq!(
        (&comparison["missing"], &comparison["identical"]),
        (&json!(20), &json!(0))
    );
    let objects = json!({"key": "y/", "size_bytes": 5, "count": 20});
    control(&server, "POST", "objects/b", &objects);
    let (_, comparison) = control(&server, "POST", "compare", &sides);
    assert_eq!(
        (&comparison["missing"], &comparison["identical"]),
        (&json!(0), &json!(20))
    );
    assert_eq!(control(&server, "POST", "reset", &Value::Null).0, 200);
    assert_eq!(control(&server, "GET", "buckets/a", &Value::Null).0, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weather_and_principals_are_set_while_the_server_runs() {
    let model = Model::builder().build().expect("valid");
    let server = model.start().await.expect("a free port");
    let weather = json!({"seed": 5, "time_scale": 60, "clock_skew_s": 3,
        "latency": {"CopyObject": {"base_ms": 20, "per_copied_gib_ms": 8000}},
        "partition_limits": {"writes_per_s": 100},
        "rules": [{"operations": ["CopyObject"], "share": 0.1, "fault": {"kind": "refuse", "code": "SlowDown"}}]});
    assert_eq!(control(&server, "PUT", "weather", &weather).0, 200);
    let (_, reported) = control(&server, "GET", "weather", &Value::Null);
    assert_eq!(
        (&reported["weather"]["seed"], &reported["fired"]),
        (&json!(5), &json!([0]))
    );
    assert_eq!(model.weather().rules.len(), 1);
    let role = json!({"account": "222222222222", "arn": "arn:aws:iam::222222222222:role/copier"});
    assert_eq!(control(&server, "PUT", "principals/ASIA1", &role).0, 200);
    assert_eq!(control(&server, "PUT", "principals/*", &role).0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_control_requests_are_refused() {
    let model = Model::builder().build().expect("valid");
    let server = model.start().await.expect("a free port");
    for (method, path, body) in [
        ("PUT", "weather", json!({"sunshine": true})),
        ("PUT", "weather", json!({"time_scale": 0})),
        (
            "PUT",
            "buckets/b",
            json!({"key_space": {"shape": {"kind": "dated", "days": 0}, "objects": 1}}),
        ),
        ("PUT", "principals/", json!({"account": "1", "arn": "a"})),
    ] {
        assert_eq!(
            control(&server, method, path, &body).0,
            400,
            "{method} {path} {body}"
        );
    }
    assert_eq!(control(&server, "GET", "nonsense", &Value::Null).0, 404);
    assert_eq!(
        control(
            &server,
            "POST",
            "objects/none",
            &json!({"key": "k", "size_bytes": 1})
        )
        .0,
        404
    );
}
