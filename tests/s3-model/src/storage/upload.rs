//! Open multipart uploads.

use std::collections::BTreeMap;

use super::attributes::Attributes;
use crate::content::checksum::{Checksum, ChecksumAlgorithm, ChecksumKind};
use crate::content::etag::ETag;
use crate::content::rope::Rope;
use crate::splitmix::mix;

/// Every part except the last holds at least 5 MiB.
pub(crate) const PART_BYTES_MIN: u64 = 5 << 20;
/// The hexadecimal digits at the end of an upload id that hold its number.
const NUMBER_DIGITS: usize = 16;
/// Part numbers go from 1 to 10,000.
pub(crate) const PARTS_MAX: u16 = 10_000;

/// Finds uploads by key and by the number of their creation, the order of listings (fact 97).
pub(crate) type UploadKey = (String, u64);

/// Returns the number at the end of an upload id.
pub(crate) fn number_in_id(id: &str) -> Option<u64> {
    let at = id.len().checked_sub(NUMBER_DIGITS)?;
    u64::from_str_radix(id.get(at..)?, 16).ok()
}

/// Makes the id of an upload. It ends with the upload's number, and does not sort by it.
pub(crate) fn upload_id_of(number: u64) -> String {
    let (first, second) = (mix(number), mix(number ^ 0x0075_706c_6f61_6421));
    format!("{first:016x}{second:016x}{number:016x}")
}

/// An upload that was neither completed nor aborted.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) id: String,
    pub(crate) attributes: Attributes,
    /// The checksum that the creation of the upload asked for.
    pub(crate) algorithm: Option<ChecksumAlgorithm>,
    pub(crate) kind: ChecksumKind,
    pub(crate) parts: BTreeMap<u16, Part>,
    pub(crate) initiated_s: u64,
    pub(crate) initiator: String,
    /// Whether the key was written or deleted since the upload began.
    pub(crate) key_changed: bool,
}

/// A part that was uploaded or copied.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) rope: Rope,
    pub(crate) etag: ETag,
    /// `None` if the upload was created without an algorithm, whatever its parts were sent with.
    pub(crate) checksum: Option<Checksum>,
    pub(crate) modified_s: u64,
}
