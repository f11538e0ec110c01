//! The session policies of the functions: what remains of the target role's rights while one run lists, copies or reports.
//!
//! A session may do what both the role and the session policy allow. The role serves every run of the stack; a run that
//! was started with narrower prefixes than the stack's gets no more than these, and a session no more than its work needs.

use super::{
    agreement::prefix_pattern,
    statement::{Document, Statement},
    target_role::{TAG_READS, VERSION_TAG_READS},
};
use crate::{
    run::{
        option::{Mode, TagPolicy},
        pair::Side,
        spec::RunSpec,
    },
    value::{
        action::Action,
        arn::{Arn, dns_suffix},
        key::KeyPrefix,
    },
};

/// STS takes a session policy of at most 2,048 characters
/// (docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, Policy).
pub const SESSION_POLICY_CHARACTERS_MAX: usize = 2_048;

/// What a session of the target role is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionWork {
    /// The planner checks, before a run, everything that the run will do.
    Check,
    /// The planner lists the target.
    List,
    /// A copier copies, and deletes in a mirror.
    Copy,
    /// A renderer makes renditions, and deletes in a mirror.
    Render,
    /// The reporter lists the target again, and aborts the uploads that the run left behind.
    Report,
}

impl SessionWork {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Check,
        Self::List,
        Self::Copy,
        Self::Render,
        Self::Report,
    ];
}

