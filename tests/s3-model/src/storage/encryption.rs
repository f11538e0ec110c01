//! Server-side encryption, as far as responses show it.

/// How an object is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Encryption {
    #[default]
    S3Managed,
    Kms {
        key_id: String,
        bucket_key: bool,
    },
}

impl Encryption {
    /// Encryption under a KMS key, without a bucket key.
    pub(crate) fn under(kms_key_arn: impl Into<String>) -> Self {
        Self::Kms {
            key_id: kms_key_arn.into(),
            bucket_key: false,
        }
    }

    /// Whether it is SSE-KMS. ETags are not MD5s then.
    pub(crate) fn is_kms(&self) -> bool {
        matches!(self, Self::Kms { .. })
    }
}
