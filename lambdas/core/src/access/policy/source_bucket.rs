use super::{Agreement, Document, Statement, agreement::prefix_pattern, target_role::source_reads};

/// Source account: what the source bucket's policy must contain. A bucket has one policy, so these statements are merged
/// into whatever is there, see [`merge`](super::merge).
#[must_use]
pub fn source_bucket(agreement: &Agreement) -> Document {
    let role = agreement.pair.target.role_arn.as_str();
    Document::of(vec![
        // Without it S3 calls a missing object forbidden. IfExists, because such calls carry no prefix.
        Statement::allow(
            "ShardliftListSource",
            &["s3:ListBucket"],
            agreement.source_bucket_arn(),
        )
        .to(role)
        .when(
            "StringLikeIfExists",
            "s3:prefix",
            prefix_pattern(&agreement.pair.source.prefix),
        )
        .when("Bool", "aws:SecureTransport", "true"),
        Statement::allow(
            "ShardliftReadSource",
            &source_reads(agreement),
            agreement.source_objects_arn(),
        )
        .to(role)
        .when("Bool", "aws:SecureTransport", "true"),
    ])
}
