//! What is known of the renditions under a target prefix.

use serde::{Deserialize, Serialize};

use super::{lock::LockedPrefix, spec::RunSpec, transform::Transform};
use crate::value::{bucket::BucketName, key::KeyPrefix, time::Timestamp, version::LEDGER_VERSION};

/// The ledger's record of the renditions under a target prefix: a listing does not show what an object was made from, nor
/// with which options. Only a run that holds the lock of the prefix writes it, before it writes anything there, and it is kept
/// for as long as the ledger is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenditionsRecord {
    /// The version of the record.
    pub schema_version: u32,
    /// Where the renditions are.
    #[serde(flatten)]
    pub place: LockedPrefix,
    /// What they are; absent once a run wrote something else there.
    pub made: Option<MadeRenditions>,
    /// The number of writes to this record; each write expects the one before it.
    pub revision: u64,
}

/// What every run has written under a target prefix since an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeRenditions {
    /// The bucket of the images.
    pub source_bucket: BucketName,
    /// Their prefix.
    pub source_prefix: KeyPrefix,
    /// The options that they were made with.
    pub transform: Transform,
    /// Since when runs have written nothing else. What the target shows from before was made otherwise, or is a copy.
    pub since: Timestamp,
}

impl MadeRenditions {
    /// Those of a run that begins now.
    fn begin(spec: &RunSpec, transform: Transform, now: Timestamp) -> Self {
        Self {
            source_bucket: spec.pair.source.bucket.clone(),
            source_prefix: spec.pair.source.prefix.clone(),
            transform,
            since: now,
        }
    }

    /// Whether a run goes on with these.
    fn is_continued_by(&self, spec: &RunSpec, transform: &Transform) -> bool {
        let source = &spec.pair.source;
        self.source_bucket == source.bucket
            && self.source_prefix == source.prefix
            && self.transform.makes_the_same_as(transform)
    }
}

/// What a run changes in the records of its target bucket before it writes, and what it may rely on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenditionsChange {
    /// The records to write.
    pub writes: Vec<RenditionsRecord>,
    /// Since when everything under the prefix was made as this run makes it; nothing for a run that copies.
    pub since: Option<Timestamp>,
}

impl RenditionsChange {
    /// That of a run that begins now, by the records of its target bucket. Records of prefixes that overlap the run's are void
    /// from now on, unless the run goes on with what they tell.
    #[must_use]
    pub fn of(spec: &RunSpec, found: &[RenditionsRecord], now: Timestamp) -> Self {
        let own = LockedPrefix::of(&spec.pair);
        let mut change = Self {
            writes: Vec::new(),
            since: None,
        };
        let mut own_revision = 0;
        for record in found.iter().filter(|record| record.place.overlaps(&own)) {
            if record.place != own {
                change.void(record);
                continue;
            }
            own_revision = record.revision;
            match (&record.made, &spec.transform) {
                (Some(made), Some(transform)) if made.is_continued_by(spec, transform) => {
                    change.since = Some(made.since);
                }
                (Some(_), None) => change.void(record),
                _ => {}
            }
        }
        if let (Some(transform), None) = (spec.transform, change.since) {
            change.since = Some(now);
            change.writes.push(RenditionsRecord {
                schema_version: LEDGER_VERSION,
                place: own,
                made: Some(MadeRenditions::begin(spec, transform, now)),
                revision: own_revision + 1,
            });
        }
        change
    }

    fn void(&mut self, record: &RenditionsRecord) {
        if record.made.is_some() {
            self.writes.push(RenditionsRecord {
                made: None,
                revision: record.revision + 1,
                ..record.clone()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::run::input::RunInput;

    fn spec(prefix: &str, transform: &Value) -> RunSpec {
        let input = json!({
            "source": {"bucket": "source", "prefix": "images/"},
            "target": {"bucket": "target", "prefix": prefix, "role_arn": "arn:aws:iam::222222222222:role/T"},
            "transform": transform,
        });
        RunSpec::settle(RunInput::parse(&input).unwrap()).unwrap()
    }

    fn thumbnails(edge: u32) -> Value {
        json!({"kind": "thumbnail", "longest_edge_px": edge})
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    #[test]
    fn a_run_relies_on_what_runs_with_its_options_made_and_on_nothing_else() {
        let first = RenditionsChange::of(&spec("t/", &thumbnails(64)), &[], at(10));
        assert_eq!((first.since, first.writes.len()), (Some(at(10)), 1));
        let again = RenditionsChange::of(&spec("t/", &thumbnails(64)), &first.writes, at(20));
        assert_eq!((again.since, again.writes.len()), (Some(at(10)), 0));
        let other = RenditionsChange::of(&spec("t/", &thumbnails(65)), &first.writes, at(30));
        assert_eq!(other.since, Some(at(30)));
        assert_eq!(other.writes[0].revision, 2);
        // Back again: what the run between them made is newer than the first record, and must not count as this one's.
        let back = RenditionsChange::of(&spec("t/", &thumbnails(64)), &other.writes, at(40));
        assert_eq!((back.since, back.writes[0].revision), (Some(at(40)), 3));
    }

    #[test]
    fn a_copy_or_a_run_beside_voids_what_is_known() {
        let made = RenditionsChange::of(&spec("t/", &thumbnails(64)), &[], at(10)).writes;
        let copy = RenditionsChange::of(&spec("t/", &Value::Null), &made, at(20));
        assert_eq!((copy.since, copy.writes[0].made.as_ref()), (None, None));
        let after = RenditionsChange::of(&spec("t/", &thumbnails(64)), &copy.writes, at(30));
        assert_eq!((after.since, after.writes[0].revision), (Some(at(30)), 3));
        let within = RenditionsChange::of(&spec("t/a/", &thumbnails(64)), &made, at(40));
        assert!(
            within
                .writes
                .iter()
                .any(|it| it.place == made[0].place && it.made.is_none())
        );
        let apart = RenditionsChange::of(&spec("u/", &Value::Null), &made, at(50));
        assert!(apart.writes.is_empty());
        let void = RenditionsChange::of(&spec("t/", &Value::Null), &copy.writes, at(60));
        assert!(void.writes.is_empty(), "void once is void");
    }
}
