use std::{collections::BTreeMap, future::Future};

use super::BucketListing;
use crate::{
    copy::part_layout::{Part, PartNumber},
    failure::fault::CallFault,
    run::{
        option::{AclChoice, SseChoice},
        record::BucketFacts,
    },
    value::{
        arn::KmsKeyArn,
        header::HeaderBytes,
        id::{UploadId, VersionId},
        key::{KeyPrefix, ObjectKey},
        object::{ETag, Encryption, ListedObject},
        storage::StorageClass,
        tally::RequestCounts,
        time::Timestamp,
    },
};

/// The tags of an object.
pub type TagSet = BTreeMap<String, String>;

/// An object as a call names it: its newest version, or the one of this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectRef<'a> {
    /// Its key.
    pub key: &'a ObjectKey,
    /// The version; the newest when absent.
    pub version_id: Option<&'a VersionId>,
}

impl<'a> From<&'a ObjectKey> for ObjectRef<'a> {
    fn from(key: &'a ObjectKey) -> Self {
        Self {
            key,
            version_id: None,
        }
    }
}

impl<'a> From<&'a CopySource> for ObjectRef<'a> {
    fn from(source: &'a CopySource) -> Self {
        Self {
            key: &source.key,
            version_id: source.version_id.as_ref(),
        }
    }
}

impl<'a> From<&'a ListedObject> for ObjectRef<'a> {
    fn from(object: &'a ListedObject) -> Self {
        Self {
            key: &object.key,
            version_id: object.version_id.as_ref(),
        }
    }
}

/// The very version of a source object that was planned: every read of it is conditional on the ETag (P7), and names the
/// version where the plan does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySource {
    /// Its key.
    pub key: ObjectKey,
    /// The version; the newest when absent.
    pub version_id: Option<VersionId>,
    /// Its entity tag when it was planned.
    pub etag: ETag,
    /// Its size when it was planned.
    pub size_bytes: u64,
}

/// How the copy is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CopyOptions {
    /// The storage class; S3's default when absent.
    pub storage_class: Option<StorageClass>,
    /// The encrypting key; the bucket's default when absent.
    pub kms_key_arn: Option<KmsKeyArn>,
    /// Encryption with S3's own keys; the bucket's default when absent. Not beside a key.
    pub sse: Option<SseChoice>,
    /// The access control list; none when absent.
    pub acl: Option<AclChoice>,
    /// `None`: the source's tags and annotations are copied along. `Some`: these tags replace them (empty for none), and
    /// annotations stay behind.
    pub tags: Option<TagSet>,
    /// The website redirect, which S3 does not take from the source; none when absent.
    pub redirect: Option<String>,
}

/// The response to a write at the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyReceipt {
    /// The ETag of the written object.
    pub etag: ETag,
    /// Its version, on a versioned bucket.
    pub version_id: Option<String>,
    /// Its checksums by algorithm, where the response has them.
    pub checksums: BTreeMap<String, String>,
    /// What these are computed over, where the response says so.
    pub checksum_type: Option<ChecksumType>,
}

/// What a checksum is computed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChecksumType {
    /// The bytes of the object, however it was cut.
    FullObject,
    /// The checksums of its parts.
    Composite,
}

/// An object to delete at the target, as the listing showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectToDelete {
    /// Its key.
    pub key: ObjectKey,
    /// Its entity tag: another version stays.
    pub etag: ETag,
}

