//! The failed objects of a shard, as they lie in the control bucket.
//!
//! JSON lines under zstd, one failed object a line, in the order of the manifest. A list of 10,000 refused objects,
//! each with its own detail, takes some 100 KB: the details repeat each other.

use serde::{Deserialize, Serialize};

use crate::{
    documents::json_lines::{self, JsonLines},
    failure::{Failure, FailureCode, Retry},
    value::{id::VersionId, key::ObjectKey},
};

/// One object that failed, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedObject {
    /// Its position in the shard's manifest.
    pub index: u32,
    /// Its full source key.
    pub key: ObjectKey,
    /// The version that was planned, where the plan named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<VersionId>,
    /// Its size when it was planned, in bytes.
    pub size: u64,
    /// Why it failed.
    pub code: FailureCode,
    /// The story, as in [`Failure::detail`].
    pub detail: String,
}

impl FailedObject {
    /// Whether another round may succeed without anybody changing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.code.retry() == Retry::Later
    }
}

/// The list as bytes. The same list always gives the same bytes (P5).
///
/// # Errors
/// `InvariantViolated` when the encoder fails, which memory alone cannot make it do.
pub fn encode<'a>(objects: impl IntoIterator<Item = &'a FailedObject>) -> Result<Vec<u8>, Failure> {
    json_lines::encode(objects)
}

/// Reads a list line by line, so that its size does not matter to memory.
///
/// # Errors
/// `InvariantViolated` when the bytes are no such list; the iterator gives the same for a line that is none.
pub fn decode(bytes: &[u8]) -> Result<FailureLines<'_>, Failure> {
    json_lines::decode(bytes)
}

/// The lines of a failure list.
pub type FailureLines<'a> = JsonLines<'a, FailedObject>;

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(index: u32, key: &str, code: FailureCode) -> FailedObject {
        FailedObject {
            index,
            key: ObjectKey::new(key).unwrap(),
            version_id: None,
            size: u64::from(index) * 7,
            code,
            detail: "line one\nline two \"quoted\"".into(),
        }
    }

    #[test]
    fn hostile_keys_come_back_byte_for_byte() {
        let list = [
            failed(0, "a\nb\u{0}\u{feff}", FailureCode::AccessDenied),
            failed(9, "=cmd|'/c calc'!A1,\"x\"", FailureCode::Throttled),
        ];
        let bytes = encode(&list).unwrap();
        let back: Vec<_> = decode(&bytes).unwrap().map(Result::unwrap).collect();
        assert_eq!(back, list);
    }

    #[test]
    fn a_list_that_was_cut_off_is_an_error_and_never_a_shorter_list() {
        let list: Vec<_> = (0..500)
            .map(|index| failed(index, &format!("key-{index}"), FailureCode::ServiceFault))
            .collect();
        let bytes = encode(&list).unwrap();
        let outcome: Result<Vec<_>, _> = decode(&bytes[..bytes.len() - 9]).unwrap().collect();
        assert_eq!(outcome.unwrap_err().code, FailureCode::InvariantViolated);
    }

    #[test]
    fn only_what_may_heal_by_itself_is_retryable() {
        assert!(failed(0, "k", FailureCode::Throttled).is_retryable());
        assert!(!failed(0, "k", FailureCode::AccessDenied).is_retryable());
        assert!(!failed(0, "k", FailureCode::SourceChanged).is_retryable());
    }
}
