//! Headers that many responses share.

use crate::content::checksum::Checksum;
use crate::protocol::response::Response;
use crate::storage::encryption::Encryption;
use crate::storage::object::VersionId;
use crate::storage::version::Versioning;

/// Sets the encryption headers.
pub(super) fn set_encryption(response: &mut Response, encryption: &Encryption) {
    match encryption {
        Encryption::S3Managed => response.set_static("x-amz-server-side-encryption", "AES256"),
        Encryption::Kms { key_id, bucket_key } => {
            response.set_static("x-amz-server-side-encryption", "aws:kms");
            response.set("x-amz-server-side-encryption-aws-kms-key-id", key_id);
            if *bucket_key {
                response.set_static("x-amz-server-side-encryption-bucket-key-enabled", "true");
            }
        }
    }
}

/// Sets the checksum headers.
pub(super) fn set_checksum(response: &mut Response, checksum: &Checksum) {
    response.set(checksum.algorithm.header(), &checksum.text());
    response.set("x-amz-checksum-type", checksum.kind.name());
}

/// Sets the version id, unless the bucket never had versioning.
pub(super) fn set_version(response: &mut Response, versioning: Versioning, version: VersionId) {
    if versioning != Versioning::Off {
        response.set("x-amz-version-id", &version.to_string());
    }
}
