use aws_sdk_s3::types::ServerSideEncryption;
use shardlift_core::value::object::Encryption;

/// How S3 says that an object is encrypted. Every object is; an answer that does not say so came from an older one,
/// or from another server.
pub(super) fn encryption(told: Option<&ServerSideEncryption>) -> Encryption {
    match told {
        Some(ServerSideEncryption::AwsKms | ServerSideEncryption::AwsKmsDsse) => Encryption::Kms,
        Some(ServerSideEncryption::Aes256) | None => Encryption::S3Managed,
        Some(_) => Encryption::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kms_key_is_told_by_two_names_and_what_is_new_is_not_taken_for_s3s_own() {
        for (told, expected) in [
            ("aws:kms", Encryption::Kms),
            ("aws:kms:dsse", Encryption::Kms),
            ("AES256", Encryption::S3Managed),
            ("aws:fsx", Encryption::Unknown),
            ("aws:what-comes-next", Encryption::Unknown),
        ] {
            assert_eq!(encryption(Some(&told.into())), expected, "{told}");
        }
        assert_eq!(encryption(None), Encryption::S3Managed);
    }
}
