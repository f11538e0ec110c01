//! Entity tags and checksums of the same content.

use super::checksum::ChecksumAlgorithm;
use super::etag::ETag;
use super::rope::Rope;

#[test]
fn literal_content_has_the_true_digests() {
    let rope = Rope::concat([
        &Rope::literal("123".into()),
        &Rope::literal("456789".into()),
    ]);
    assert_eq!(
        ETag::of_content(&rope).to_string(),
        "25f9e794323b453885f5181f1b624d0b"
    );
    assert_eq!(
        ChecksumAlgorithm::Crc32.of_content(&rope),
        0xcbf4_3926_u32.to_be_bytes()
    );
    assert_eq!(
        ChecksumAlgorithm::Crc32c.of_content(&rope),
        0xe306_9283_u32.to_be_bytes()
    );
    assert_eq!(
        ChecksumAlgorithm::Crc64nvme.of_content(&rope),
        0xae8b_1486_0a79_9888_u64.to_be_bytes()
    );
    assert_eq!(
        ETag::of_content(&Rope::default()).to_string(),
        "d41d8cd98f00b204e9800998ecf8427e"
    );
}

#[test]
fn a_composite_tag_is_the_md5_of_the_part_md5s() {
    let part = ETag::of_content(&Rope::literal("a".into()));

    assert_eq!(
        ETag::of_parts([part, part]).to_string(),
        "7b3c799ee8b11a11c798c8b41bed8502-2"
    );
}

#[test]
fn pseudo_digests_depend_on_the_content_and_not_on_how_it_was_cut() {
    let whole = Rope::synthetic(3, 100 << 20);
    let joined = Rope::concat([&whole.slice(0, 7), &whole.slice(7, (100 << 20) - 7)]);
    assert_eq!(ETag::of_content(&whole), ETag::of_content(&joined));
    for algorithm in ChecksumAlgorithm::ALL {
        assert_eq!(algorithm.of_content(&whole), algorithm.of_content(&joined));
        assert_ne!(
            algorithm.of_content(&whole),
            algorithm.of_content(&Rope::synthetic(4, 100 << 20))
        );
    }
    assert_ne!(
        ETag::of_content(&whole),
        ETag::of_content(&whole.slice(1, 99 << 20))
    );
}
#[test]
fn literal_content_is_never_taken_for_the_record_of_a_synthetic_segment() {
    // The record of a segment is 25 bytes long and starts with an "s".
    let text = "s23456789012345678901234\n";
    let rope = Rope::concat([&Rope::literal(text.into())]);
    let halves = Rope::concat([
        &Rope::literal(text[..12].to_owned().into()),
        &Rope::literal(text[12..].to_owned().into()),
    ]);
    assert_eq!(text.len(), 25);
    assert_eq!(ETag::of_content(&rope), ETag::of_content(&halves));
}
