//! What a refusal must be.

use shardlift_core::failure::{Failure, FailureCode};

/// Longer than any refusal: a key of 1,024 bytes fits three times.
const DETAIL_CHARACTERS_MAX: usize = 4_096;

/// Panics unless the failure is about what a person gave, and says so in bounded words. That these can be printed is
/// up to what prints them.
pub(crate) fn assert_refusal(failure: &Failure, code: FailureCode) {
    assert_eq!(failure.code, code, "{failure}");
    assert!(!failure.detail.is_empty(), "a refusal without a word");
    let characters = failure.detail.chars().count();
    assert!(
        characters <= DETAIL_CHARACTERS_MAX,
        "a refusal of {characters} characters"
    );
}
