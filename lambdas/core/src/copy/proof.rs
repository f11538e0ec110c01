//! When a copy whose answer was lost counts as done: when the target is as that copy must make it.

use crate::{
    object::ETag,
    port::{CopyOptions, CopySource, ObjectAttributes},
};

/// Whether the target object is what copying the planned version of the source gives, whoever wrote it.
///
/// `source` is read after the call, so it may already be another version: then nothing is proven. ETags of copies that
/// S3 does not make equal (KMS, sources made of parts) prove nothing either; the copy is then made again, which is
/// always right and only costs a request.
#[must_use]
pub fn is_copied(
    planned: &CopySource,
    options: &CopyOptions,
    source: &ObjectAttributes,
    target: &ObjectAttributes,
) -> bool {
    let class = options
        .storage_class
        .map_or("STANDARD", |class| class.name());
    source.etag == planned.etag
        && target.etag == planned.etag
        && planned.etag.part_count().is_none()
        && target.size_bytes == planned.size_bytes
        && target.headers == source.headers
        && target.metadata == source.metadata
        && target.storage_class == class
        && tags_agree(options, source, target)
}

/// Only counts are known here: two empty sets are equal, more than that proves nothing.
fn tags_agree(options: &CopyOptions, source: &ObjectAttributes, target: &ObjectAttributes) -> bool {
    let source_has_none = options
        .tags
        .as_ref()
        .map_or(source.tag_count == 0, std::collections::BTreeMap::is_empty);
    source_has_none && target.tag_count == 0
}

/// Whether the target object is the upload that was to be completed: its ETag is computed over its parts' ETags, so it
/// is equal for equal parts and for nothing else.
#[must_use]
pub fn is_completed(expected: &ETag, size_bytes: u64, target: &ObjectAttributes) -> bool {
    target.etag == *expected && target.size_bytes == size_bytes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{key::ObjectKey, port::TagSet};

    fn planned() -> CopySource {
        CopySource {
            key: ObjectKey::new("k").unwrap(),
            etag: ETag::new("d41d8cd98f00b204e9800998ecf8427e").unwrap(),
            size_bytes: 3,
        }
    }

    fn attributes() -> ObjectAttributes {
        ObjectAttributes {
            size_bytes: 3,
            etag: planned().etag,
            headers: BTreeMap::new(),
            metadata: BTreeMap::new(),
            storage_class: "STANDARD".into(),
            tag_count: 0,
            checksums: BTreeMap::new(),
            checksum_type: None,
        }
    }

    #[test]
    fn an_equal_object_proves_the_copy() {
        assert!(is_copied(
            &planned(),
            &CopyOptions::default(),
            &attributes(),
            &attributes()
        ));
    }

    #[test]
    fn anything_that_differs_or_cannot_be_seen_proves_nothing() {
        let options = CopyOptions::default();
        let spoilt: [fn(&mut ObjectAttributes); 5] = [
            |target| target.size_bytes = 4,
            |target| target.etag = ETag::new("other").unwrap(),
            |target| target.storage_class = "GLACIER".into(),
            |target| target.tag_count = 1,
            |target| {
                target.metadata.insert("a".into(), "b".into());
            },
        ];
        for spoil in spoilt {
            let mut target = attributes();
            spoil(&mut target);
            assert!(!is_copied(&planned(), &options, &attributes(), &target));
        }
        let mut tagged = attributes();
        tagged.tag_count = 1;
        assert!(!is_copied(&planned(), &options, &tagged, &tagged));
        let mut changed = attributes();
        changed.etag = ETag::new("newer").unwrap();
        assert!(!is_copied(&planned(), &options, &changed, &attributes()));
    }

    #[test]
    fn tags_that_are_not_copied_need_not_agree() {
        let options = CopyOptions {
            tags: Some(TagSet::new()),
            ..CopyOptions::default()
        };
        let mut tagged = attributes();
        tagged.tag_count = 2;
        assert!(is_copied(&planned(), &options, &tagged, &attributes()));
    }
}
