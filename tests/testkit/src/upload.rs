//! Unfinished multipart uploads in memory, and how they become objects.

use std::collections::BTreeMap;

use md5::{Digest, Md5};
use shardlift_core::{
    copy::part_layout::PART_BYTES_MIN,
    port::{ChecksumType, ObjectAttributes, PartReceipt, UploadSpec},
    value::{
        bucket::BucketName,
        object::{ETag, Encryption},
        time::Timestamp,
    },
};

use crate::stored_object::StoredObject;

/// An unfinished upload.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) bucket: BucketName,
    pub(crate) spec: UploadSpec,
    pub(crate) encryption: Encryption,
    pub(crate) kms_key_arn: Option<String>,
    pub(crate) begun_at: Timestamp,
    pub(crate) parts: BTreeMap<u32, UploadedPart>,
}

/// A part: which bytes of which content.
#[derive(Debug, Clone)]
pub(crate) struct UploadedPart {
    pub(crate) receipt: PartReceipt,
    pub(crate) content: String,
    pub(crate) first_byte: u64,
    pub(crate) size_bytes: u64,
}

impl Upload {
    /// Puts parts together: they must be those of one content, in order, without a gap.
    pub(crate) fn assemble(
        &self,
        parts: &[PartReceipt],
        size_bytes: u64,
    ) -> Result<StoredObject, &'static str> {
        let mut next_byte = 0;
        let mut content: Option<&str> = None;
        for (index, receipt) in parts.iter().enumerate() {
            let part = self
                .parts
                .get(&receipt.number.get())
                .filter(|part| part.receipt.etag == receipt.etag)
                .ok_or("InvalidPart")?;
            if index > 0 && receipt.number <= parts[index - 1].number {
                return Err("InvalidPartOrder");
            }
            if part.size_bytes < PART_BYTES_MIN && index + 1 != parts.len() {
                return Err("EntityTooSmall");
            }
            if part.first_byte != next_byte
                || content.is_some_and(|content| content != part.content)
            {
                return Err("the parts are not one content in order");
            }
            next_byte += part.size_bytes;
            content = Some(&part.content);
        }
        if next_byte != size_bytes {
            return Err("the size is not x-amz-mp-object-size");
        }
        let content = content.ok_or("an upload has at least one part")?;
        let spec = &self.spec;
        Ok(StoredObject {
            content: content.to_owned(),
            attributes: ObjectAttributes {
                size_bytes,
                etag: assembled_etag(parts),
                headers: spec.headers.clone(),
                metadata: spec.metadata.clone(),
                storage_class: spec
                    .storage_class
                    .map_or("STANDARD", |class| class.name())
                    .to_owned(),
                tag_count: 0,
                // The names of checksums stand for their values, as contents' names stand for bytes.
                checksums: spec
                    .checksum_algorithm
                    .iter()
                    .map(|algorithm| (algorithm.clone(), format!("{algorithm} of {content}")))
                    .collect(),
                checksum_type: spec.checksum_algorithm.as_ref().map(|algorithm| {
                    match algorithm.as_str() {
                        "SHA1" | "SHA256" => ChecksumType::Composite,
                        _ => ChecksumType::FullObject,
                    }
                }),
                encryption: self.encryption,
                kms_key_arn: self.kms_key_arn.clone(),
                modified_at: Timestamp::default(),
                response_date: None,
            },
            tags: spec.tags.clone(),
            has_annotations: false,
            is_denied: false,
            is_restored: false,
            is_in_archive_tier: false,
            // S3 dates what was made of parts by the beginning of its upload.
            modified_at: self.begun_at,
        })
    }
}

/// As S3 makes it: the MD5 over the parts' MD5s, and their number.
fn assembled_etag(parts: &[PartReceipt]) -> ETag {
    let mut digest = Md5::new();
    for part in parts {
        let number =
            u128::from_str_radix(part.etag.as_str(), 16).expect("a part's ETag is hexadecimal");
        digest.update(number.to_be_bytes());
    }
    let hex: String = digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    ETag::new(format!("{hex}-{}", parts.len())).expect("an ETag")
}
