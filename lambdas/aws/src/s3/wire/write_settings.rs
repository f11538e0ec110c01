//! The headers that a bucket policy may demand of a write, as the SDK takes them.

use aws_sdk_s3::types::{ObjectCannedAcl, ServerSideEncryption};
use shardlift_core::{
    run::option::{AclChoice, SseChoice},
    value::arn::KmsKeyArn,
};

/// `x-amz-server-side-encryption`; `None` for the bucket's default. A run has a key or `sse`, never both.
pub(crate) fn requested_encryption(
    key: Option<&KmsKeyArn>,
    sse: Option<SseChoice>,
) -> Option<ServerSideEncryption> {
    match (key, sse) {
        (Some(_), _) => Some(ServerSideEncryption::AwsKms),
        (None, Some(SseChoice::Aes256)) => Some(ServerSideEncryption::Aes256),
        (None, None) => None,
    }
}

/// `x-amz-acl`.
pub(crate) fn requested_acl(acl: Option<AclChoice>) -> Option<ObjectCannedAcl> {
    acl.map(|AclChoice::BucketOwnerFullControl| ObjectCannedAcl::BucketOwnerFullControl)
}
