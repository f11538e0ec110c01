//! Whether the target object is already a copy of the source object.

use crate::{
    run::option::Compare,
    value::{object::ListedObject, time::Timestamp},
};

/// Why an object must be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CopyReason {
    /// The target has no object with its key.
    Missing,
    /// The sizes differ.
    Size,
    /// The source was written after the target, or in the same second.
    Newer,
    /// The ETags can be compared and differ.
    ETag,
    /// The rendition is older than the options that it is to be made with.
    Options,
}

/// What distinguishes the target object from the source object, or nothing when they count as the same.
///
/// `target` carries the target's key; only size, time and ETag are looked at. For a version that is named the ETags alone
/// decide, unless only the size is asked for: unequal ones mean a copy, which is at worst one too many.
#[must_use]
pub fn difference(
    compare: Compare,
    source: &ListedObject,
    target: &ListedObject,
) -> Option<CopyReason> {
    if source.size_bytes != target.size_bytes {
        return Some(CopyReason::Size);
    }
    match compare {
        Compare::Size => None,
        // A copy of an older version is written later than a newer one was, so the time says nothing.
        Compare::SizeAndMtime | Compare::Etag if source.version_id.is_some() => {
            (source.etag != target.etag).then_some(CopyReason::ETag)
        }
        Compare::SizeAndMtime => by_time(source, target),
        Compare::Etag => by_etag(source, target),
    }
}

/// Why an image must be rendered although the target has an object with its key; nothing where that is its rendition.
///
/// Since `since`, nothing else was written there than what the run makes. Sizes and ETags of renditions have nothing to do
/// with those of images, so the times decide alone, and they say nothing about a version that is named.
#[must_use]
pub fn outdated_rendition(
    source: &ListedObject,
    target: &ListedObject,
    since: Timestamp,
) -> Option<CopyReason> {
    // A listing rounds down to seconds: what was written in the second of `since` may have been written before it.
    if target.modified_at < since {
        return Some(CopyReason::Options);
    }
    if source.version_id.is_some() {
        return Some(CopyReason::Newer);
    }
    by_time(source, target)
}

/// Listings have whole seconds, so a source written in the same second as its copy may be newer. Such an object is copied
/// again, and is older than its copy from then on.
fn by_time(source: &ListedObject, target: &ListedObject) -> Option<CopyReason> {
    (source.modified_at >= target.modified_at).then_some(CopyReason::Newer)
}

/// Equal ETags mean equal objects. Unequal ones prove nothing when either object was uploaded in parts, because the part
/// size changes the ETag. Then the times decide, so that no object is copied again and again.
fn by_etag(source: &ListedObject, target: &ListedObject) -> Option<CopyReason> {
    if source.etag == target.etag {
        None
    } else if source.etag.part_count().is_none() && target.etag.part_count().is_none() {
        Some(CopyReason::ETag)
    } else {
        by_time(source, target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{
        id::VersionId, key::ObjectKey, object::ETag, storage::ObjectStorage, time::Timestamp,
    };

    fn object(size_bytes: u64, etag: &str, second: i64) -> ListedObject {
        ListedObject {
            key: ObjectKey::new("k").unwrap(),
            size_bytes,
            etag: ETag::new(etag).unwrap(),
            modified_at: Timestamp::from_millis(second * 1000),
            storage: ObjectStorage::default(),
            version_id: None,
        }
    }

    #[test]
    fn another_size_always_differs() {
        for compare in [Compare::Size, Compare::SizeAndMtime, Compare::Etag] {
            assert_eq!(
                difference(compare, &object(1, "a", 0), &object(2, "a", 9)),
                Some(CopyReason::Size)
            );
        }
    }

    #[test]
    fn a_target_written_later_is_the_same_and_the_same_second_is_not_trusted() {
        let differs = |source, target| {
            difference(
                Compare::SizeAndMtime,
                &object(1, "a", source),
                &object(1, "b", target),
            )
        };
        assert_eq!(differs(1, 2), None);
        assert_eq!(differs(2, 2), Some(CopyReason::Newer));
        assert_eq!(differs(3, 2), Some(CopyReason::Newer));
    }

    #[test]
    fn an_etag_made_of_parts_falls_back_to_time_instead_of_copying_for_ever() {
        let differs = |source, target, at| {
            difference(Compare::Etag, &object(1, source, 5), &object(1, target, at))
        };
        assert_eq!(differs("a", "a", 0), None);
        assert_eq!(differs("a", "b", 9), Some(CopyReason::ETag));
        assert_eq!(differs("a-2", "b-3", 9), None);
        assert_eq!(differs("a-2", "b-3", 4), Some(CopyReason::Newer));
    }

    #[test]
    fn a_rendition_is_younger_than_its_image_and_than_its_options() {
        let since = Timestamp::from_millis(5_500);
        let reason = |source: i64, target: i64| {
            outdated_rendition(&object(9, "a", source), &object(1, "b", target), since)
        };
        assert_eq!(reason(1, 6), None);
        assert_eq!(
            reason(1, 5),
            Some(CopyReason::Options),
            "perhaps before 5.5"
        );
        assert_eq!(reason(6, 6), Some(CopyReason::Newer));
        assert_eq!(reason(7, 6), Some(CopyReason::Newer));
        let version = ListedObject {
            version_id: Some(VersionId::new("v1").unwrap()),
            ..object(9, "a", 1)
        };
        let found = outdated_rendition(&version, &object(1, "b", 9), since);
        assert_eq!(found, Some(CopyReason::Newer));
    }

    #[test]
    fn the_time_says_nothing_about_a_version_that_is_named() {
        let source = |etag| ListedObject {
            version_id: Some(VersionId::new("v1").unwrap()),
            ..object(1, etag, 1)
        };
        let later = object(1, "b", 9);
        for compare in [Compare::SizeAndMtime, Compare::Etag] {
            let differs = |etag| difference(compare, &source(etag), &later);
            assert_eq!((differs("a"), differs("b")), (Some(CopyReason::ETag), None));
            assert_eq!(differs("a-2"), Some(CopyReason::ETag));
        }
        assert_eq!(difference(Compare::Size, &source("a"), &later), None);
    }
}
