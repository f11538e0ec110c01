//! Whether a policy that is there says what a document of ours says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shardlift_core::access::policy::Document;

/// A statement, in the one form in which two that mean the same are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PlainStatement {
    sid: String,
    effect: String,
    principals: BTreeSet<String>,
    actions: BTreeSet<String>,
    resources: BTreeSet<String>,
    conditions: BTreeMap<String, BTreeSet<String>>,
}

/// The ids of our statements that the policies there do not contain. Statements of others may stand beside ours, may have
/// other ids, and may allow more actions at once: this compares texts, and does not evaluate policies.
pub(super) fn missing(ours: &Document, there: &[Value]) -> Vec<String> {
    let there: Vec<_> = there.iter().flat_map(statements).collect();
    let ours = serde_json::to_value(ours).unwrap_or_default();
    statements(&ours)
        .into_iter()
        .filter(|one| !contains(&there, one))
        .map(|one| one.sid)
        .collect()
}

fn contains(there: &[PlainStatement], one: &PlainStatement) -> bool {
    let mut actions = BTreeSet::new();
    for other in there {
        let is_alike = other.effect == one.effect
            && other.conditions == one.conditions
            && other.principals.is_superset(&one.principals)
            && other.resources.is_superset(&one.resources);
        if is_alike {
            actions.extend(other.actions.iter().cloned());
        }
    }
    actions.is_superset(&one.actions)
}

fn statements(document: &Value) -> Vec<PlainStatement> {
    let list = match &document["Statement"] {
        Value::Array(list) => list.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    list.iter().map(plain).collect()
}

fn plain(statement: &Value) -> PlainStatement {
    let lowered = |texts: BTreeSet<String>| texts.iter().map(|text| text.to_lowercase()).collect();
    PlainStatement {
        sid: statement["Sid"]
            .as_str()
            .unwrap_or("without an id")
            .to_owned(),
        effect: statement["Effect"].as_str().unwrap_or_default().to_owned(),
        principals: match &statement["Principal"] {
            Value::Object(kinds) => kinds.values().flat_map(texts).collect(),
            other => texts(other),
        },
        // IAM compares actions without regard to case.
        actions: lowered(texts(&statement["Action"])),
        resources: texts(&statement["Resource"]),
        conditions: conditions(&statement["Condition"]),
    }
}

fn conditions(conditions: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut plain = BTreeMap::new();
    for (operator, keys) in conditions.as_object().into_iter().flatten() {
        for (key, values) in keys.as_object().into_iter().flatten() {
            plain.insert(format!("{operator} {}", key.to_lowercase()), texts(values));
        }
    }
    plain
}

/// One text or several, as policies have them.
fn texts(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::String(text) => [text.clone()].into(),
        Value::Bool(flag) => [flag.to_string()].into(),
        _ => BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shardlift_core::{
        access::policy::{Agreement, Extras, source_bucket},
        run::pair::{Pair, Source, Target},
        value::{
            arn::{AccountId, RoleArn},
            bucket::BucketName,
            key::KeyPrefix,
        },
    };

    use super::*;

    fn ours() -> Document {
        let bucket = |name: &str| BucketName::new(name).unwrap();
        source_bucket(&Agreement {
            source_account: AccountId::new("111111111111").unwrap(),
            pair: Pair {
                source: Source {
                    bucket: bucket("from-here"),
                    prefix: KeyPrefix::new("data/").unwrap(),
                    request_payer: false,
                },
                target: Target {
                    bucket: bucket("to-there"),
                    prefix: KeyPrefix::new("data/").unwrap(),
                    role_arn: RoleArn::new("arn:aws:iam::222222222222:role/t").unwrap(),
                    external_id: None,
                },
            },
            extras: Extras::default(),
        })
    }

    #[test]
    fn a_statement_counts_whatever_stands_beside_it_and_however_it_is_written() {
        let mut there = serde_json::to_value(ours()).unwrap();
        assert_eq!(missing(&ours(), &[there.clone()]), [""; 0]);
        let list = there["Statement"].as_array_mut().unwrap();
        for statement in list.iter_mut() {
            statement["Sid"] = json!("Another");
            let action = texts(&statement["Action"]);
            let mut action: Vec<_> = action.into_iter().collect();
            action.reverse();
            action.push("s3:GetObjectAcl".to_owned());
            statement["Action"] = json!(action);
            statement["Condition"]["Bool"]["aws:SecureTransport"] = json!(["true"]);
        }
        list.push(json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}));
        assert_eq!(missing(&ours(), &[there]), [""; 0]);
    }

    #[test]
    fn what_is_gone_narrower_or_for_somebody_else_is_missing() {
        assert_eq!(missing(&ours(), &[]).len(), 2);
        let there = serde_json::to_value(ours()).unwrap();
        let change = |pointer: &str, value: Value| {
            let mut changed = there.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            missing(&ours(), &[changed])
        };
        let read = ["ShardliftReadSource"];
        assert_eq!(change("/Statement/1/Action", json!("s3:GetObject")), read);
        assert_eq!(
            change(
                "/Statement/1/Principal/AWS",
                json!("arn:aws:iam::222222222222:role/other")
            ),
            read
        );
        assert_eq!(change("/Statement/1/Effect", json!("Deny")), read);
        assert_eq!(
            change(
                "/Statement/1/Resource",
                json!("arn:aws:s3:::from-here/other/*")
            ),
            read
        );
    }
}
