//! One message of the queue.
//!
//! S3 sends two kinds. What S3 sends to a queue itself has the key URL-encoded, as a form is: "red flower.jpg" becomes
//! "red+flower.jpg" (docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html). Of what comes
//! through EventBridge, AWS says nothing about an encoding (docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html), and
//! others disagree: LocalStack sends the key as it is (`services/s3/notifications.py`), AWS's Powertools for Lambda decode it
//! (`data_classes/s3_event.py`), and no recorded event has a key that would tell. A key that is decoded wrongly is another key,
//! but an event is only a hint to look at one: so where the two readings differ, both keys are looked at.

use serde::Deserialize;

use crate::value::{bucket::BucketName, key::ObjectKey, time::Timestamp};

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// It was written.
    Created,
    /// It, or a version of it, was deleted.
    Deleted,
}

/// Something that happened at the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceEvent {
    /// The object, as S3 has its key.
    pub key: ObjectKey,
    /// What happened.
    pub kind: EventKind,
    /// S3's mark of the order of events of one key; empty where the event has none.
    pub sequencer: String,
    /// When it happened.
    pub at: Timestamp,
}

impl SourceEvent {
    /// Whether this happened after `other`, an event of the same key. Sequencers are compared as S3 says: the shorter one is
    /// padded with zeros on the right, and both are compared as texts.
    #[must_use]
    pub fn is_after(&self, other: &Self) -> bool {
        let width = self.sequencer.len().max(other.sequencer.len());
        let padded = |text: &str| format!("{:0<width$}", text.to_ascii_lowercase());
        let (own, its) = (padded(&self.sequencer), padded(&other.sequencer));
        (own, self.at, self.kind) > (its, other.at, other.kind)
    }
}

/// A message of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Events of the source.
    Events(Vec<SourceEvent>),
    /// Nothing happened at the source, but it is time to look at what waits: a run ended, or the clock said so.
    Wake,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "detail-type")]
    detail_type: Option<String>,
    source: Option<String>,
    time: Option<String>,
    detail: Option<serde_json::Value>,
    #[serde(rename = "Records")]
    records: Option<Vec<Record>>,
    #[serde(rename = "Event")]
    test_event: Option<String>,
}

#[derive(Deserialize)]
struct Detail {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
    #[serde(default)]
    sequencer: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_name: String,
    event_time: String,
    s3: Detail,
}

impl Message {
    /// Reads the body of a message. Events of other buckets are none of ours and are left out.
    ///
    /// # Errors
    /// Why it cannot be read; such a message belongs to the dead letters.
    pub fn read(body: &str, bucket: &BucketName) -> Result<Self, String> {
        let envelope: Envelope =
            serde_json::from_str(body).map_err(|error| format!("it is no event: {error}"))?;
        if let Some(records) = envelope.records {
            let read = records
                .into_iter()
                .filter(|record| record.s3.bucket.name == bucket.as_str())
                .map(read_record)
                .collect::<Result<Vec<_>, _>>()?;
            return Ok(Self::Events(read.into_iter().flatten().collect()));
        }
        if envelope.test_event.as_deref() == Some("s3:TestEvent") {
            return Ok(Self::Wake);
        }
        let (source, kind) = (envelope.source.as_deref(), envelope.detail_type.as_deref());
        let kind = match (source, kind) {
            (Some("aws.s3"), Some("Object Created")) => EventKind::Created,
            (Some("aws.s3"), Some("Object Deleted")) => EventKind::Deleted,
            (Some("aws.states" | "aws.events" | "aws.scheduler"), Some(_)) => {
                return Ok(Self::Wake);
            }
            (source, kind) => {
                return Err(format!(
                    "it is no event of S3: source {source:?}, detail-type {kind:?}"
                ));
            }
        };
        let detail = envelope.detail.unwrap_or_default();
        let detail: Detail =
            serde_json::from_value(detail).map_err(|error| format!("its detail: {error}"))?;
        if detail.bucket.name != bucket.as_str() {
            return Ok(Self::Events(Vec::new()));
        }
        let time = envelope.time.unwrap_or_default();
        readings(detail.object, kind, &time).map(Self::Events)
    }
}

/// An event of each key that the one of an event of EventBridge may stand for. What no key can be is no reading of it.
fn readings(object: Object, kind: EventKind, time: &str) -> Result<Vec<SourceEvent>, String> {
    let decoded = url_decoded(&object.key).filter(|key| *key != object.key);
    let verbatim = event(object.key, kind, object.sequencer.clone(), time);
    let decoded = decoded.and_then(|key| event(key, kind, object.sequencer, time).ok());
    match (verbatim, decoded) {
        (Err(problem), None) => Err(problem),
        (verbatim, decoded) => Ok(verbatim.into_iter().chain(decoded).collect()),
    }
}

fn read_record(record: Record) -> Result<Option<SourceEvent>, String> {
    let name = record.event_name.trim_start_matches("s3:");
    let kind = match name.split(':').next() {
        Some("ObjectCreated") => EventKind::Created,
        Some("ObjectRemoved" | "LifecycleExpiration") => EventKind::Deleted,
        // Of tags, access control lists, restored objects: a copy would be the same.
        _ => return Ok(None),
    };
    let key = url_decoded(&record.s3.object.key)
        .ok_or_else(|| format!("its key is not URL-encoded: {:?}", record.s3.object.key))?;
    event(key, kind, record.s3.object.sequencer, &record.event_time).map(Some)
}

fn event(
    key: String,
    kind: EventKind,
    sequencer: Option<String>,
    time: &str,
) -> Result<SourceEvent, String> {
    Ok(SourceEvent {
        key: ObjectKey::new(key).map_err(|problem| format!("its key: {problem}"))?,
        kind,
        sequencer: sequencer.unwrap_or_default(),
        at: Timestamp::parse(time).map_err(|problem| format!("its time: {problem}"))?,
    })
}

/// `%XX` and `+` decoded; nothing for what is not encoded like this, or is not UTF-8 then.
fn url_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let digits = after.get(..2)?;
                rest = &after[2..];
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
            }
            other => *other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
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

    fn keys(message: &Value) -> Vec<String> {
        match read(message).unwrap() {
            Message::Events(events) => events.iter().map(|one| one.key.to_string()).collect(),
            Message::Wake => panic!("it is an event"),
        }
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
            assert!(
                read(&direct(wrong, "ObjectCreated:Put")).is_err(),
                "{wrong}"
            );
        }
        let too_long = format!("%20{}", "k".repeat(1_024));
        assert!(read(&direct(&too_long, "ObjectCreated:Put")).is_err());
    }

    #[test]
    fn what_happened_is_told_apart() {
        let kind = |message: &Value| match read(message).unwrap() {
            Message::Events(events) => events.first().map(|event| event.kind),
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
    }

    #[test]
    fn another_bucket_is_left_out_and_nonsense_is_an_error() {
        let mut other = through_eventbridge("a", "Object Created");
        other["detail"]["bucket"]["name"] = json!("another");
        assert_eq!(read(&other), Ok(Message::Events(Vec::new())));
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
}
