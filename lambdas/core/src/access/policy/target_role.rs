use super::{
    Agreement, Document, Principal, Statement,
    agreement::prefix_pattern,
    key_policy::{DECRYPT, ENCRYPT, by_s3},
};

/// What reads the tags and annotations of an object.
pub(super) const TAG_READS: [&str; 3] = [
    "s3:GetObjectTagging",
    "s3:GetObjectAnnotation",
    "s3:ListObjectAnnotations",
];

/// What is done to an object of the source.
pub(super) fn source_reads(agreement: &Agreement) -> Vec<&'static str> {
    let mut actions = vec!["s3:GetObject"];
    if !agreement.extras.without_tags {
        // Tags and annotations travel with CopyObject, which needs the right to read and write them. A copy in parts looks
        // whether there are annotations, to tell that they were left behind.
        actions.extend(TAG_READS);
    }
    actions
}

/// What is done to an object of the target, deletions aside.
pub(super) fn target_writes(agreement: &Agreement) -> Vec<&'static str> {
    // GetObject reads what an unclear write left, before it is called copied or failed.
    let mut actions = vec![
        "s3:PutObject",
        "s3:GetObject",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
    ];
    if !agreement.extras.without_tags {
        actions.extend(["s3:PutObjectTagging", "s3:PutObjectAnnotation"]);
    }
    actions
}

/// Target account: the permission policy of the target role.
#[must_use]
pub fn target_role_permissions(agreement: &Agreement) -> Document {
    let source_account = agreement.source_account.as_str();
    let target_account = agreement.target_account();
    let target_account = target_account.as_str();
    let source_prefix = prefix_pattern(&agreement.pair.source.prefix);
    let target_prefix = prefix_pattern(&agreement.pair.target.prefix);
    let mut statements = vec![
        // Not to list: without it S3 calls a missing object forbidden. IfExists, because such calls carry no prefix.
        Statement::allow(
            "ListTheSource",
            &["s3:ListBucket"],
            agreement.source_bucket_arn(),
        )
        .when("StringLikeIfExists", "s3:prefix", source_prefix)
        .when("StringEquals", "aws:ResourceAccount", source_account),
        Statement::allow(
            "ReadTheSource",
            &source_reads(agreement),
            agreement.source_objects_arn(),
        )
        .when("StringEquals", "aws:ResourceAccount", source_account),
        // IfExists, because HeadBucket is authorised as s3:ListBucket and carries no prefix.
        Statement::allow(
            "ListTheTarget",
            &["s3:ListBucket"],
            agreement.target_bucket_arn(),
        )
        .when("StringLikeIfExists", "s3:prefix", target_prefix)
        .when("StringEquals", "aws:ResourceAccount", target_account),
        // The report aborts what a run left behind. S3 offers no prefix condition for this action.
        Statement::allow(
            "ListTheUploadsOfTheTarget",
            &["s3:ListBucketMultipartUploads"],
            agreement.target_bucket_arn(),
        )
        .when("StringEquals", "aws:ResourceAccount", target_account),
        Statement::allow(
            "WriteTheTarget",
            &target_writes(agreement),
            agreement.target_objects_arn(),
        )
        .when("StringEquals", "aws:ResourceAccount", target_account),
    ];
    if agreement.extras.deletes {
        statements.push(
            Statement::allow(
                "DeleteAtTheTarget",
                &["s3:DeleteObject"],
                agreement.target_objects_arn(),
            )
            .when("StringEquals", "aws:ResourceAccount", target_account),
        );
    }
    if let Some(key) = &agreement.extras.source_key {
        statements.push(by_s3(
            Statement::allow("DecryptTheSource", DECRYPT, key.as_str()),
            key,
        ));
    }
    if let Some(key) = &agreement.extras.target_key {
        statements.push(by_s3(
            Statement::allow("EncryptTheTarget", ENCRYPT, key.as_str()),
            key,
        ));
    }
    Document::of(statements)
}

/// Target account: the trust policy of the target role. Only the functions with these `roles` enter, and only with the
/// external id.
#[must_use]
pub fn target_role_trust(agreement: &Agreement, roles: &[impl ToString]) -> Document {
    let mut statement = Statement::allow("LetTheFunctionsEnter", &["sts:AssumeRole"], "");
    statement.resource.clear();
    statement.principal = Some(Principal::Roles(
        roles.iter().map(ToString::to_string).collect(),
    ));
    if let Some(external_id) = &agreement.pair.target.external_id {
        statement = statement.when("StringEquals", "sts:ExternalId", external_id.as_str());
    }
    Document::of(vec![statement])
}
