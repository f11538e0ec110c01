use super::*;
use crate::{
    run::pair::{Source, Target},
    value::{bucket::BucketName, key::KeyPrefix},
};

const OBJECT: &str = "arn:aws:s3:::source/data/x";

fn pair() -> Pair {
    Pair {
        source: Source {
            bucket: BucketName::new("source").unwrap(),
            prefix: KeyPrefix::new("data/").unwrap(),
            request_payer: false,
        },
        target: Target {
            bucket: BucketName::new("target").unwrap(),
            prefix: KeyPrefix::new("copy/").unwrap(),
            role_arn: RoleArn::new("arn:aws:iam::222222222222:role/Target").unwrap(),
            external_id: None,
        },
    }
}

fn reason(action: Action, resource: &str, by: RefusingPolicy) -> RefusalReason {
    RefusalReason {
        action: action.into(),
        resource: Some(Arn::new(resource).unwrap()),
        by,
        is_explicit: false,
    }
}

/// A reason that names no key.
fn unnamed(by: RefusingPolicy) -> RefusalReason {
    RefusalReason {
        resource: None,
        ..reason(Action::Decrypt, OBJECT, by)
    }
}

fn at_source(action: Action) -> Denial {
    Denial::of_target_role(&pair(), Side::Source, &[action], Arn::new(OBJECT).unwrap())
}

fn at_target(actions: &[Action]) -> Denial {
    let object = Arn::new("arn:aws:s3:::target/copy/x").unwrap();
    Denial::of_target_role(&pair(), Side::Target, actions, object)
}

fn read_refused() -> Denial {
    at_source(Action::GetObject)
}

fn refused(reason: Option<RefusalReason>) -> CallFault {
    CallFault {
        reason,
        ..CallFault::new("s3:CopyObject", FaultKind::AccessDenied, "403")
    }
}

#[test]
fn a_denial_names_principal_action_resource_document_and_statement() {
    let failure = read_refused().into_failure(&refused(None));
    for part in [
        "role/Target",
        "s3:GetObject",
        "arn:aws:s3:::source/data/x",
        "source bucket's policy (statement ShardliftReadSource)",
        "permission policy (statement ReadTheSource)",
    ] {
        assert!(
            failure.detail.contains(part),
            "{part} in {}",
            failure.detail
        );
    }
}

#[test]
fn with_a_reason_exactly_one_statement_is_named() {
    for (by, named, unnamed) in [
        (
            RefusingPolicy::OfTheCaller,
            "ReadTheSource",
            "ShardliftReadSource",
        ),
        (
            RefusingPolicy::OfTheResource,
            "ShardliftReadSource",
            "ReadTheSource",
        ),
    ] {
        let fault = refused(Some(reason(Action::GetObject, OBJECT, by)));
        let failure = read_refused().into_failure(&fault);
        assert!(
            failure.detail.contains(&format!("(statement {named})")),
            "{}",
            failure.detail
        );
        assert!(
            !failure.detail.contains(&format!("(statement {unnamed})")),
            "{}",
            failure.detail
        );
    }
}

#[test]
fn a_key_that_refuses_is_named_instead_of_the_bucket() {
    let key = "arn:aws:kms:eu-west-1:111111111111:key/1";
    let fault = refused(Some(reason(
        Action::Decrypt,
        key,
        RefusingPolicy::OfTheResource,
    )));
    let failure = read_refused().into_failure(&fault);
    let named = "the KMS key's policy (statement ShardliftDecryptSource)";
    assert!(failure.detail.contains(named), "{}", failure.detail);
    assert!(failure.detail.contains(key), "{}", failure.detail);
}

#[test]
fn a_key_that_aws_does_not_name_is_explained_by_the_statements_of_both_sides() {
    let of_caller = unnamed(RefusingPolicy::OfTheCaller);
    assert_eq!(
        read_refused().missing_grant(Some(&of_caller)).remedy(),
        "it must be allowed by the target role's permission policy (statement DecryptTheSource for the source's key, EncryptTheTarget for the target's)"
    );
    let of_key = unnamed(RefusingPolicy::OfTheResource);
    assert_eq!(
        read_refused().missing_grant(Some(&of_key)).remedy(),
        "it must be allowed by the KMS key's policy (statement ShardliftDecryptSource for the source's key, ShardliftEncryptTarget for the target's)"
    );
}

#[test]
fn a_key_that_aws_does_not_name_is_explained_by_the_side_that_is_known() {
    let unnamed = unnamed(RefusingPolicy::OfTheCaller);
    let source = at_source(Action::Decrypt);
    let target = at_target(&[Action::PutObject]);
    for (denial, sid) in [(source, "DecryptTheSource"), (target, "EncryptTheTarget")] {
        assert_eq!(
            denial.missing_grant(Some(&unnamed)).remedy(),
            format!("it must be allowed by the target role's permission policy (statement {sid})")
        );
    }
}

