//! Policies: the part of IAM's language that the tests of Shardlift need.
//!
//! `Effect`, `Principal`, `Action` and `Resource`, with the wildcards `*` and `?`, and each
//! `Condition` on the headers that a write states. Anything else (other conditions, `NotAction`, …)
//! is refused: the model never grants or denies less than a policy says.

use serde::{Deserialize, Serialize};

use super::condition::{Conditions, StatedHeaders};
use super::one_or_many::OneOrMany;

/// A policy, as AWS writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PolicyDocument {
    /// The version of the language, `2012-10-17`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// A name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it grants and denies.
    pub statement: Vec<Statement>,
}

/// One grant or denial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Statement {
    /// A name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Whether it grants or denies.
    pub effect: Effect,
    /// The principals that it applies to. Identity policies name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<PolicyPrincipal>,
    /// `s3:GetObject`, `s3:*`.
    pub action: OneOrMany,
    /// `arn:aws:s3:::bucket/prefix*`.
    pub resource: OneOrMany,
    /// What the headers of the request must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Conditions>,
}

/// Whether a statement grants or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words are IAM's own")]
pub enum Effect {
    Allow,
    Deny,
}

/// The principals of a statement in a bucket policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PolicyPrincipal {
    /// `"*"`.
    Text(String),
    /// `{"AWS": …}`: an ARN, an account, or a list.
    Aws {
        /// The principals.
        #[serde(rename = "AWS")]
        aws: OneOrMany,
    },
}

/// The decision of one policy about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allowed,
    Denied,
    Silent,
}

/// The names by which a policy can mean a caller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallerNames<'a> {
    pub(crate) arn: &'a str,
    pub(crate) account: &'a str,
}

impl PolicyPrincipal {
    fn matches(&self, caller: Option<CallerNames<'_>>) -> bool {
        match self {
            Self::Text(text) => text == "*",
            Self::Aws { aws } => aws.iter().any(|name| {
                name == "*"
                    || caller.is_some_and(|caller| {
                        name == caller.arn
                            || name == caller.account
                            || name == format!("arn:aws:iam::{}:root", caller.account)
                    })
            }),
        }
    }
}

impl Statement {
    fn applies(
        &self,
        caller: Option<CallerNames<'_>>,
        action: &str,
        resource: &str,
        stated: &StatedHeaders,
    ) -> bool {
        self.condition
            .as_ref()
            .is_none_or(|conditions| conditions.hold(stated, self.effect == Effect::Allow))
            && self
                .principal
                .as_ref()
                .is_none_or(|principal| principal.matches(caller))
            && self
                .action
                .iter()
                .any(|pattern| matches(&pattern.to_lowercase(), &action.to_lowercase()))
            && self
                .resource
                .iter()
                .any(|pattern| matches(pattern, resource))
    }
}

impl PolicyDocument {
    /// Decides whether `caller` may do `action` on `resource`. A statement without a principal
    /// applies to every caller.
    pub(crate) fn verdict(
        &self,
        caller: Option<CallerNames<'_>>,
        action: &str,
        resource: &str,
        stated: &StatedHeaders,
    ) -> Verdict {
        let mut verdict = Verdict::Silent;
        for statement in &self.statement {
            match (
                statement.applies(caller, action, resource, stated),
                statement.effect,
            ) {
                (true, Effect::Deny) => return Verdict::Denied,
                (true, Effect::Allow) => verdict = Verdict::Allowed,
                (false, _) => {}
            }
        }
        verdict
    }
}

/// Whether `text` matches a pattern in which `*` stands for any bytes and `?` for one byte.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(wanted) if *wanted == b'?' || *wanted == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else {
                    return false;
                };
                p = star_at + 1;
                t = taken + 1;
                star = Some((star_at, t));
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(json: &str) -> PolicyDocument {
        serde_json::from_str(json).expect("the test's own policy")
    }

    #[test]
    fn patterns_match_as_iam_does() {
        assert!(matches("arn:aws:s3:::b/*", "arn:aws:s3:::b/a/c"));
        assert!(matches("s3:Get?bject*", "s3:GetObjectTagging"));
        assert!(matches("*a*b", "xxaxxbab"));
        assert!(!matches("arn:aws:s3:::b/*", "arn:aws:s3:::b"));
        assert!(!matches("a?", "a"));
    }

    #[test]
    fn a_denial_outweighs_a_grant_and_silence_is_neither() {
        let policy = document(
            r#"{"Statement": [
                {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"},
                {"Effect": "Deny", "Principal": "*", "Action": ["s3:PutObject"], "Resource": "arn:aws:s3:::b/secret/*"}]}"#,
        );
        let copier = CallerNames {
            arn: "arn:aws:iam::222222222222:role/copier",
            account: "222222222222",
        };
        let stranger = CallerNames {
            arn: "arn:aws:iam::333333333333:root",
            account: "333333333333",
        };
        let verdict = |caller: CallerNames<'_>, action: &str, key: &str| {
            let resource = format!("arn:aws:s3:::b/{key}");
            policy.verdict(Some(caller), action, &resource, &StatedHeaders::default())
        };
        assert_eq!(verdict(copier, "s3:PutObject", "k"), Verdict::Allowed);
        assert_eq!(verdict(copier, "s3:PutObject", "secret/k"), Verdict::Denied);
        assert_eq!(verdict(stranger, "s3:PutObject", "k"), Verdict::Silent);
    }

    #[test]
    fn a_policy_with_a_condition_on_anything_but_headers_is_refused() {
        let conditional = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*",
            "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}]}"#;
        assert!(serde_json::from_str::<PolicyDocument>(conditional).is_err());
    }
}
