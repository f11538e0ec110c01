//! Random keys for property tests.

use proptest::prelude::*;

use crate::conformance::HOSTILE_KEYS;

/// Keys that are hard to split: long shared beginnings, few characters, any script, any depth. At most 1,019 bytes, so that
/// a short prefix fits before them; the empty key is among them.
pub fn hard_to_split_key() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab]{0,6}",
        "(year=202[4-6]/month=(0[1-9]|1[0-2])/)[0-9]{1,3}",
        "shared/long/beginning/that/never/ends/[0-9a-f]{1,4}",
        "(?s).{0,4}",
        "[\u{4e00}-\u{4e40}\u{1f600}-\u{1f640}\u{10ffff}]{1,3}",
        "[/.%+ ]{0,5}",
        Just("k".repeat(1019)),
    ]
}

/// Any key that S3 takes: 1 to 1,024 bytes of UTF-8 without NUL.
pub fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{1,40}",
        any::<String>().prop_filter("a key has a byte", |key| (1..=1024).contains(&key.len())
            && !key.contains('\0')),
        prop::sample::select(HOSTILE_KEYS).prop_map(str::to_owned),
    ]
}
