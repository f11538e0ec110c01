//! The ETag that S3 gives an object made of parts.

use md5::{Digest, Md5};
use shardlift_core::{port::PartReceipt, value::object::ETag};

/// The ETag of the object that these parts make, in their order: the MD5 over the parts' ETags, and their number.
///
/// Nothing when a part's ETag is not sixteen bytes in hexadecimal: then the ETag cannot be known beforehand.
pub(super) fn assembled_etag(parts: &[PartReceipt]) -> Option<ETag> {
    let mut digest = Md5::new();
    for part in parts {
        digest.update(sixteen_bytes(part.etag.as_str())?);
    }
    let hex: String = digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    ETag::new(format!("{hex}-{}", parts.len())).ok()
}

fn sixteen_bytes(hex: &str) -> Option<[u8; 16]> {
    if hex.len() != 32 || !hex.is_ascii() {
        return None;
    }
    let mut bytes = [0; 16];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use shardlift_core::copy::part_layout::PartNumber;

    use super::*;

    fn part(number: u32, etag: &str) -> PartReceipt {
        PartReceipt {
            number: PartNumber::new(number).unwrap(),
            etag: ETag::new(etag).unwrap(),
            size_bytes: None,
            checksums: BTreeMap::new(),
        }
    }

    /// Twice the MD5 of nothing, hashed again with `md5sum`.
    #[test]
    fn the_etag_is_the_md5_over_the_parts_and_their_number() {
        let empty = "d41d8cd98f00b204e9800998ecf8427e";
        let etag = assembled_etag(&[part(1, empty), part(2, empty)]).unwrap();
        assert_eq!(etag.as_str(), "5873dd45edd01f09c1ef2e7819369e8e-2");
    }

    #[test]
    fn a_part_whose_etag_is_no_md5_makes_it_unknown() {
        assert_eq!(assembled_etag(&[part(1, "not-an-md5")]), None);
        assert_eq!(assembled_etag(&[part(1, &"é".repeat(16))]), None);
    }
}
