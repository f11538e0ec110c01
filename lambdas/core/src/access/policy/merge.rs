//! Puts our statements into a bucket policy that exists already: a bucket has only one.

use serde_json::{Value, json};

use super::statement::Document;

/// Why a policy cannot take our statements.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// It is no policy.
    #[error(
        "the existing policy is not a policy document: expected an object with a Statement, found {found}"
    )]
    NotAPolicy {
        /// What it is instead.
        found: &'static str,
    },
    /// Its version does not know policy variables, which our statements use.
    #[error(
        "the existing policy has the version {found}, in which a prefix with * ? or $ cannot be written; change it to 2012-10-17 first, after checking that its own statements contain no ${{"
    )]
    OldVersion {
        /// Its version.
        found: String,
    },
}

/// `existing` with the statements of `ours` in it. A statement of the same Sid is replaced, every other one is kept as it
/// is and where it is, so that merging again changes nothing. A statement for one role leaves that of another role alone,
/// which is of another pair over the same bucket: it gets the same Sid with a number, since a policy has each Sid once.
///
/// # Errors
/// [`MergeError`] when `existing` is no policy, or one of a version that would read our statements differently.
pub fn into_existing(existing: &Value, ours: &Document) -> Result<Value, MergeError> {
    let Value::Object(policy) = existing else {
        return Err(MergeError::NotAPolicy {
            found: kind(existing),
        });
    };
    let mut statements = match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        // A single statement may stand without a list.
        Some(statement @ Value::Object(_)) => vec![statement.clone()],
        other => {
            return Err(MergeError::NotAPolicy {
                found: other.map_or("no Statement", kind),
            });
        }
    };
    check_version(policy.get("Version"), ours)?;
    for statement in &ours.statement {
        put(&mut statements, json!(statement));
    }
    let mut merged = policy.clone();
    merged.insert("Statement".to_owned(), Value::Array(statements));
    merged
        .entry("Version")
        .or_insert_with(|| json!(ours.version));
    Ok(Value::Object(merged))
}

/// Puts a statement in the place of ours for the same role, or after all others.
fn put(statements: &mut Vec<Value>, mut ours: Value) {
    let sid = ours["Sid"].as_str().unwrap_or_default().to_owned();
    for number in 1_u32.. {
        if number > 1 {
            ours["Sid"] = json!(format!("{sid}{number}"));
        }
        let found = statements
            .iter_mut()
            .find(|existing| existing.get("Sid") == ours.get("Sid"));
        match found {
            None => return statements.push(ours),
            Some(same) if !is_of_another_role(same, &ours) => {
                *same = ours;
                return;
            }
            Some(_) => {}
        }
    }
}

/// Whether each of two statements is for one role, and not for the same one. A role that was deleted and is named by its
/// id is another one, too.
fn is_of_another_role(existing: &Value, ours: &Value) -> bool {
    match (only_role(existing), only_role(ours)) {
        (Some(existing), Some(ours)) => existing != ours,
        _ => false,
    }
}

fn only_role(statement: &Value) -> Option<&str> {
    match &statement["Principal"]["AWS"] {
        Value::String(role) => Some(role),
        Value::Array(roles) => match &roles[..] {
            [Value::String(role)] => Some(role),
            _ => None,
        },
        _ => None,
    }
}

fn check_version(version: Option<&Value>, ours: &Document) -> Result<(), MergeError> {
    let version = version.and_then(Value::as_str).unwrap_or("none");
    let uses_variables = ours
        .statement
        .iter()
        .flat_map(|statement| &statement.resource)
        .any(|resource| resource.contains("${"));
    if uses_variables && version != ours.version {
        return Err(MergeError::OldVersion {
            found: version.to_owned(),
        });
    }
    Ok(())
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access::policy::Statement, value::action::Action};

    fn ours(prefix: &str) -> Document {
        Document::of(vec![Statement::allow(
            "ShardliftReadSource",
            &[Action::GetObject],
            format!("arn:aws:s3:::source/{prefix}*"),
        )])
    }

    #[test]
    fn what_others_wrote_stays_and_merging_again_changes_nothing() {
        let existing = json!({"Version": "2012-10-17", "Id": "ours", "Statement": [
            {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"},
            {"Effect": "Allow", "Principal": {"AWS": "1"}, "Action": "s3:GetObject", "Resource": "*"},
        ]});
        let merged = into_existing(&existing, &ours("data/")).unwrap();
        assert_eq!(merged["Statement"].as_array().unwrap().len(), 3);
        assert_eq!(merged["Statement"][0], existing["Statement"][0]);
        assert_eq!(merged["Statement"][1], existing["Statement"][1]);
        assert_eq!(merged["Id"], "ours");
        assert_eq!(into_existing(&merged, &ours("data/")).unwrap(), merged);
    }

    #[test]
    fn an_older_statement_of_ours_is_replaced_in_its_place() {
        let first = into_existing(&json!({"Statement": []}), &ours("old/")).unwrap();
        let second = into_existing(&first, &ours("new/")).unwrap();
        assert_eq!(second["Statement"].as_array().unwrap().len(), 1);
        assert_eq!(
            second["Statement"][0]["Resource"],
            "arn:aws:s3:::source/new/*"
        );
    }

    #[test]
    fn the_statement_of_another_pairs_role_stays() {
        let for_role = |role: &str, prefix: &str| {
            let mut document = ours(prefix);
            document.statement[0] = document.statement[0].clone().to(role);
            document
        };
        let roles =
            ["one", "two", "three"].map(|name| format!("arn:aws:iam::222222222222:role/{name}"));
        let mut policy = json!({"Version": "2012-10-17", "Statement": []});
        for role in &roles {
            policy = into_existing(&policy, &for_role(role, "old/")).unwrap();
        }
        for role in &roles {
            policy = into_existing(&policy, &for_role(role, "new/")).unwrap();
        }
        let statements = policy["Statement"].as_array().unwrap();
        let told: Vec<_> = statements
            .iter()
            .map(|one| (one["Sid"].as_str().unwrap(), only_role(one).unwrap()))
            .collect();
        assert_eq!(
            told,
            [
                ("ShardliftReadSource", &*roles[0]),
                ("ShardliftReadSource2", &*roles[1]),
                ("ShardliftReadSource3", &*roles[2]),
            ]
        );
        assert!(
            statements
                .iter()
                .all(|one| one["Resource"].to_string().contains("new/"))
        );
    }

    #[test]
    fn a_single_statement_may_stand_without_a_list() {
        let existing = json!({"Version": "2012-10-17", "Statement": {"Sid": "Theirs"}});
        let merged = into_existing(&existing, &ours("")).unwrap();
        assert_eq!(merged["Statement"][0]["Sid"], "Theirs");
        assert_eq!(merged["Statement"][1]["Sid"], "ShardliftReadSource");
    }

    #[test]
    fn what_would_be_read_differently_is_refused() {
        let old = json!({"Version": "2008-10-17", "Statement": []});
        assert!(into_existing(&old, &ours("data/")).is_ok());
        assert!(matches!(
            into_existing(&old, &ours("a${*}b/")),
            Err(MergeError::OldVersion { .. })
        ));
        for broken in [json!([]), json!({}), json!({"Statement": "x"})] {
            assert!(into_existing(&broken, &ours("")).is_err(), "{broken}");
        }
    }
}
