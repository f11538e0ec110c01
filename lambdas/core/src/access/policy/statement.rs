use std::collections::BTreeMap;

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::value::action::Action;

/// A policy document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Document {
    /// Always `2012-10-17`, the version in which conditions and variables mean what they say.
    pub version: &'static str,
    /// The statements.
    pub statement: Vec<Statement>,
}

/// One statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// Its name: letters and digits, unique within the document.
    pub sid: &'static str,
    /// Whether it allows or refuses.
    pub effect: PolicyEffect,
    /// Whom it concerns, in the policy of a resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<Principal>,
    /// The actions.
    #[serde(serialize_with = "one_or_many")]
    pub action: Vec<Action>,
    /// The resources; a trust policy has none.
    #[serde(serialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// The conditions, all of which must hold.
    #[serde(skip_serializing_if = "Conditions::is_empty")]
    pub condition: Conditions,
}

/// Whether a statement allows or refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum PolicyEffect {
    /// Allows.
    Allow,
    /// Refuses, whatever else allows.
    Deny,
}

/// Whom a statement concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// These roles.
    Roles(Vec<String>),
    /// Everybody; only for refusals.
    Everybody,
}

/// A condition: operator, key, values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// For example `StringEquals`.
    pub operator: &'static str,
    /// For example `aws:ResourceAccount`.
    pub key: &'static str,
    /// One of them must match.
    pub values: Vec<String>,
}

/// The conditions of a statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions(pub Vec<Condition>);

impl Document {
    /// A document of these statements.
    #[must_use]
    pub fn of(statement: Vec<Statement>) -> Self {
        Self {
            version: "2012-10-17",
            statement,
        }
    }

    /// The document as a person reads and pastes it.
    #[must_use]
    pub fn to_pretty_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and lists are JSON")
    }

    /// The document as one JSON text in ASCII: characters beyond it are escaped, since STS takes no others.
    #[must_use]
    pub fn to_ascii_json(&self) -> String {
        let json = serde_json::to_string(self).expect("texts and lists are JSON");
        let mut ascii = String::with_capacity(json.len());
        for character in json.chars() {
            if character.is_ascii() {
                ascii.push(character);
            } else {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    ascii.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
        ascii
    }
}

impl Statement {
    /// Allows `action` on `resource`.
    pub(super) fn allow(sid: &'static str, action: &[Action], resource: impl Into<String>) -> Self {
        Self {
            sid,
            effect: PolicyEffect::Allow,
            principal: None,
            action: action.to_vec(),
            resource: vec![resource.into()],
            condition: Conditions::default(),
        }
    }

    /// The same, on this resource too.
    pub(super) fn and_on(mut self, resource: impl Into<String>) -> Self {
        self.resource.push(resource.into());
        self
    }

    /// The same, for this principal.
    pub(super) fn to(mut self, role: impl Into<String>) -> Self {
        self.principal = Some(Principal::Roles(vec![role.into()]));
        self
    }

    /// The same, while `key` satisfies `operator` with `value`.
    pub(super) fn when(
        self,
        operator: &'static str,
        key: &'static str,
        value: impl Into<String>,
    ) -> Self {
        self.when_any(operator, key, [value.into()])
    }

    /// The same, while `key` satisfies `operator` with one of `values`.
    pub(super) fn when_any(
        mut self,
        operator: &'static str,
        key: &'static str,
        values: impl IntoIterator<Item = String>,
    ) -> Self {
        self.condition.0.push(Condition {
            operator,
            key,
            values: values.into_iter().collect(),
        });
        self
    }
}

impl Conditions {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Conditions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Values<'a>(#[serde(serialize_with = "one_or_many")] &'a [String]);
        let mut operators: BTreeMap<&str, BTreeMap<&str, Values<'_>>> = BTreeMap::new();
        for condition in &self.0 {
            operators
                .entry(condition.operator)
                .or_default()
                .insert(condition.key, Values(&condition.values));
        }
        operators.serialize(serializer)
    }
}

impl Serialize for Principal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Many<'a>(#[serde(serialize_with = "one_or_many")] &'a [String]);
        match self {
            Self::Everybody => serializer.serialize_str("*"),
            Self::Roles(roles) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("AWS", &Many(roles))?;
                map.end()
            }
        }
    }
}

/// One value stands alone, several in a list, as policies are written by hand.
fn one_or_many<S: Serializer, T: Serialize>(
    values: impl AsRef<[T]>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match values.as_ref() {
        [one] => one.serialize(serializer),
        many => many.serialize(serializer),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_statement_is_written_as_by_hand() {
        let statement = Statement::allow("Read", &[Action::GetObject], "arn:aws:s3:::b/*")
            .to("arn:aws:iam::222222222222:role/t")
            .when("StringEquals", "aws:ResourceAccount", "111111111111")
            .when("StringEquals", "aws:PrincipalAccount", "222222222222");
        assert_eq!(
            serde_json::to_value(&statement).unwrap(),
            json!({
                "Sid": "Read", "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::222222222222:role/t"},
                "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
                "Condition": {"StringEquals": {
                    "aws:ResourceAccount": "111111111111", "aws:PrincipalAccount": "222222222222"}},
            })
        );
    }

    #[test]
    fn a_document_can_be_written_in_ascii_alone() {
        let document = Document::of(vec![Statement::allow(
            "Read",
            &[Action::GetObject],
            "arn:aws:s3:::b/é\u{1f680}/*",
        )]);
        let text = document.to_ascii_json();
        assert!(text.is_ascii(), "{text}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            serde_json::to_value(&document).unwrap()
        );
    }
}
