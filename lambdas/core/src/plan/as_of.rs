//! What a listing of versions shows of an instant: of each key the newest version at or before it, and none where that is
//! a delete marker.

use crate::{
    failure::Failure,
    port::{ListedVersion, Versioning},
    run::invalid::invalid,
    value::{key::ObjectKey, object::ListedObject, printable::Printable, time::Timestamp},
};

/// What stood under a key cannot be known: the version `null` was written after the instant, and such a write takes the place
/// of the version `null` that stood there before, which may have been the one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "what stood under \"{}\" at {at} is not known: its version null was written at {written_at}, while the bucket kept no versions, and took the place of the one before. Nothing was copied; choose an instant after versioning was enabled, a prefix without such objects, or name the versions in a list (source.list)",
    Printable(.key.as_str())
)]
pub struct OverwrittenInPlace {
    /// The key.
    pub key: ObjectKey,
    /// The instant.
    pub at: Timestamp,
    /// When the version `null` was written.
    pub written_at: Timestamp,
}

/// Follows a listing of versions, entry by entry: keys in order, of each key the newest version first.
#[derive(Debug, Clone)]
pub struct InstantState {
    at: Timestamp,
    /// The key of the last entry.
    key: Option<ObjectKey>,
    /// Whether it is known what stood under that key.
    is_decided: bool,
}

impl InstantState {
    /// That of the instant `at`. S3 dates versions in whole seconds, so whatever was written within a second counts as
    /// written at its beginning.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self {
            at,
            key: None,
            is_decided: true,
        }
    }

    /// Takes the next entry. Returns the object that stood under its key, if this entry shows it.
    ///
    /// # Errors
    /// [`OverwrittenInPlace`] where nobody can know.
    pub fn take(
        &mut self,
        version: ListedVersion,
    ) -> Result<Option<ListedObject>, OverwrittenInPlace> {
        if self.key.as_ref() != Some(version.key()) {
            self.key = Some(version.key().clone());
            self.is_decided = false;
        }
        if self.is_decided {
            return Ok(None);
        }
        if version.modified_at() > self.at {
            return match version.version_id() {
                Some(id) if id.is_null() => Err(OverwrittenInPlace {
                    key: version.key().clone(),
                    at: self.at,
                    written_at: version.modified_at(),
                }),
                _ => Ok(None),
            };
        }
        self.is_decided = true;
        Ok(match version {
            ListedVersion::Object(object) => Some(object),
            ListedVersion::DeleteMarker { .. } => None,
        })
    }

    /// Whether it is known what stood under the key of the last entry, whatever versions of it may follow.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.is_decided
    }

    /// The key of the last entry.
    #[must_use]
    pub fn key(&self) -> Option<&ObjectKey> {
        self.key.as_ref()
    }
}

/// Refuses an instant of a bucket that never kept versions: what was deleted left no trace there.
///
/// # Errors
/// `InvalidRun`, naming the field.
pub fn check_versioning(versioning: Versioning) -> Result<(), Failure> {
    match versioning {
        Versioning::Enabled | Versioning::Suspended => Ok(()),
        Versioning::Never => Err(invalid(
            "source.as_of",
            "the source bucket has never kept versions, so that nobody knows what was overwritten or deleted there; leave it out to copy what is there now",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::value::{id::VersionId, object::ETag, storage::ObjectStorage};

    fn seconds(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    fn object(key: &str, id: &str, second: i64) -> ListedVersion {
        ListedVersion::Object(ListedObject {
            key: ObjectKey::new(key).unwrap(),
            size_bytes: 1,
            etag: ETag::new(id).unwrap(),
            modified_at: seconds(second),
            storage: ObjectStorage::default(),
            version_id: Some(VersionId::new(id).unwrap()),
        })
    }

    fn marker(key: &str, id: &str, second: i64) -> ListedVersion {
        ListedVersion::DeleteMarker {
            key: ObjectKey::new(key).unwrap(),
            version_id: VersionId::new(id).unwrap(),
            modified_at: seconds(second),
        }
    }

    /// The keys and versions that stood at an instant, as `key id`.
    fn state(at: Timestamp, listing: &[ListedVersion]) -> Result<Vec<String>, OverwrittenInPlace> {
        let mut state = InstantState::new(at);
        let mut found = Vec::new();
        for version in listing {
            if let Some(object) = state.take(version.clone())? {
                found.push(format!("{} {}", object.key, object.version_id.unwrap()));
            }
        }
        Ok(found)
    }

    #[test]
    fn the_newest_version_at_or_before_the_instant_stands() {
        let listing = [
            object("a", "a3", 30),
            object("a", "a2", 20),
            object("a", "a1", 10),
            marker("b", "b2", 20),
            object("b", "b1", 10),
            object("c", "c1", 40),
        ];
        let at = |millis| state(Timestamp::from_millis(millis), &listing).unwrap();
        assert_eq!(at(9_999), Vec::<String>::new());
        assert_eq!(at(10_000), ["a a1", "b b1"]);
        assert_eq!(at(19_999), ["a a1", "b b1"]);
        assert_eq!(at(20_000), ["a a2"]);
        assert_eq!(at(99_000), ["a a3", "c c1"]);
    }

    #[test]
    fn of_two_versions_of_one_second_the_later_one_stands() {
        let listing = [
            marker("a", "a3", 10),
            object("a", "a2", 10),
            object("b", "b2", 10),
            marker("b", "b1", 10),
        ];
        assert_eq!(state(seconds(10), &listing).unwrap(), ["b b2"]);
    }

    #[test]
    fn what_was_overwritten_in_place_is_not_guessed() {
        for written_in_place in [object("a", "null", 30), marker("a", "null", 30)] {
            let listing = [
                object("a", "a2", 40),
                written_in_place,
                object("a", "a1", 10),
            ];
            let refused = state(seconds(20), &listing).unwrap_err();
            assert_eq!(refused.key.as_str(), "a");
            // It was there by then, or a newer one was.
            assert!(state(seconds(30), &listing).is_ok());
            assert_eq!(state(seconds(40), &listing).unwrap(), ["a a2"]);
        }
    }

    #[test]
    fn a_bucket_without_versions_has_no_past() {
        assert!(check_versioning(Versioning::Enabled).is_ok());
        assert!(check_versioning(Versioning::Suspended).is_ok());
        let refused = check_versioning(Versioning::Never).unwrap_err();
        assert!(refused.detail.contains("`source.as_of`"), "{refused}");
    }

    proptest! {
        #[test]
        fn a_history_is_read_as_it_was_written(
            history in prop::collection::vec((0..5_u8, any::<bool>(), 0..4_i64), 0..60),
            instant in 0..200_i64,
        ) {
            let (mut second, mut kept) = (0, BTreeMap::<String, Vec<ListedVersion>>::new());
            let mut stood = BTreeMap::new();
            for (number, (key, is_put, passed)) in history.into_iter().enumerate() {
                second += passed;
                let (key, id) = (format!("k{key}"), format!("v{number}"));
                let version = if is_put { object(&key, &id, second) } else { marker(&key, &id, second) };
                kept.entry(key.clone()).or_default().insert(0, version);
                if second <= instant && is_put {
                    stood.insert(key.clone(), format!("{key} {id}"));
                } else if second <= instant {
                    stood.remove(&key);
                }
            }
            let listing: Vec<ListedVersion> = kept.into_values().flatten().collect();
            let expected: Vec<String> = stood.into_values().collect();
            prop_assert_eq!(state(seconds(instant), &listing).unwrap(), expected);
        }
    }
}
