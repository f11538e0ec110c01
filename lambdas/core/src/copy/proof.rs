//! What the two sides show about a copy whose answer was heard.

use super::remark::Remark;
use crate::{
    object::ETag,
    port::{CopyReceipt, CopySource, ObjectAttributes},
};

/// Whether the target object is the upload that was to be completed: its ETag is computed over its parts' ETags, so it
/// is equal for equal parts and for nothing else.
#[must_use]
pub fn is_completed(expected: &ETag, size_bytes: u64, target: &ObjectAttributes) -> bool {
    target.etag == *expected && target.size_bytes == size_bytes
}

/// What the two sides show about a finished copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// They show that it is right, or nothing at all.
    Said(Remark),
    /// They contradict each other.
    Different,
}

/// Compares what both sides tell without their bytes being read. `parts_etag` is the ETag that follows from the parts
/// of a copy in parts.
#[must_use]
pub fn compare(
    planned: &CopySource,
    source: &ObjectAttributes,
    receipt: &CopyReceipt,
    parts_etag: Option<&ETag>,
) -> Comparison {
    if source.etag != planned.etag {
        // The source was replaced after it was copied: what is left is S3's word, and the parts.
        return Comparison::Said(by_etag(planned, receipt, parts_etag));
    }
    // The checksum of a composite is one over its parts, which the copy cuts anew.
    let is_full = source.checksum_type.as_deref() == Some("FULL_OBJECT");
    let is_comparable = |checksum: &str| is_full && !checksum.contains('-');
    let mut equal = 0;
    for (algorithm, at_source) in &source.checksums {
        match receipt.checksums.get(algorithm) {
            Some(at_target) if is_comparable(at_source) && is_comparable(at_target) => {
                if at_source != at_target {
                    return Comparison::Different;
                }
                equal += 1;
            }
            _ => {}
        }
    }
    Comparison::Said(if equal > 0 {
        Remark::ProvenByChecksum
    } else {
        by_etag(planned, receipt, parts_etag)
    })
}

fn by_etag(planned: &CopySource, receipt: &CopyReceipt, parts_etag: Option<&ETag>) -> Remark {
    if parts_etag == Some(&receipt.etag) {
        Remark::ProvenByParts
    } else if receipt.etag == planned.etag && planned.etag.part_count().is_none() {
        Remark::ProvenByEtag
    } else {
        Remark::Unproven
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{key::ObjectKey, object::Encryption, time::Timestamp};

    fn planned() -> CopySource {
        CopySource {
            key: ObjectKey::new("k").unwrap(),
            etag: ETag::new("d41d8cd98f00b204e9800998ecf8427e").unwrap(),
            size_bytes: 3,
        }
    }

    fn attributes() -> ObjectAttributes {
        ObjectAttributes {
            size_bytes: 3,
            etag: planned().etag,
            headers: BTreeMap::new(),
            metadata: BTreeMap::new(),
            storage_class: "STANDARD".into(),
            tag_count: 0,
            checksums: BTreeMap::new(),
            checksum_type: None,
            encryption: Encryption::default(),
            kms_key_arn: None,
            modified_at: Timestamp::default(),
            told_at: None,
        }
    }

    fn receipt(checksums: &[(&str, &str)]) -> CopyReceipt {
        CopyReceipt {
            etag: planned().etag,
            version_id: None,
            checksums: owned(checksums),
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
        let mut source = attributes();
        source.checksums = owned(&[("CRC64NVME", "AAA=")]);
        source.checksum_type = Some("FULL_OBJECT".into());
        let said = |receipt: &CopyReceipt| compare(&planned(), &source, receipt, None);
        assert_eq!(
            said(&receipt(&[("CRC64NVME", "AAA=")])),
            Comparison::Said(Remark::ProvenByChecksum)
        );
        assert_eq!(
            said(&receipt(&[("CRC64NVME", "BBB=")])),
            Comparison::Different
        );
        assert_eq!(
            said(&receipt(&[("SHA256", "AAA=")])),
            Comparison::Said(Remark::ProvenByEtag)
        );
    }

    #[test]
    fn composite_checksums_and_foreign_etags_prove_nothing() {
        let mut source = attributes();
        source.checksums = owned(&[("SHA256", "AAA=-2")]);
        source.checksum_type = Some("COMPOSITE".into());
        let mut answer = receipt(&[("SHA256", "BBB=-3")]);
        answer.etag = ETag::new("another").unwrap();
        assert_eq!(
            compare(&planned(), &source, &answer, None),
            Comparison::Said(Remark::Unproven)
        );
        let parts = answer.etag.clone();
        assert_eq!(
            compare(&planned(), &source, &answer, Some(&parts)),
            Comparison::Said(Remark::ProvenByParts)
        );
    }
}
