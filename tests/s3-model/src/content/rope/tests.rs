//! Ropes against the bytes that they stand for.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

fn any_rope() -> impl Strategy<Value = Rope> {
    let piece = prop_oneof![
        (0u64..4, 0u64..64, 0u64..300).prop_map(|(seed, start, length)| Rope::synthetic(
            seed,
            start + length
        )
        .slice(start, length)),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Rope::literal(bytes.into())),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| Rope::concat(pieces.iter()))
}

proptest! {
    #[test]
    fn a_slice_reads_as_the_slice_of_the_bytes(rope in any_rope(), a: Index, b: Index) {
        let bytes = rope.to_bytes();
        let (a, b) = (a.index(bytes.len() + 1), b.index(bytes.len() + 1));
        let (start, end) = (a.min(b), a.max(b));
        let slice = rope.slice(start as u64, (end - start) as u64);
        prop_assert_eq!(slice.to_bytes(), bytes.slice(start..end));
    }

    #[test]
    fn cutting_a_rope_and_joining_the_pieces_gives_the_same_content(rope in any_rope(), cut: Index) {
        let at = cut.index(rope.to_bytes().len() + 1) as u64;
        let joined = Rope::concat([&rope.slice(0, at), &rope.slice(at, rope.length() - at)]);
        prop_assert!(joined.same_content(&rope));
        prop_assert_eq!(joined.to_bytes(), rope.to_bytes());
    }

    #[test]
    fn content_is_the_same_exactly_when_the_bytes_are(a in any_rope(), b in any_rope()) {
        prop_assert_eq!(a.same_content(&b), a.to_bytes() == b.to_bytes());
        prop_assert!(a.same_content(&Rope::literal(a.to_bytes())));
    }
}

#[test]
fn ten_thousand_ranged_parts_of_the_largest_object_join_to_one_segment() {
    const PART_BYTES: u64 = 5 << 30;
    let whole = Rope::synthetic(9, 10_000 * PART_BYTES);
    let parts: Vec<Rope> = (0..10_000)
        .map(|n| whole.slice(n * PART_BYTES, PART_BYTES))
        .collect();
    let joined = Rope::concat(&parts);
    assert_eq!(joined.segments().len(), 1);
    assert!(joined.same_content(&whole));
    let mut swapped = parts.clone();
    swapped.swap(0, 1);
    assert!(!Rope::concat(&swapped).same_content(&whole));
}