/// Asks for a permission by a call that reads and changes nothing, whatever the response is: it depends on an ETag that no
/// object has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe<'a> {
    /// To read an object of the source. Unlike a HEAD's, a refusal of it says why.
    ReadSource(ObjectRef<'a>),
    /// To delete at the target; the key should be one that nobody has.
    DeleteTarget(&'a ObjectKey),
}

/// The most objects that one call deletes
/// (docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html).
pub const DELETE_OBJECTS_MAX: usize = 1_000;

/// What HeadObject tells, as far as a copy must carry or check it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectAttributes {
    /// Its size.
    pub size_bytes: u64,
    /// Its entity tag.
    pub etag: ETag,
    /// Content-Type, Cache-Control, Content-Disposition, Content-Encoding, Content-Language, Expires,
    /// and x-amz-website-redirect-location, by lower-case header name.
    pub headers: BTreeMap<String, HeaderBytes>,
    /// User metadata, without the `x-amz-meta-`.
    pub metadata: BTreeMap<String, HeaderBytes>,
    /// The storage class by S3's name; `STANDARD` when S3 names none.
    pub storage_class: String,
    /// How many tags it has; S3 tells only those who may read them.
    pub tag_count: u32,
    /// The full-object or composite checksums by algorithm, for example `CRC64NVME`.
    pub checksums: BTreeMap<String, String>,
    /// What these are computed over, where there is a checksum.
    pub checksum_type: Option<ChecksumType>,
    /// How it is encrypted.
    pub encryption: Encryption,
    /// The ARN of the encrypting key, where it is encrypted under one.
    pub kms_key_arn: Option<String>,
    /// When it was written, by S3's clock and in whole seconds; for an object made of parts, when its upload was begun.
    pub modified_at: Timestamp,
    /// The `Date` of the response, by S3's clock and rounded down to seconds; absent when it carried none.
    pub response_date: Option<Timestamp>,
}

/// What a multipart upload is created with: everything that it does not take from the source by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadSpec {
    /// The key at the target.
    pub target_key: ObjectKey,
    /// Headers as in [`ObjectAttributes::headers`].
    pub headers: BTreeMap<String, HeaderBytes>,
    /// User metadata.
    pub metadata: BTreeMap<String, HeaderBytes>,
    /// Tags.
    pub tags: TagSet,
    /// The storage class; S3's default when absent.
    pub storage_class: Option<StorageClass>,
    /// The encrypting key; the bucket's default when absent.
    pub kms_key_arn: Option<KmsKeyArn>,
    /// Encryption with S3's own keys; the bucket's default when absent. Not beside a key.
    pub sse: Option<SseChoice>,
    /// The access control list; none when absent.
    pub acl: Option<AclChoice>,
    /// The checksum algorithm by S3's name, for example `CRC64NVME`; S3's default when absent.
    pub checksum_algorithm: Option<String>,
}

/// A multipart upload that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedUpload {
    /// Its id.
    pub id: UploadId,
    /// How the object will be encrypted: by the bucket's default, if the upload named no key.
    pub encryption: Encryption,
    /// What S3's clock showed when it responded; nothing when it did not say. The object will be dated by this instant.
    pub created_at: Option<Timestamp>,
}

/// The response to a copied part, and what completing needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartReceipt {
    /// The part.
    pub number: PartNumber,
    /// Its ETag.
    pub etag: ETag,
    /// Its size, where the response has it (ListParts does, UploadPartCopy does not).
    pub size_bytes: Option<u64>,
    /// Its checksums by algorithm.
    pub checksums: BTreeMap<String, String>,
}

/// The target bucket and the source's objects, through the target role.
///
/// Every call carries the expected owners of both buckets. Keys at the source are full source keys, keys at the target
/// full target keys.
pub trait TargetBucket: BucketListing {
    /// The target bucket's Region and owner.
    fn facts(&self) -> &BucketFacts;

    /// Requests made through this handle so far, by operation.
    fn requests(&self) -> RequestCounts;

    /// Copies an object of at most 5 GiB with its metadata. Repeating it writes the same object again.
    ///
    /// Faults: `ConditionFailed` (the source is another version), `NoSuchKey`, `AccessDenied`, `Archived`, and any with effect unknown.
    fn copy_object(
        &self,
        source: &CopySource,
        target_key: &ObjectKey,
        options: &CopyOptions,
    ) -> impl Future<Output = Result<CopyReceipt, CallFault>> + Send;

