//! Conditions on the headers of a write: what a bucket policy demands of every object.

use std::collections::BTreeMap;

use hyper::header::HeaderMap;
use serde::{Deserialize, Serialize};

use super::one_or_many::OneOrMany;

/// The conditions of a statement: all must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Conditions(BTreeMap<Operator, BTreeMap<ConditionKey, OneOrMany>>);

/// How a key is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Operator {
    StringEquals,
    StringNotEquals,
    Null,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum ConditionKey {
    #[serde(rename = "s3:x-amz-acl")]
    Acl,
    #[serde(rename = "s3:x-amz-server-side-encryption")]
    Encryption,
}

/// The headers of a request that conditions look at.
#[derive(Debug, Clone, Default)]
pub(crate) struct StatedHeaders {
    acl: Option<String>,
    encryption: Option<String>,
    /// Whether the request adds to an upload or ends it. Its creation stated the headers for all of them.
    is_of_upload: bool,
}

impl StatedHeaders {
    pub(crate) fn of(headers: &HeaderMap, is_of_upload: bool) -> Self {
        let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
        Self {
            acl: text("x-amz-acl"),
            encryption: text("x-amz-server-side-encryption"),
            is_of_upload,
        }
    }

    fn value(&self, key: ConditionKey) -> Option<&str> {
        match key {
            ConditionKey::Acl => self.acl.as_deref(),
            ConditionKey::Encryption => self.encryption.as_deref(),
        }
    }
}

impl Conditions {
    /// Whether they hold for a request. A negated operator holds for a header that is not there
    /// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html).
    pub(super) fn hold(&self, stated: &StatedHeaders, is_grant: bool) -> bool {
        if stated.is_of_upload {
            return is_grant;
        }
        self.0.iter().all(|(operator, keys)| {
            keys.iter().all(|(&key, wanted)| {
                let value = stated.value(key);
                let is_one = |value: &str| wanted.iter().any(|wanted| wanted == value);
                match operator {
                    Operator::StringEquals => value.is_some_and(is_one),
                    Operator::StringNotEquals => !value.is_some_and(is_one),
                    Operator::Null => is_one(if value.is_none() { "true" } else { "false" }),
                }
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(conditions: &str, acl: Option<&str>) -> bool {
        let conditions: Conditions = serde_json::from_str(conditions).expect("conditions");
        let stated = StatedHeaders {
            acl: acl.map(str::to_owned),
            ..StatedHeaders::default()
        };
        conditions.hold(&stated, false)
    }

    #[test]
    fn a_header_that_is_missing_is_unequal_and_null() {
        let unequal = r#"{"StringNotEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}"#;
        let null = r#"{"Null": {"s3:x-amz-acl": "true"}}"#;
        let equal =
            r#"{"StringEquals": {"s3:x-amz-acl": ["private", "bucket-owner-full-control"]}}"#;
        for (acl, expected) in [
            (None, [true, true, false]),
            (Some("private"), [true, false, true]),
            (Some("bucket-owner-full-control"), [false, false, true]),
        ] {
            assert_eq!([unequal, null, equal].map(|one| holds(one, acl)), expected);
        }
    }

    #[test]
    fn requests_to_an_upload_were_judged_at_its_creation() {
        let conditions: Conditions =
            serde_json::from_str(r#"{"Null": {"s3:x-amz-acl": "true"}}"#).expect("conditions");
        let stated = StatedHeaders {
            is_of_upload: true,
            ..StatedHeaders::default()
        };
        assert!(conditions.hold(&stated, true) && !conditions.hold(&stated, false));
    }
}
