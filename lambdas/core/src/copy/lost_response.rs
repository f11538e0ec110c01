//! What the target shows after a write whose response was lost.
//!
//! An object that stood there before the write proves nothing, however equal it is: its tags, its encryption, its metadata
//! may be others. So only what was written since counts, and only S3's clock shows that: both instants that are compared
//! come from it, and what passed in between is a length of time, which needs no common clock. Where anything is in doubt,
//! nothing is proven and the write is retried, which is always right.

use std::time::Duration;

use super::{
    proof::{Checksums, compare_checksums},
    redirect,
};
use crate::{
    port::{CopyOptions, CopySource, ObjectAttributes, TagSet},
    run::option::SseChoice,
    value::{
        arn::KmsKeyArn,
        object::{ETag, Encryption},
        storage::StorageClass,
        time::Timestamp,
    },
};

/// By how much the instants of two responses of S3 may contradict each other: a `Date` is rounded down to seconds, and the
/// clocks of two of its servers differ by a little.
const CLOCKS_DIFFER_MAX: Duration = Duration::from_secs(2);

/// Whether a look at the target can show anything about a copy whose first attempt began so long ago. Sooner, what was
/// written since cannot be distinguished from what was there before.
#[must_use]
pub fn can_be_shown(since_attempt: Duration) -> bool {
    since_attempt >= CLOCKS_DIFFER_MAX
}

/// Whether the target object is a copy of the planned version of the source, and the one that was made since the first
/// attempt, which began `since_attempt` before the target was asked.
///
/// `source` is read after the call, so it may already be another version: then nothing is proven. ETags of copies that S3
/// does not make equal (KMS, sources made of parts) prove nothing either.
#[must_use]
pub fn is_copied(
    planned: &CopySource,
    options: &CopyOptions,
    source: &ObjectAttributes,
    target: &ObjectAttributes,
    since_attempt: Duration,
) -> bool {
    let class = options
        .storage_class
        .map_or("STANDARD", |class| class.name());
    is_written_within(target, since_attempt)
        && source.etag == planned.etag
        && target.etag == planned.etag
        && planned.etag.part_count().is_none()
        && target.size_bytes == planned.size_bytes
        && target.headers == redirect::headers_of_copy(&source.headers, options.redirect.as_deref())
        && target.metadata == source.metadata
        && target.storage_class == class
        && options.kms_key_arn.is_none()
        && target.encryption == Encryption::S3Managed
        && has_no_tags(options, source, target)
}

fn is_written_within(target: &ObjectAttributes, since_attempt: Duration) -> bool {
    target.response_date.is_some_and(|response_date| {
        response_date
            .plus(CLOCKS_DIFFER_MAX)
            .since(target.modified_at)
            <= since_attempt
    })
}

/// Only the source's count is always known, and a number says nothing about the tags themselves.
fn has_no_tags(
    options: &CopyOptions,
    source: &ObjectAttributes,
    target: &ObjectAttributes,
) -> bool {
    let none_to_carry = options
        .tags
        .as_ref()
        .map_or(source.tag_count == 0, TagSet::is_empty);
    none_to_carry && target.tag_count == 0
}

/// An upload that is gone, and may have been completed.
#[derive(Debug, Clone, Copy)]
pub struct LostUpload<'a> {
    /// What was to be copied.
    pub planned: &'a CopySource,
    /// The source as it is now.
    pub source: &'a ObjectAttributes,
    /// The storage class that the upload was created with.
    pub storage_class: Option<StorageClass>,
    /// The key that the upload was created with.
    pub kms_key_arn: Option<&'a KmsKeyArn>,
    /// Whether it was created to be encrypted with S3's own keys.
    pub sse: Option<SseChoice>,
    /// When it was created, by S3's clock: what it made is dated by this.
    pub created_at: Option<Timestamp>,
    /// The ETag that follows from its parts, if that is known.
    pub parts_etag: Option<&'a ETag>,
}

/// What the target shows of such an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    /// The upload made the object that is there.
    Completed,
    /// Somebody else wrote another object since the upload was created.
    Foreign,
    /// Neither: the object must be copied again.
    Nothing,
}

impl LostUpload<'_> {
    /// What the target shows.
    #[must_use]
    pub fn trace(&self, target: &ObjectAttributes) -> Trace {
        let is_written_since = self
            .created_at
            .is_some_and(|created_at| target.modified_at >= created_at);
        if !is_written_since || self.source.etag != self.planned.etag {
            return Trace::Nothing;
        }
        match self.bytes(target) {
            Checksums::Different => Trace::Foreign,
            Checksums::Equal if self.is_as_created(target) => Trace::Completed,
            Checksums::Equal | Checksums::Incomparable => Trace::Nothing,
        }
    }

    /// Whether the target has the planned bytes. An ETag is computed over the parts' ETags, under a KMS key too, so it is
    /// equal for equal parts and for nothing else. Under a key a different one proves nothing: a part that was copied twice
    /// has two ETags.
    fn bytes(&self, target: &ObjectAttributes) -> Checksums {
        if target.size_bytes != self.planned.size_bytes {
            return Checksums::Different;
        }
        match self.parts_etag {
            Some(etag) if *etag == target.etag => Checksums::Equal,
            Some(_) if target.encryption == Encryption::S3Managed => Checksums::Different,
            _ => compare_checksums(
                (&self.source.checksums, self.source.checksum_type),
                (&target.checksums, target.checksum_type),
            ),
        }
    }

    fn is_as_created(&self, target: &ObjectAttributes) -> bool {
        let class = self.storage_class.map_or("STANDARD", StorageClass::name);
        let is_under_the_key = self
            .kms_key_arn
            .is_none_or(|key| target.kms_key_arn.as_deref() == Some(key.as_str()));
        let is_under_s3s_own = self.sse.is_none() || target.encryption == Encryption::S3Managed;
        target.headers == self.source.headers
            && target.metadata == self.source.metadata
            && target.storage_class == class
            && is_under_the_key
            && is_under_s3s_own
    }
}

#[cfg(test)]
mod tests;