/// The session policy for this work of a run, as the JSON that STS takes: ASCII, and never longer than it may be.
///
/// When long prefixes would not fit, they are cut from behind. The policy is then wider than the run, and still narrower
/// than the role.
#[must_use]
pub fn session_policy(spec: &RunSpec, work: SessionWork) -> String {
    let mut source: Vec<char> = spec.pair.source.prefix.as_str().chars().collect();
    let mut target: Vec<char> = spec.pair.target.prefix.as_str().chars().collect();
    loop {
        let policy = document(spec, work, &source, &target).to_ascii_json();
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

fn document(spec: &RunSpec, work: SessionWork, source: &[char], target: &[char]) -> Document {
    let bucket = spec.pair.bucket_arn(Side::Target);
    match work {
        SessionWork::Check if !spec.mode.writes() => {
            let source_bucket = spec.pair.bucket_arn(Side::Source);
            let mut actions = vec![Action::GetObject];
            actions.extend(spec.may_name_versions().then_some(Action::GetObjectVersion));
            let mut look = Statement::allow(
                "Look",
                &actions,
                format!("{source_bucket}/{}", pattern(source)),
            );
            look.resource.push(format!("{bucket}/{}", pattern(target)));
            Document::of(vec![list_target(&bucket, target), look])
        }
        SessionWork::Copy | SessionWork::Render | SessionWork::Report if !spec.mode.writes() => {
            Document::of(vec![list_target(&bucket, target)])
        }
        SessionWork::List => Document::of(vec![list_target(&bucket, target)]),
        // S3 offers no prefix condition for the list of uploads.
        SessionWork::Report => Document::of(vec![
            list_target(&bucket, target),
            Statement::allow(
                "ListUploads",
                &[Action::ListBucketMultipartUploads],
                bucket.clone(),
            ),
            Statement::allow(
                "AbortUploads",
                &[Action::AbortMultipartUpload],
                format!("{bucket}/{}", pattern(target)),
            ),
        ]),
        SessionWork::Check | SessionWork::Copy | SessionWork::Render => {
            writing(spec, work, source, target)
        }
    }
}

/// IfExists, because HeadBucket is authorised as s3:ListBucket and carries no prefix.
fn list_target(bucket: &Arn, target: &[char]) -> Statement {
    Statement::allow("List", &[Action::ListBucket], bucket.clone()).when(
        "StringLikeIfExists",
        "s3:prefix",
        pattern(target),
    )
}

fn writing(spec: &RunSpec, work: SessionWork, source: &[char], target: &[char]) -> Document {
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
    if spec.may_name_versions() {
        reads.push(Action::GetObjectVersion);
        if spec.tags != TagPolicy::Ignore {
            reads.extend(VERSION_TAG_READS);
        }
    }
    if spec.acl.is_some() {
        writes.push(Action::PutObjectAcl);
    }
    if spec.mode == Mode::Mirror {
        writes.push(Action::DeleteObject);
    }
    if work == SessionWork::Render {
        // A rendition is one PutObject, which carries tags and nothing else. A deletion that is refused looks at the target.
        writes.retain(|action| {
            !matches!(
                action,
                Action::AbortMultipartUpload | Action::ListMultipartUploadParts
            )
        });
        writes.retain(|action| *action != Action::GetObject || spec.mode == Mode::Mirror);
    }
    if work != SessionWork::Copy {
        // Only a whole copy carries annotations, and nothing is copied yet.
        reads.retain(|action| !action.is_of_annotations());
        writes.retain(|action| !action.is_of_annotations());
    }
    // Uploads are looked for at the target alone; the role allows it nowhere else.
    let mut list_actions = vec![Action::ListBucket, Action::ListBucketMultipartUploads];
    list_actions.truncate(if work == SessionWork::Render { 1 } else { 2 });
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
        session_for(SessionWork::Copy, source_prefix, target_prefix, options)
    }

    fn session_for(
        work: SessionWork,
        source_prefix: &str,
        target_prefix: &str,
        options: &Value,
    ) -> Value {
        let mut input = json!({
            "source": {"bucket": "source", "prefix": source_prefix},
            "target": {"bucket": "target", "prefix": target_prefix,
                "role_arn": "arn:aws-cn:iam::222222222222:role/T"},
        });
        for (name, value) in options.as_object().unwrap() {
            input[name] = value.clone();
        }
        let spec = RunSpec::settle(RunInput::parse(&input).unwrap()).unwrap();
        let text = session_policy(&spec, work);
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

    /// The actions of a policy, each with its resources.
    fn allowed(policy: &Value) -> Vec<(String, String)> {
        let listed = |value: &Value| match value {
            Value::Array(values) => values.clone(),
            one => vec![one.clone()],
        };
        let mut allowed = Vec::new();
        for statement in policy["Statement"].as_array().unwrap() {
            for action in listed(&statement["Action"]) {
                for resource in listed(&statement["Resource"]) {
                    let texts = [&action, &resource].map(|text| text.as_str().unwrap().to_owned());
                    allowed.push(texts.into());
                }
            }
        }
        allowed
    }

    #[test]
    fn whoever_lists_or_reports_reads_and_writes_no_object() {
        let options = json!({"mode": "mirror", "acl": "bucket-owner-full-control"});
        let bucket = "arn:aws-cn:s3:::target";
        let list = session_for(SessionWork::List, "data/", "copy/", &options);
        let own = |action: &str, resource: &str| (action.to_owned(), resource.to_owned());
        assert_eq!(allowed(&list), [own("s3:ListBucket", bucket)]);
        let report = session_for(SessionWork::Report, "data/", "copy/", &options);
        let expected = [
            own("s3:ListBucket", bucket),
            own("s3:ListBucketMultipartUploads", bucket),
            own("s3:AbortMultipartUpload", "arn:aws-cn:s3:::target/copy/*"),
        ];
        assert_eq!(allowed(&report), expected);
        for policy in [list, report] {
            let condition = &policy["Statement"][0]["Condition"]["StringLikeIfExists"];
            assert_eq!(condition["s3:prefix"], "copy/*");
        }
    }

    #[test]
    fn a_check_may_do_what_a_copy_may_but_for_annotations() {
        let options = json!({"mode": "mirror", "acl": "bucket-owner-full-control"});
        let of = |work| allowed(&session_for(work, "data/", "copy/", &options));
        let mut copy = of(SessionWork::Copy);
        copy.retain(|(action, _)| !action.contains("Annotation"));
        assert_eq!(of(SessionWork::Check), copy);
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
    fn only_a_run_that_may_name_versions_may_read_them() {
        let plain = session("", "", &json!({}));
        assert!(!plain.to_string().contains("ObjectVersion"));
        let instant = json!({"source": {"bucket": "source", "as_of": "2026-11-20T02:00:00Z"}});
        let listed = json!({"source": {"bucket": "source", "list": {
            "bucket": "control", "key": "lists/l", "format": "csv"}}});
        for source in [instant, listed] {
            let policy = session("", "", &source);
            let reads = policy["Statement"][0]["Action"].to_string();
            for action in ["GetObjectVersion\"", "GetObjectVersionTagging"] {
                assert!(reads.contains(action), "{reads}");
            }
        }
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
        for work in SessionWork::ALL {
            session_for(work, &long, &("*".repeat(1_000) + "/"), &json!({}));
        }
        let policy = session(&long, &("*".repeat(1_000) + "/"), &json!({}));
        let resource = policy["Statement"][0]["Resource"].as_str().unwrap();
        assert!(
            resource.starts_with("arn:aws-cn:s3:::source/\u{1f680}\u{1f680}"),
            "{resource}"
        );
        assert!(resource.ends_with('*'));
    }
}
