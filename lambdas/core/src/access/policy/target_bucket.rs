use super::{
    agreement::{Agreement, prefix_pattern},
    statement::{Condition, Document, PolicyEffect, Principal, Statement},
    target_role::target_writes,
};
use crate::{
    run::pair::Side,
    value::{action::Action, arn::Arn},
};

/// Target account: the policy of the target bucket. Merged, where the bucket has a policy already.
#[must_use]
pub fn target_bucket(agreement: &Agreement) -> Document {
    let role = agreement.pair.target.role_arn.as_str();
    let mut writes = target_writes(agreement);
    if agreement.extras.deletes {
        writes.push(Action::DeleteObject);
    }
    let mut statements = vec![
        refusal(agreement, "RefusePlainHttp").when("Bool", "aws:SecureTransport", "false"),
        Statement::allow(
            "LetTheRoleList",
            &[Action::ListBucket],
            agreement.pair.bucket_arn(Side::Target),
        )
        .to(role)
        .when(
            "StringLikeIfExists",
            "s3:prefix",
            prefix_pattern(&agreement.pair.target.prefix),
        ),
        Statement::allow(
            "LetTheRoleListUploads",
            &[Action::ListBucketMultipartUploads],
            agreement.pair.bucket_arn(Side::Target),
        )
        .to(role),
        Statement::allow(
            "LetTheRoleWrite",
            &writes,
            agreement.objects_pattern(Side::Target),
        )
        .to(role),
    ];
    if !agreement.extras.administrators.is_empty() {
        statements.push(refuse_everybody_else(agreement));
    }
    Document::of(statements)
}

/// Refuses all but the role, the account's root and its administrators. AWS's own services stay in: what they may do
/// (deliver logs, replicate) is granted to them one by one.
fn refuse_everybody_else(agreement: &Agreement) -> Statement {
    let mut welcome = vec![
        agreement.pair.target.role_arn.to_string(),
        Arn::root(agreement.partition(), &agreement.target_account()).to_string(),
    ];
    welcome.extend(agreement.extras.administrators.iter().cloned());
    let mut statement = refusal(agreement, "RefuseEverybodyElse");
    statement.condition.0.push(Condition {
        operator: "ArnNotLike",
        key: "aws:PrincipalArn",
        values: welcome,
    });
    statement.when("Bool", "aws:PrincipalIsAWSService", "false")
}

fn refusal(agreement: &Agreement, sid: &'static str) -> Statement {
    let bucket = agreement.pair.bucket_arn(Side::Target);
    let objects = format!("{bucket}/*");
    let mut statement = Statement::allow(sid, &[Action::EveryS3Action], bucket);
    statement.resource.push(objects);
    statement.effect = PolicyEffect::Deny;
    statement.principal = Some(Principal::Everybody);
    statement
}
