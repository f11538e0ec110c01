use serde_json::{Value, json};

use super::*;

fn bucket() -> BucketName {
    BucketName::new("source").unwrap()
}

fn through_eventbridge(key: &str, kind: &str) -> Value {
    json!({
        "version": "0", "id": "17793124", "detail-type": kind, "source": "aws.s3",
        "account": "111122223333", "time": "2021-11-12T00:00:00Z", "region": "ca-central-1",
        "resources": ["arn:aws:s3:::source"],
        "detail": {
            "version": "0", "bucket": {"name": "source"}, "reason": "PutObject",
            "object": {"key": key, "size": 5, "etag": "b1946ac9", "sequencer": "617f08299329d189"},
        },
    })
}

fn direct(key: &str, name: &str) -> Value {
    json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "eventTime": "2021-11-12T00:00:00.000Z", "eventName": name,
        "s3": {"bucket": {"name": "source"}, "object": {"key": key, "sequencer": "0A1B2C3D4E5F678901"}},
    }]})
}

fn read(message: &Value) -> Result<Message, String> {
    Message::read(&message.to_string(), &bucket())
}

fn events(message: &Value) -> ReadEvents {
    match read(message).unwrap() {
        Message::Events(read) => read,
        Message::Wake => panic!("it is an event"),
    }
}

fn keys(message: &Value) -> Vec<String> {
    let read = events(message);
    assert_eq!(read.problems, Vec::<String>::new());
    read.events.iter().map(|one| one.key.to_string()).collect()
}

/// Keys that a wrong decoding makes others of.
fn hostile_keys() -> Vec<String> {
    let fixed = [
        "a b",
        "a+b",
        " ",
        "+",
        "%",
        "%41",
        "%2B",
        "%2b+%20 ",
        "%%2B",
        "a%2Fb",
        "%C3%BC",
        "\u{fc}\u{1f600}\u{202e}",
        "nul\u{0}key",
        "a\nb\r\tc",
        "..//x",
        "a\"\\'&<>",
        "\u{feff}x",
    ];
    let long = ["k".repeat(1_024), "\u{fc}".repeat(512), "%".repeat(1_024)];
    fixed.map(str::to_owned).into_iter().chain(long).collect()
}

/// As `java.net.URLEncoder` does, which S3's notifications are made with: what is not a letter, a digit or one of `.-*_`
/// is a byte in hexadecimal, and a space is `+`. S3 leaves `/` as it is.
fn form_encoded(key: &str) -> String {
    let encoded = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        b'.' | b'-' | b'*' | b'_' | b'/' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    key.bytes().map(encoded).collect()
}

#[test]
fn a_key_through_eventbridge_is_looked_at_in_each_reading_that_it_may_have() {
    for (sent, looked_at) in [
        ("plain/key", &["plain/key"][..]),
        ("a b", &["a b"]),
        ("a+b", &["a+b", "a b"]),
        ("a%2Bb", &["a%2Bb", "a+b"]),
        ("50%", &["50%"]),
        ("50%+", &["50%+"]),
        ("%FF", &["%FF"]),
        ("%C3%BC", &["%C3%BC", "\u{fc}"]),
    ] {
        assert_eq!(
            keys(&through_eventbridge(sent, "Object Created")),
            looked_at
        );
    }
    for key in hostile_keys() {
        for sent in [key.clone(), form_encoded(&key)] {
            let looked_at = keys(&through_eventbridge(&sent, "Object Deleted"));
            assert!(
                looked_at.contains(&key),
                "{key:?} as {sent:?}: {looked_at:?}"
            );
        }
    }
}

#[test]
fn a_key_that_s3_sends_itself_is_url_encoded_as_a_form_is() {
    for key in hostile_keys() {
        let encoded = form_encoded(&key);
        assert_eq!(
            keys(&direct(&encoded, "ObjectCreated:Put")),
            [&*key],
            "{encoded}"
        );
    }
    for (encoded, key) in [
        ("a+b", "a b"),
        ("a%20b", "a b"),
        ("a%2Bb", "a+b"),
        ("%2541", "%41"),
        ("%252B", "%2B"),
        ("%C3%BC/x", "\u{fc}/x"),
        ("%c3%bc", "\u{fc}"),
        ("%00", "\u{0}"),
        ("plain/key", "plain/key"),
    ] {
        assert_eq!(keys(&direct(encoded, "ObjectCreated:Put")), [key]);
    }
    for wrong in ["%", "%4", "%zz", "%+1", "%FF"] {
        let read = events(&direct(wrong, "ObjectCreated:Put"));
        assert_eq!((read.events.len(), read.problems.len()), (0, 1), "{wrong}");
    }
    let too_long = format!("%20{}", "k".repeat(1_024));
    let read = events(&direct(&too_long, "ObjectCreated:Put"));
    assert_eq!((read.events.len(), read.problems.len()), (0, 1));
}

