//! What a listing tells about an object.

use serde::{Deserialize, Serialize};

use crate::value::{
    id::VersionId, key::ObjectKey, storage::ObjectStorage, text::checked_text, time::Timestamp,
};

checked_text! {
    /// An entity tag without its quotes.
    ///
    /// It identifies a version of an object; it is a checksum only for single-part objects
    /// without SSE-KMS, and is never used as one.
    ETag, "ETag", check_etag
}

fn check_etag(etag: &str) -> Result<(), &'static str> {
    if etag.is_empty() || etag.contains('"') {
        Err("an ETag is given without quotes and is not empty")
    } else {
        Ok(())
    }
}

impl ETag {
    /// The number of parts of the multipart upload that made the object, or nothing for a single part.
    #[must_use]
    pub fn part_count(&self) -> Option<u32> {
        self.as_str()
            .rsplit_once('-')
            .and_then(|(_, parts)| parts.parse().ok())
    }
}

/// How S3 encrypts an object, as far as its ETag depends on it
/// (docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html). A listing does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// With S3's own keys: the ETag of an object of a single part is the MD5 of its content.
    #[default]
    S3Managed,
    /// Under a KMS key, once or twice: the ETag of a part, or of an object that was written at once, is no digest, and
    /// another one for each copy. That of an object made of parts is the MD5 over those of the parts.
    Kms,
    /// It is not known, or by something else: whether the ETag is a digest is unknown, so it is taken for none.
    Unknown,
}

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// Its key.
    pub key: ObjectKey,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Its entity tag.
    pub etag: ETag,
    /// When it was last written; S3 lists whole seconds.
    pub modified_at: Timestamp,
    /// How it is stored.
    pub storage: ObjectStorage,
    /// The version that is meant, where the plan names one; else the newest, whichever that is.
    pub version_id: Option<VersionId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multipart_etag_tells_its_parts() {
        assert_eq!(
            ETag::new("d41d8cd98f00b204e9800998ecf8427e")
                .unwrap()
                .part_count(),
            None
        );
        assert_eq!(
            ETag::new("d41d8cd98f00b204e9800998ecf8427e-17")
                .unwrap()
                .part_count(),
            Some(17)
        );
        assert!(ETag::new("\"quoted\"").is_err());
    }
}
