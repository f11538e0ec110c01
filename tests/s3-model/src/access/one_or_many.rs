//! What a policy writes as one string or as a list.

use serde::{Deserialize, Serialize};

/// One string or a list of strings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the names explain themselves")]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(text) => std::slice::from_ref(text).iter().map(String::as_str),
            Self::Many(texts) => texts.iter().map(String::as_str),
        }
    }
}
