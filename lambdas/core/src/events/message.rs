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
    Events(ReadEvents),
    /// Nothing happened at the source, but it is time to look at what waits: a run ended, or the clock or a person said so.
    Wake,
}

/// What a message tells of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadEvents {
    /// The events that could be read.
    pub events: Vec<SourceEvent>,
    /// Why others of the same message could not. They keep none of those that could from being taken.
    pub problems: Vec<String>,
}

/// What a person sends to the queue, so that the intake looks at what waits.
pub const RETRY_MESSAGE: &str = r#"{"source": "shardlift", "detail-type": "Retry"}"#;

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "detail-type")]
    detail_type: Option<String>,
    source: Option<String>,
    time: Option<String>,
    detail: Option<serde_json::Value>,
    #[serde(rename = "Records")]
    records: Option<Vec<serde_json::Value>>,
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
    /// Why nothing of it can be read; such a message belongs to the dead letters, as does one with problems.
    pub fn read(body: &str, bucket: &BucketName) -> Result<Self, String> {
        let envelope: Envelope =
            serde_json::from_str(body).map_err(|error| format!("it is no event: {error}"))?;
        if let Some(records) = envelope.records {
            let mut read = ReadEvents::default();
            for (index, record) in records.into_iter().enumerate() {
                match read_record(record, bucket) {
                    Ok(event) => read.events.extend(event),
                    Err(problem) => read.problems.push(format!("record {index}: {problem}")),
                }
            }
            return Ok(Self::Events(read));
        }
        if envelope.test_event.as_deref() == Some("s3:TestEvent") {
            return Ok(Self::Wake);
        }
        let (source, kind) = (envelope.source.as_deref(), envelope.detail_type.as_deref());
        let kind = match (source, kind) {
            (Some("aws.s3"), Some("Object Created")) => EventKind::Created,
            (Some("aws.s3"), Some("Object Deleted")) => EventKind::Deleted,
            (Some("aws.states" | "aws.events" | "aws.scheduler" | "shardlift"), Some(_)) => {
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
            return Ok(Self::Events(ReadEvents::default()));
        }
        let time = envelope.time.unwrap_or_default();
        let events = readings(detail.object, kind, &time)?;
        Ok(Self::Events(ReadEvents {
            events,
            problems: Vec::new(),
        }))
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

/// Nothing where it concerns another bucket, or no change of an object.
fn read_record(
    record: serde_json::Value,
    bucket: &BucketName,
) -> Result<Option<SourceEvent>, String> {
    let record: Record =
        serde_json::from_value(record).map_err(|error| format!("it is no record: {error}"))?;
    if record.s3.bucket.name != bucket.as_str() {
        return Ok(None);
    }
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
mod tests;
