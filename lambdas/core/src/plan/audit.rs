//! What an audit finds: both sides as they are, and every key in which they differ.

use serde::{Deserialize, Serialize};

use super::compare::CopyReason;
use crate::{
    documents::json_lines,
    failure::Failure,
    value::{key::RelativeKey, object::ListedObject, set_sum::SetSum},
    verify::{Difference, DifferenceKind, DifferingObject},
};

/// How many keys differ, by how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DifferenceCounts {
    /// The target lacks the key.
    #[serde(default)]
    pub missing: u64,
    /// The sizes differ.
    #[serde(default)]
    pub size: u64,
    /// The ETags can be compared and differ.
    #[serde(default)]
    pub content: u64,
    /// The target was written before the source, or in the same second.
    #[serde(default)]
    pub older: u64,
    /// The source lacks the key.
    #[serde(default)]
    pub extra: u64,
}

impl DifferenceCounts {
    /// Adds other counts.
    pub fn add(&mut self, other: &Self) {
        self.missing += other.missing;
        self.size += other.size;
        self.content += other.content;
        self.older += other.older;
        self.extra += other.extra;
    }

    /// All of them.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.missing + self.size + self.content + self.older + self.extra
    }
}

/// Both sides as far as they are compared: what the filters admit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AuditSums {
    /// The objects of the source.
    pub source: SetSum,
    /// The objects of the target.
    pub target: SetSum,
    /// The keys that differ.
    pub differences: DifferenceCounts,
}

impl AuditSums {
    /// Adds other sums.
    pub fn add(&mut self, other: &Self) {
        self.source.add(&other.source);
        self.target.add(&other.target);
        self.differences.add(&other.differences);
    }
}

/// What an audit compared in a stretch of the keys. The keys that differ are already in the form of their list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditedStretch {
    /// Both sides.
    pub sums: AuditSums,
    lines: Vec<u8>,
}

impl AuditedStretch {
    /// Adds a key that one side or both have. `reason` says how the two differ, if they do.
    pub(super) fn add(
        &mut self,
        relative: &str,
        (source, target): (Option<&ListedObject>, Option<&ListedObject>),
        reason: Option<CopyReason>,
    ) {
        let sums = &mut self.sums;
        for (side, object) in [(&mut sums.source, source), (&mut sums.target, target)] {
            if let Some(object) = object {
                side.add_object(relative, &object.etag, object.size_bytes);
            }
        }
        let counts = &mut sums.differences;
        let (kind, count) = match (source, reason) {
            (None, _) => (DifferenceKind::Extra, &mut counts.extra),
            (Some(_), None) => return,
            (Some(_), Some(CopyReason::Missing)) => (DifferenceKind::Missing, &mut counts.missing),
            (Some(_), Some(CopyReason::Size)) => (DifferenceKind::Size, &mut counts.size),
            (Some(_), Some(CopyReason::ETag)) => (DifferenceKind::Content, &mut counts.content),
            (Some(_), Some(CopyReason::Newer | CopyReason::Options)) => {
                (DifferenceKind::Older, &mut counts.older)
            }
        };
        *count += 1;
        // The tail of a key is never too long.
        if let Ok(key) = RelativeKey::new(relative) {
            let difference = Difference {
                key,
                kind,
                expected: source.map(DifferingObject::of),
                found: target.map(DifferingObject::of),
            };
            serde_json::to_writer(&mut self.lines, &difference)
                .expect("a line is written to memory");
            self.lines.push(b'\n');
        }
    }

    /// How many keys differ.
    pub(super) fn differing(&self) -> u64 {
        self.sums.differences.sum()
    }

    /// How many bytes their list takes in memory.
    pub(super) fn len_bytes(&self) -> usize {
        self.lines.len()
    }
}

/// The list of the keys that differ, in this order.
///
/// # Errors
/// `InvariantViolated` when the encoder fails, which memory alone cannot make it do.
pub(super) fn encode<'a>(
    stretches: impl IntoIterator<Item = &'a AuditedStretch>,
) -> Result<Vec<u8>, Failure> {
    json_lines::compress(
        stretches
            .into_iter()
            .map(|stretch| stretch.lines.as_slice()),
    )
}
