use super::{
    agreement::{Agreement, prefix_pattern},
    statement::{Document, Statement},
    target_role::source_reads,
};
use crate::{run::pair::Side, value::action::Action};

/// Source account: what the source bucket's policy must contain. A bucket has one policy, so these statements are merged
/// into whatever is there, see [`merge`](super::merge).
#[must_use]
pub fn source_bucket(agreement: &Agreement) -> Document {
    let role = agreement.pair.target.role_arn.as_str();
    Document::of(vec![
        // Without it S3 calls a missing object forbidden. IfExists, because such calls carry no prefix.
        Statement::allow(
            "ShardliftListSource",
            &[Action::ListBucket],
            agreement.pair.bucket_arn(Side::Source),
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
            agreement.objects_pattern(Side::Source),
        )
        .to(role)
        .when("Bool", "aws:SecureTransport", "true"),
    ])
}
