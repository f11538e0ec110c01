use super::{
    Agreement, Condition, Document, Effect, Principal, Statement, agreement::prefix_pattern,
    target_role::target_writes,
};

/// Target account: the policy of the target bucket. Merged, where the bucket has a policy already.
#[must_use]
pub fn target_bucket(agreement: &Agreement) -> Document {
    let role = agreement.pair.target.role_arn.as_str();
    let mut writes = target_writes(agreement);
    if agreement.extras.deletes {
        writes.push("s3:DeleteObject");
    }
    let mut statements = vec![
        refusal(agreement, "RefusePlainHttp").when("Bool", "aws:SecureTransport", "false"),
        Statement::allow(
            "LetTheRoleList",
            &["s3:ListBucket"],
            agreement.target_bucket_arn(),
        )
        .to(role)
        .when(
            "StringLikeIfExists",
            "s3:prefix",
            prefix_pattern(&agreement.pair.target.prefix),
        ),
        Statement::allow(
            "LetTheRoleListUploads",
            &["s3:ListBucketMultipartUploads"],
            agreement.target_bucket_arn(),
        )
        .to(role),
        Statement::allow("LetTheRoleWrite", &writes, agreement.target_objects_arn()).to(role),
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
        format!(
            "arn:{}:iam::{}:root",
            agreement.partition(),
            agreement.target_account()
        ),
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
    let bucket = agreement.target_bucket_arn();
    let objects = format!("{bucket}/*");
    let mut statement = Statement::allow(sid, &["s3:*"], bucket);
    statement.resource.push(objects);
    statement.effect = Effect::Deny;
    statement.principal = Some(Principal::Everybody);
    statement
}