#[test]
fn a_record_that_cannot_be_read_takes_no_other_one_along() {
    let good = |key: &str| direct(key, "ObjectCreated:Put")["Records"][0].clone();
    let mut undated = good("b");
    undated["eventTime"] = json!("yesterday");
    for wrong in [good("%zz"), undated, json!({}), json!("text"), Value::Null] {
        let message = json!({"Records": [good("a"), wrong, good("c")]});
        let read = events(&message);
        let keys: Vec<&str> = read.events.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(keys, ["a", "c"], "{message}");
        assert_eq!(read.problems.len(), 1, "{message}");
        assert!(read.problems[0].starts_with("record 1: "), "{read:?}");
    }
    let of_others = json!({"Records": [{
        "eventName": "ObjectCreated:Put", "eventTime": "?", "s3": {"bucket": {"name": "other"}, "object": {"key": "%"}},
    }]});
    assert_eq!(events(&of_others), ReadEvents::default());
}

#[test]
fn what_happened_is_told_apart() {
    let kind = |message: &Value| match read(message).unwrap() {
        Message::Events(read) => read.events.first().map(|event| event.kind),
        Message::Wake => None,
    };
    let created = Some(EventKind::Created);
    assert_eq!(kind(&through_eventbridge("a", "Object Created")), created);
    assert_eq!(kind(&direct("a", "ObjectCreated:Copy")), created);
    let deleted = Some(EventKind::Deleted);
    assert_eq!(kind(&through_eventbridge("a", "Object Deleted")), deleted);
    assert_eq!(
        kind(&direct("a", "s3:ObjectRemoved:DeleteMarkerCreated")),
        deleted
    );
    assert_eq!(kind(&direct("a", "ObjectTagging:Put")), None);
}

#[test]
fn the_end_of_a_run_and_the_clock_wake() {
    for (source, kind) in [
        ("aws.states", "Step Functions Execution Status Change"),
        ("aws.events", "Scheduled Event"),
    ] {
        let message = json!({"source": source, "detail-type": kind, "detail": {}});
        assert_eq!(read(&message), Ok(Message::Wake));
    }
    assert_eq!(read(&json!({"Event": "s3:TestEvent"})), Ok(Message::Wake));
    assert_eq!(Message::read(RETRY_MESSAGE, &bucket()), Ok(Message::Wake));
}

#[test]
fn another_bucket_is_left_out_and_nonsense_is_an_error() {
    let mut other = through_eventbridge("a", "Object Created");
    other["detail"]["bucket"]["name"] = json!("another");
    assert_eq!(events(&other), ReadEvents::default());
    for wrong in [
        json!([]),
        json!({}),
        json!({"source": "aws.ec2", "detail-type": "x"}),
        json!({"source": "aws.s3", "detail-type": "Object Created"}),
        through_eventbridge("", "Object Created"),
        through_eventbridge(&"k".repeat(1_025), "Object Created"),
    ] {
        assert!(read(&wrong).is_err(), "{wrong}");
    }
    assert!(Message::read("no JSON", &bucket()).is_err());
}

#[test]
fn sequencers_are_padded_and_compared_as_texts() {
    let event = |sequencer: &str| SourceEvent {
        key: ObjectKey::new("a").unwrap(),
        kind: EventKind::Created,
        sequencer: sequencer.to_owned(),
        at: Timestamp::from_millis(0),
    };
    assert!(event("61").is_after(&event("6")));
    assert!(!event("60").is_after(&event("6")), "padded, they are equal");
    assert!(event("7").is_after(&event("617f")));
    assert!(event("0b").is_after(&event("0A")));
}
