//! Open multipart uploads.

use std::collections::BTreeMap;

use super::attributes::Attributes;
use crate::content::checksum::{Checksum, ChecksumAlgorithm, ChecksumKind};
use crate::content::etag::ETag;
use crate::content::rope::Rope;

/// Every part except the last holds at least 5 MiB.
pub(crate) const PART_BYTES_MIN: u64 = 5 << 20;
/// Part numbers go from 1 to 10,000.
pub(crate) const PARTS_MAX: u16 = 10_000;

/// An upload that was neither completed nor aborted.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) attributes: Attributes,
    /// The checksum that the creation of the upload asked for.
    pub(crate) algorithm: Option<ChecksumAlgorithm>,
    pub(crate) kind: ChecksumKind,
    pub(crate) parts: BTreeMap<u16, Part>,
    pub(crate) initiated_s: u64,
    pub(crate) initiator: String,
}

/// A part that was uploaded or copied.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) rope: Rope,
    pub(crate) etag: ETag,
    pub(crate) checksum: Option<Checksum>,
    pub(crate) modified_s: u64,
}
