use super::{
    agreement::Agreement,
    statement::{Document, Statement},
};
use crate::value::{
    action::Action,
    arn::{KmsKeyArn, dns_suffix},
};

/// What reading an object under a KMS key needs.
pub(super) const DECRYPT: &[Action] = &[Action::Decrypt];

/// What writing an object under a KMS key needs. Decrypt too: S3 decrypts the parts of a multipart upload to complete it
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html).
pub(super) const ENCRYPT: &[Action] = &[Action::GenerateDataKey, Action::Decrypt];

/// The account of the source's key: what its key policy must contain, when the source's objects have one.
#[must_use]
pub fn source_key(agreement: &Agreement) -> Option<Document> {
    let key = agreement.extras.source_key.as_ref()?;
    // In a key policy "*" is the key itself.
    let statement = Statement::allow("ShardliftDecryptSource", DECRYPT, "*").to(agreement
        .pair
        .target
        .role_arn
        .as_str());
    Some(Document::of(vec![by_s3(statement, key)]))
}

/// The account of the target's key: what its key policy must contain, when the target has one.
#[must_use]
pub fn target_key(agreement: &Agreement) -> Option<Document> {
    let key = agreement.extras.target_key.as_ref()?;
    let statement = Statement::allow("ShardliftEncryptTarget", ENCRYPT, "*").to(agreement
        .pair
        .target
        .role_arn
        .as_str());
    Some(Document::of(vec![by_s3(statement, key)]))
}

/// Only S3, on the role's behalf, and only in the key's own Region.
pub(super) fn by_s3(statement: Statement, key: &KmsKeyArn) -> Statement {
    let suffix = dns_suffix(key.partition());
    statement.when(
        "StringEquals",
        "kms:ViaService",
        format!("s3.{}.{suffix}", key.region()),
    )
}
