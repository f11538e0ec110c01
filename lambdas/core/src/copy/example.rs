//! The object that the tests of proofs and of lost responses are about.

use std::collections::BTreeMap;

use crate::{
    port::{CopySource, ObjectAttributes},
    value::{
        key::ObjectKey,
        object::{ETag, Encryption},
        time::Timestamp,
    },
};

/// An object of three bytes.
pub(super) fn planned() -> CopySource {
    CopySource {
        version_id: None,
        key: ObjectKey::new("k").unwrap(),
        etag: ETag::new("d41d8cd98f00b204e9800998ecf8427e").unwrap(),
        size_bytes: 3,
    }
}

/// The same as a HEAD shows it, with nothing special about it.
pub(super) fn attributes() -> ObjectAttributes {
    ObjectAttributes {
        size_bytes: 3,
        etag: planned().etag,
        headers: BTreeMap::new(),
        metadata: BTreeMap::new(),
        storage_class: "STANDARD".into(),
        tag_count: 0,
        checksums: BTreeMap::new(),
        checksum_type: None,
        encryption: Encryption::default(),
        kms_key_arn: None,
        modified_at: Timestamp::default(),
        response_date: None,
    }
}