    /// Reads the attributes of a source object. Idempotent. Faults: `NoSuchKey`, `AccessDenied`.
    fn head_source(
        &self,
        source: ObjectRef<'_>,
    ) -> impl Future<Output = Result<ObjectAttributes, CallFault>> + Send;

    /// Reads the tags of a source object. Idempotent. Faults: `NoSuchKey`, `AccessDenied`.
    fn source_tags(
        &self,
        source: ObjectRef<'_>,
    ) -> impl Future<Output = Result<TagSet, CallFault>> + Send;

    /// Whether a source object has annotations. Idempotent. Faults: `NoSuchKey`, `AccessDenied`, and `Rejected` from a
    /// store that knows no annotations.
    fn has_annotations(
        &self,
        source: ObjectRef<'_>,
    ) -> impl Future<Output = Result<bool, CallFault>> + Send;

    /// Reads the attributes of a target object. Idempotent. Faults: `NoSuchKey`, `AccessDenied`.
    fn head_target(
        &self,
        key: &ObjectKey,
    ) -> impl Future<Output = Result<ObjectAttributes, CallFault>> + Send;

    /// Asks whether the role may. Idempotent. Faults: `AccessDenied`, with AWS's reason if it gives one.
    fn probe(&self, probe: Probe<'_>) -> impl Future<Output = Result<(), CallFault>> + Send;

    /// Replaces the tags of a target object, in its newest version: naming one needs a permission of its own,
    /// `s3:PutObjectVersionTagging`. Idempotent. Faults: `NoSuchKey`, `AccessDenied`, `Rejected`.
    fn put_target_tags(
        &self,
        key: &ObjectKey,
        tags: &TagSet,
    ) -> impl Future<Output = Result<(), CallFault>> + Send;

    /// Deletes up to [`DELETE_OBJECTS_MAX`] objects, each on the condition that it is still the given version. The
    /// results are in the order of `objects`; one that no longer exists counts as deleted. Idempotent.
    ///
    /// Faults of one object: `ConditionFailed`, `AccessDenied`, `ServiceError`.
    fn delete_objects(
        &self,
        objects: &[ObjectToDelete],
    ) -> impl Future<Output = Result<Vec<Result<(), CallFault>>, CallFault>> + Send;

    /// Creates a multipart upload. Not idempotent: each success is another upload.
    fn create_upload(
        &self,
        upload: &UploadSpec,
    ) -> impl Future<Output = Result<CreatedUpload, CallFault>> + Send;

    /// Copies a part. Repeating it writes the same part again. Faults as `copy_object`, and `NoSuchUpload`.
    fn copy_part(
        &self,
        source: &CopySource,
        target_key: &ObjectKey,
        upload_id: &UploadId,
        part: &Part,
    ) -> impl Future<Output = Result<PartReceipt, CallFault>> + Send;

    /// All parts of an upload, in order. Idempotent. Faults: `NoSuchUpload`.
    fn list_parts(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
    ) -> impl Future<Output = Result<Vec<PartReceipt>, CallFault>> + Send;

    /// Completes an upload; S3 checks that the parts sum up to `size_bytes`. After a lost response a retry may find
    /// `NoSuchUpload`: read the target.
    fn complete_upload(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
        parts: &[PartReceipt],
        size_bytes: u64,
    ) -> impl Future<Output = Result<CopyReceipt, CallFault>> + Send;

    /// Aborts an upload; one that does not exist counts as aborted. Idempotent.
    fn abort_upload(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
    ) -> impl Future<Output = Result<(), CallFault>> + Send;

    /// Every unfinished upload under a prefix of the target. Idempotent.
    fn list_uploads(
        &self,
        prefix: &KeyPrefix,
    ) -> impl Future<Output = Result<Vec<(ObjectKey, UploadId)>, CallFault>> + Send;
}
