//! What the two sides show about a finished copy.

use std::collections::BTreeMap;

use crate::shard::note::Note;
use crate::{
    port::{ChecksumType, CopyReceipt, CopySource, ObjectAttributes},
    value::object::ETag,
};

/// How an object was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyWay<'a> {
    /// By one CopyObject.
    Single,
    /// By an upload, with the ETag that follows from its parts, if one does.
    InParts(Option<&'a ETag>),
}

impl<'a> CopyWay<'a> {
    fn parts_etag(self) -> Option<&'a ETag> {
        match self {
            Self::Single => None,
            Self::InParts(etag) => etag,
        }
    }
}

/// What the two sides show about a finished copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// They show that it is right, or nothing at all: the note says which.
    Noted(Note),
    /// They contradict each other.
    Different,
}

/// What the checksums of two objects show about their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checksums {
    /// They are equal in every algorithm that both have.
    Equal,
    /// They differ.
    Different,
    /// There is no algorithm in which both have one over the full object.
    Incomparable,
}

/// An object's checksums by algorithm, and what they are computed over.
pub(super) type TypedChecksums<'a> = (&'a BTreeMap<String, String>, Option<ChecksumType>);

/// Compares checksums over the full object. A composite's is one over its parts, which the copy may have cut anew.
pub(super) fn compare_checksums(
    source: TypedChecksums<'_>,
    target: TypedChecksums<'_>,
) -> Checksums {
    let full = Some(ChecksumType::FullObject);
    if source.1 != full || target.1 != full {
        return Checksums::Incomparable;
    }
    let both = source
        .0
        .iter()
        .filter_map(|(algorithm, value)| Some((value, target.0.get(algorithm)?)));
    let mut found = Checksums::Incomparable;
    for (at_source, at_target) in both {
        if at_source != at_target {
            return Checksums::Different;
        }
        found = Checksums::Equal;
    }
    found
}

/// Compares what both sides show without reading their bytes.
#[must_use]
pub fn compare(
    planned: &CopySource,
    source: &ObjectAttributes,
    receipt: &CopyReceipt,
    way: CopyWay<'_>,
) -> Comparison {
    if source.etag != planned.etag {
        // The source was replaced after it was copied: what is left is S3's own statement, and the parts.
        return Comparison::Noted(by_etag(planned, receipt, way));
    }
    let checksums = compare_checksums(
        (&source.checksums, source.checksum_type),
        (&receipt.checksums, receipt.checksum_type),
    );
    match checksums {
        Checksums::Equal => Comparison::Noted(Note::ProvenByChecksum),
        Checksums::Different => Comparison::Different,
        Checksums::Incomparable => Comparison::Noted(by_etag(planned, receipt, way)),
    }
}

/// Whether the copy's checksum is of another algorithm or type than the source's, as far as these show it.
#[must_use]
pub fn changes_checksum(
    planned: &CopySource,
    source: &ObjectAttributes,
    receipt: &CopyReceipt,
) -> bool {
    source.etag == planned.etag && is_checksum_changed(source, receipt)
}

/// A response without a checksum shows nothing.
fn is_checksum_changed(source: &ObjectAttributes, receipt: &CopyReceipt) -> bool {
    let has_all = source
        .checksums
        .keys()
        .all(|algorithm| receipt.checksums.contains_key(algorithm));
    let is_known = !source.checksums.is_empty() && !receipt.checksums.is_empty();
    let is_kept = has_all && source.checksum_type == receipt.checksum_type;
    is_known && !is_kept
}

fn by_etag(planned: &CopySource, receipt: &CopyReceipt, way: CopyWay<'_>) -> Note {
    if way.parts_etag() == Some(&receipt.etag) {
        Note::ProvenByParts
    } else if receipt.etag == planned.etag && planned.etag.part_count().is_none() {
        Note::ProvenByEtag
    } else {
        Note::Unproven
    }
}

#[cfg(test)]
mod tests {
    use super::{
        ChecksumType::{Composite, FullObject},
        *,
    };
    use crate::copy::example::{attributes, planned};

    fn sided(checksums: &[(&str, &str)], kind: ChecksumType) -> ObjectAttributes {
        ObjectAttributes {
            checksums: owned(checksums),
            checksum_type: Some(kind),
            ..attributes()
        }
    }

    fn receipt(checksums: &[(&str, &str)], kind: ChecksumType) -> CopyReceipt {
        CopyReceipt {
            etag: planned().etag,
            version_id: None,
            checksums: owned(checksums),
            checksum_type: Some(kind),
        }
    }

    fn owned(checksums: &[(&str, &str)]) -> BTreeMap<String, String> {
        checksums
            .iter()
            .map(|(algorithm, value)| ((*algorithm).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn full_object_checksums_decide_where_both_sides_have_one() {
        let source = sided(&[("CRC64NVME", "AAA=")], FullObject);
        let comparison =
            |receipt: &CopyReceipt| compare(&planned(), &source, receipt, CopyWay::Single);
        for (checksum, kind, expected) in [
            (
                ("CRC64NVME", "AAA="),
                FullObject,
                Comparison::Noted(Note::ProvenByChecksum),
            ),
            (("CRC64NVME", "BBB="), FullObject, Comparison::Different),
            (
                ("SHA256", "AAA="),
                FullObject,
                Comparison::Noted(Note::ProvenByEtag),
            ),
            // The type decides, not the look of the value.
            (
                ("CRC64NVME", "BBB="),
                Composite,
                Comparison::Noted(Note::ProvenByEtag),
            ),
            (("CRC64NVME", "AA-A"), FullObject, Comparison::Different),
        ] {
            assert_eq!(
                comparison(&receipt(&[checksum], kind)),
                expected,
                "{checksum:?} {kind:?}"
            );
        }
    }

    #[test]
    fn composite_checksums_and_foreign_etags_prove_nothing() {
        let source = sided(&[("SHA256", "AAA=-2")], Composite);
        let mut response = receipt(&[("SHA256", "BBB=-3")], Composite);
        response.etag = ETag::new("another").unwrap();
        let comparison = |way| compare(&planned(), &source, &response, way);
        let unproven = Comparison::Noted(Note::Unproven);
        assert_eq!(comparison(CopyWay::Single), unproven);
        assert_eq!(comparison(CopyWay::InParts(None)), unproven);
        let parts = response.etag.clone();
        assert_eq!(
            comparison(CopyWay::InParts(Some(&parts))),
            Comparison::Noted(Note::ProvenByParts)
        );
    }

    #[test]
    fn a_checksum_of_another_algorithm_or_type_is_noted() {
        let cases = [
            (("SHA256", FullObject), ("SHA256", Composite), true),
            (("XXHASH64", FullObject), ("CRC64NVME", FullObject), true),
            (("CRC32", Composite), ("CRC32", FullObject), true),
            (("CRC32", FullObject), ("CRC32", FullObject), false),
            (("SHA256", Composite), ("SHA256", Composite), false),
        ];
        for ((at_source, source_type), (at_target, target_type), expected) in cases {
            let source = sided(&[(at_source, "A")], source_type);
            let response = receipt(&[(at_target, "B")], target_type);
            let is_noted = changes_checksum(&planned(), &source, &response);
            assert_eq!(is_noted, expected, "{at_source} -> {at_target}");
        }
        let response = receipt(&[("CRC64NVME", "A")], FullObject);
        assert!(!changes_checksum(&planned(), &attributes(), &response));
    }
}
