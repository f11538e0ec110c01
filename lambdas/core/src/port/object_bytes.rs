use std::{collections::BTreeMap, future::Future};

use super::{CopyReceipt, CopySource, TagSet};
use crate::{
    failure::fault::CallFault,
    run::option::{AclChoice, SseChoice},
    value::{arn::KmsKeyArn, key::ObjectKey, storage::StorageClass},
};

/// An object that is written as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewObject {
    /// The key at the target.
    pub target_key: ObjectKey,
    /// The content type.
    pub content_type: String,
    /// User metadata, in ASCII, without the `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
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
}

/// Bytes of objects, through the target role. Only the function that renders images has this port: copies are made by S3.
pub trait ObjectBytes {
    /// Reads the planned version of a source object, from its beginning, and at most `bytes_max` of it. Idempotent.
    ///
    /// Faults: `ConditionFailed` (the source is another version), `NoSuchKey`, `AccessDenied`, `Archived`,
    /// `MalformedResponse` when S3 sends more bytes than it listed, and `NoResponse` when it sends fewer.
    fn read_source(
        &self,
        source: &CopySource,
        bytes_max: u64,
    ) -> impl Future<Output = Result<Vec<u8>, CallFault>> + Send;

    /// Writes an object of at most 5 GiB. Repeating it writes the same object again.
    ///
    /// Faults: `AccessDenied`, `Rejected`, and any with effect unknown.
    fn put_object(
        &self,
        object: &NewObject,
        bytes: &[u8],
    ) -> impl Future<Output = Result<CopyReceipt, CallFault>> + Send;
}
