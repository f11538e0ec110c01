//! The session policy of a copier: what remains of the target role's rights while one run copies.
//!
//! A session may do what both the role and the session policy allow. The role serves every run of the stack; a run that
//! was started with narrower prefixes than the stack's gets no more than these.

use super::{
    agreement::prefix_pattern,
    statement::{Document, Statement},
    target_role::TAG_READS,
};
use crate::{
    run::{
        option::{Mode, TagPolicy},
        pair::Side,
        spec::RunSpec,
    },
    value::{action::Action, arn::dns_suffix, key::KeyPrefix},
};

/// STS takes a session policy of at most 2,048 characters
/// (docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, Policy).
pub const SESSION_POLICY_CHARACTERS_MAX: usize = 2_048;

/// The session policy of a run's copiers, as the JSON that STS takes: ASCII, and never longer than it may be.
///
/// When long prefixes would not fit, they are cut from behind. The policy is then wider than the run, and still narrower
/// than the role.
#[must_use]
pub fn copier_session(spec: &RunSpec) -> String {
    let mut source: Vec<char> = spec.pair.source.prefix.as_str().chars().collect();
    let mut target: Vec<char> = spec.pair.target.prefix.as_str().chars().collect();
    loop {
        let policy = document(spec, &source, &target).to_ascii_json();
        if policy.len() <= SESSION_POLICY_CHARACTERS_MAX || (source.is_empty() && target.is_empty())
        {
            return policy;
        }
        if source.len() >= target.len() {
            source.pop();
        } else {
            target.pop();
        }
    }
}

fn document(spec: &RunSpec, source: &[char], target: &[char]) -> Document {
    let source_bucket = spec.pair.bucket_arn(Side::Source);
    let target_bucket = spec.pair.bucket_arn(Side::Target);
    let mut reads = vec![Action::GetObject];
    let mut writes = vec![
        Action::PutObject,
        Action::GetObject,
        Action::AbortMultipartUpload,
        Action::ListMultipartUploadParts,
    ];
    if spec.tags != TagPolicy::Ignore {
        reads.extend(TAG_READS);
        writes.extend([Action::PutObjectTagging, Action::PutObjectAnnotation]);
    }
    if spec.acl.is_some() {
        writes.push(Action::PutObjectAcl);
    }
    if spec.mode == Mode::Mirror {
        writes.push(Action::DeleteObject);
    }
    // Uploads are looked for at the target alone; the role allows it nowhere else.
    let list_actions = [Action::ListBucket, Action::ListBucketMultipartUploads];
    let mut list = Statement::allow("List", &list_actions, source_bucket.clone());
    list.resource.push(target_bucket.to_string());
    // Which keys the objects have is the role's and the key policies' business; S3 alone may use them here.
    let keys = Statement::allow("UseKeys", &[Action::Decrypt, Action::GenerateDataKey], "*").when(
        "StringLike",
        "kms:ViaService",
        format!("s3.*.{}", dns_suffix(spec.pair.target.role_arn.partition())),
    );
    Document::of(vec![
        Statement::allow(
            "Read",
            &reads,
            format!("{source_bucket}/{}", pattern(source)),
        ),
        Statement::allow(
            "Write",
            &writes,
            format!("{target_bucket}/{}", pattern(target)),
        ),
        list,
        keys,
    ])
}

/// The pattern of a prefix that may have been cut.
fn pattern(prefix: &[char]) -> String {
    let prefix: String = prefix.iter().collect();
    // A cut prefix is shorter than one that was valid.
    KeyPrefix::new(prefix).map_or_else(|_| "*".to_owned(), |prefix| prefix_pattern(&prefix))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::run::input::RunInput;

    fn session(source_prefix: &str, target_prefix: &str, options: &Value) -> Value {
        let mut input = json!({
            "source": {"bucket": "source", "prefix": source_prefix},
            "target": {"bucket": "target", "prefix": target_prefix,
                "role_arn": "arn:aws-cn:iam::222222222222:role/T"},
        });
        for (name, value) in options.as_object().unwrap() {
            input[name] = value.clone();
        }
        let spec = RunSpec::settle(RunInput::parse(&input).unwrap()).unwrap();
        let text = copier_session(&spec);
        assert!(text.is_ascii());
        assert!(
            text.len() <= SESSION_POLICY_CHARACTERS_MAX,
            "{}",
            text.len()
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_session_reaches_the_two_prefixes_and_nothing_else() {
        let policy = session("data/", "copy/*/", &json!({}));
        assert_eq!(
            policy["Statement"][0]["Resource"],
            "arn:aws-cn:s3:::source/data/*"
        );
        assert_eq!(
            policy["Statement"][1]["Resource"],
            "arn:aws-cn:s3:::target/copy/${*}/*"
        );
        let writes = policy["Statement"][1]["Action"].to_string();
        assert!(!writes.contains("DeleteObject"), "only a mirror deletes");
    }

    #[test]
    fn a_session_may_do_whatever_the_role_may_for_its_pair() {
        use std::collections::BTreeSet;

        use crate::{
            access::policy::{Agreement, Extras, target_role_permissions},
            value::arn::{AccountId, KmsKeyArn},
        };
        let policy = session("data/", "copy/", &json!({"mode": "mirror"}));
        let allowed: BTreeSet<&str> = policy["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|statement| match &statement["Action"] {
                Value::Array(actions) => actions.iter().collect(),
                one => vec![one],
            })
            .map(|action| action.as_str().unwrap())
            .collect();
        let key = KmsKeyArn::new("arn:aws-cn:kms:cn-north-1:222222222222:key/1").unwrap();
        let input = json!({
            "source": {"bucket": "source", "prefix": "data/"},
            "target": {"bucket": "target", "prefix": "copy/",
                "role_arn": "arn:aws-cn:iam::222222222222:role/T"},
        });
        let role = target_role_permissions(&Agreement {
            source_account: AccountId::new("111111111111").unwrap(),
            pair: RunSpec::settle(RunInput::parse(&input).unwrap())
                .unwrap()
                .pair,
            extras: Extras {
                deletes: true,
                source_key: Some(key.clone()),
                target_key: Some(key),
                ..Extras::default()
            },
        });
        let granted: BTreeSet<&str> = role
            .statement
            .iter()
            .flat_map(|statement| statement.action.iter().map(|action| action.name()))
            .collect();
        assert_eq!(allowed, granted);
    }

    #[test]
    fn only_a_run_with_an_acl_may_write_one() {
        let acl = "s3:PutObjectAcl";
        let plain = session("", "", &json!({}));
        assert!(!plain.to_string().contains(acl));
        let listed = session("", "", &json!({"acl": "bucket-owner-full-control"}));
        assert!(listed.to_string().contains(acl));
    }

    #[test]
    fn a_run_without_tags_cannot_touch_them() {
        let policy = session("", "", &json!({"tags": "ignore"}));
        assert_eq!(policy["Statement"][0]["Action"], "s3:GetObject");
        assert!(!policy.to_string().contains("Tagging"));
    }

    #[test]
    fn long_and_foreign_prefixes_are_cut_until_they_fit() {
        let long = format!("{}/", "\u{1f680}".repeat(255));
        let policy = session(&long, &("*".repeat(1_000) + "/"), &json!({}));
        let resource = policy["Statement"][0]["Resource"].as_str().unwrap();
        assert!(
            resource.starts_with("arn:aws-cn:s3:::source/\u{1f680}\u{1f680}"),
            "{resource}"
        );
        assert!(resource.ends_with('*'));
    }
}