#[test]
fn a_key_of_the_targets_account_is_the_targets_whatever_the_call_read() {
    let key = "arn:aws:kms:eu-west-1:222222222222:key/1";
    let of_caller = reason(Action::Decrypt, key, RefusingPolicy::OfTheCaller);
    assert_eq!(
        read_refused().missing_grant(Some(&of_caller)).remedy(),
        "it must be allowed by the target role's permission policy (statement EncryptTheTarget) or by the KMS key's policy (statement ShardliftEncryptTarget) (one of the two is enough)"
    );
}

#[test]
fn a_key_whose_policy_leaves_nothing_to_its_account_is_missing_that_policy_alone() {
    let key = "arn:aws:kms:eu-west-1:222222222222:key/1";
    let of_key = reason(Action::Decrypt, key, RefusingPolicy::OfTheResource);
    assert_eq!(
        read_refused().missing_grant(Some(&of_key)).remedy(),
        "it must be allowed by the KMS key's policy (statement ShardliftEncryptTarget)"
    );
}

#[test]
fn the_key_of_the_run_is_the_targets_whosever_it_is() {
    let key = "arn:aws:kms:eu-west-1:333333333333:key/1";
    let of_caller = reason(Action::Decrypt, key, RefusingPolicy::OfTheCaller);
    for (run_key, side) in [
        (None, Side::Source),
        (KmsKeyArn::new(key).ok(), Side::Target),
    ] {
        let denial = read_refused().with_run_key(run_key);
        assert_eq!(denial.missing_grant(Some(&of_caller)).side, Some(side));
    }
}

#[test]
fn an_action_that_is_none_of_ours_is_named_without_a_statement() {
    let other = RefusalReason {
        action: "s3:GetObjectTorrent".into(),
        ..reason(Action::GetObject, OBJECT, RefusingPolicy::OfTheResource)
    };
    let failure = read_refused().into_failure(&refused(Some(other)));
    for part in [
        "may not s3:GetObjectTorrent on",
        "it must be allowed by the source bucket's policy. ",
    ] {
        assert!(failure.detail.contains(part), "{}", failure.detail);
    }
}

#[test]
fn of_several_candidates_the_first_is_looked_up_and_all_are_named() {
    let denial = at_target(&[Action::PutObject, Action::PutObjectTagging]);
    assert_eq!(
        denial.missing_grant(None).remedy(),
        "it must be allowed by the target role's permission policy (statement WriteTheTarget) or by the target bucket's policy (statement LetTheRoleWrite) (one of the two is enough)"
    );
    let tagged = denial.into_failure(&refused(None)).detail;
    assert!(
        tagged.contains(
            "may not s3:PutObject (or s3:PutObjectTagging) on arn:aws:s3:::target/copy/x"
        ),
        "{tagged}"
    );
    let encrypted = at_target(&[Action::PutObject, Action::GenerateDataKey]);
    let encrypted = encrypted.into_failure(&refused(None)).detail;
    assert!(
        encrypted.contains("may not s3:PutObject (or kms:GenerateDataKey with the run's key) on"),
        "{encrypted}"
    );
}

#[test]
fn whoever_lists_is_named_with_the_statement_of_that_side() {
    for (side, named) in [
        (
            Side::Source,
            "the function's execution role (statement ListTheSource)",
        ),
        (
            Side::Target,
            "the target role's permission policy (statement ListTheTarget) or by the target bucket's policy (statement LetTheRoleList)",
        ),
    ] {
        let failure = listing_failure(refused(None), side);
        assert!(failure.detail.contains(named), "{}", failure.detail);
    }
    let entry = Denial::of_entry("the planner", &pair())
        .missing_grant(None)
        .remedy();
    assert!(entry.contains("(statement EnterTheTargetAccount) and by the target role's trust policy (statement LetTheFunctionsEnter)"), "{entry}");
}

#[test]
fn advice_follows_the_remedy_unless_aws_blames_another_action() {
    let advised = || read_refused().with_advice(Some("ask its owner".into()));
    let detail = |fault: CallFault| advised().into_failure(&fault).detail;
    assert!(detail(refused(None)).contains("; ask its owner. AWS reported"));
    let own = reason(Action::GetObject, OBJECT, RefusingPolicy::OfTheResource);
    assert!(detail(refused(Some(own))).contains("ask its owner"));
    let key = "arn:aws:kms:eu-west-1:111111111111:key/1";
    let key = reason(Action::Decrypt, key, RefusingPolicy::OfTheCaller);
    assert!(!detail(refused(Some(key))).contains("ask its owner"));
}
