use super::{
    agreement::{Agreement, prefix_pattern},
    key_policy::{DECRYPT, ENCRYPT, by_s3},
    statement::{Document, Principal, Statement},
};
use crate::{run::pair::Side, value::action::Action};

/// What reads the tags and annotations of an object.
pub(super) const TAG_READS: [Action; 3] = [
    Action::GetObjectTagging,
    Action::GetObjectAnnotation,
    Action::ListObjectAnnotations,
];

/// What reads the tags and annotations of a version that is named by its id.
pub(super) const VERSION_TAG_READS: [Action; 3] = [
    Action::GetObjectVersionTagging,
    Action::GetObjectVersionAnnotation,
    Action::ListObjectVersionAnnotations,
];

/// What is done to an object of the source.
pub(super) fn source_reads(agreement: &Agreement) -> Vec<Action> {
    let mut actions = vec![Action::GetObject];
    if !agreement.extras.without_tags {
        // Tags and annotations travel with CopyObject, which needs the right to read and write them. A copy in parts looks
        // whether there are annotations, to tell that they were left behind.
        actions.extend(TAG_READS);
    }
    if agreement.extras.versions {
        actions.push(Action::GetObjectVersion);
        if !agreement.extras.without_tags {
            actions.extend(VERSION_TAG_READS);
        }
    }
    known_to_s3(agreement, actions)
}

/// What is done to an object of the target, deletions aside.
pub(super) fn target_writes(agreement: &Agreement) -> Vec<Action> {
    // GetObject reads what an unclear write left, before it is called copied or failed.
    let mut actions = vec![
        Action::PutObject,
        Action::GetObject,
        Action::AbortMultipartUpload,
        Action::ListMultipartUploadParts,
    ];
    if !agreement.extras.without_tags {
        actions.extend([Action::PutObjectTagging, Action::PutObjectAnnotation]);
    }
    if agreement.extras.with_acls {
        actions.push(Action::PutObjectAcl);
    }
    known_to_s3(agreement, actions)
}

/// The actions without those that the partition's S3 does not know, as far as the agreement says so.
fn known_to_s3(agreement: &Agreement, mut actions: Vec<Action>) -> Vec<Action> {
    if agreement.extras.without_annotations {
        actions.retain(|action| !action.is_of_annotations());
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
    // IfExists, because HeadBucket is authorised as s3:ListBucket and carries no prefix.
    let list_the_target = Statement::allow(
        "ListTheTarget",
        &[Action::ListBucket],
        agreement.pair.bucket_arn(Side::Target),
    )
    .when("StringLikeIfExists", "s3:prefix", target_prefix)
    .when("StringEquals", "aws:ResourceAccount", target_account);
    if agreement.extras.audits_only {
        return Document::of(vec![list_the_target]);
    }
    let mut statements = vec![
        // Not to list: without it S3 calls a missing object forbidden. IfExists, because such calls carry no prefix.
        Statement::allow(
            "ListTheSource",
            &[Action::ListBucket],
            agreement.pair.bucket_arn(Side::Source),
        )
        .when("StringLikeIfExists", "s3:prefix", source_prefix)
        .when("StringEquals", "aws:ResourceAccount", source_account),
        Statement::allow(
            "ReadTheSource",
            &source_reads(agreement),
            agreement.objects_pattern(Side::Source),
        )
        .when("StringEquals", "aws:ResourceAccount", source_account),
        list_the_target,
        // The report aborts what a run left behind. S3 offers no prefix condition for this action.
        Statement::allow(
            "ListTheUploadsOfTheTarget",
            &[Action::ListBucketMultipartUploads],
            agreement.pair.bucket_arn(Side::Target),
        )
        .when("StringEquals", "aws:ResourceAccount", target_account),
        Statement::allow(
            "WriteTheTarget",
            &target_writes(agreement),
            agreement.objects_pattern(Side::Target),
        )
        .when("StringEquals", "aws:ResourceAccount", target_account),
    ];
    if agreement.extras.deletes {
        statements.push(
            Statement::allow(
                "DeleteAtTheTarget",
                &[Action::DeleteObject],
                agreement.objects_pattern(Side::Target),
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
    let mut statement = Statement::allow("LetTheFunctionsEnter", &[Action::AssumeRole], "");
    statement.resource.clear();
    statement.principal = Some(Principal::Roles(
        roles.iter().map(ToString::to_string).collect(),
    ));
    if let Some(external_id) = &agreement.pair.target.external_id {
        statement = statement.when("StringEquals", "sts:ExternalId", external_id.as_str());
    }
    Document::of(vec![statement])
}
