//! Which encryption S3 reports for an object.

use aws_sdk_s3::types::ServerSideEncryption;
use shardlift_core::value::object::Encryption;

/// The encryption in a response. S3 encrypts every object; a response without the header comes from an object that is
/// older than that rule, or from another server.
pub(crate) fn encryption(reported: Option<&ServerSideEncryption>) -> Encryption {
    match reported {
        Some(ServerSideEncryption::AwsKms | ServerSideEncryption::AwsKmsDsse) => Encryption::Kms,
        Some(ServerSideEncryption::Aes256) | None => Encryption::S3Managed,
        Some(_) => Encryption::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kms_has_two_names_and_a_new_algorithm_is_not_taken_for_s3_managed() {
        for (reported, expected) in [
            ("aws:kms", Encryption::Kms),
            ("aws:kms:dsse", Encryption::Kms),
            ("AES256", Encryption::S3Managed),
            ("aws:fsx", Encryption::Unknown),
            ("aws:what-comes-next", Encryption::Unknown),
        ] {
            assert_eq!(encryption(Some(&reported.into())), expected, "{reported}");
        }
        assert_eq!(encryption(None), Encryption::S3Managed);
    }
}
