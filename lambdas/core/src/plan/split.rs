//! Where a range can be split without knowing its keys.
//!
//! S3 lists forward only, and reports neither the number of keys in a range nor the last one. But the first key after any
//! text is one cheap request, and so is "is there a key after everything that begins with this prefix?". Bisection finds
//! the longest prefix that all remaining keys share. Then the first keys after some characters at the place where they
//! part are requested. Every response is a key that exists, so a split lands inside the data, whether the key space is
//! clustered, flat or deep, and in any script.

/// A text after every key that begins with `prefix`, except those that continue with the last character of Unicode. That
/// is near enough to find a split.
#[must_use]
pub fn beyond(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

/// The byte lengths of all prefixes of `key`, the empty one and the whole included.
#[must_use]
pub fn prefix_lengths(key: &str) -> Vec<usize> {
    key.char_indices()
        .map(|(at, _)| at)
        .chain([key.len()])
        .collect()
}

/// How many places of an interval are probed at once.
const PROBES_AT_ONCE: usize = 7;

/// The next places to probe between `low`, where the response was no, and `high`, where it was yes or which is the end.
#[must_use]
pub fn between(low: usize, high: usize) -> Vec<usize> {
    let gap = high.saturating_sub(low);
    let probes = PROBES_AT_ONCE.min(gap.saturating_sub(1));
    (1..=probes)
        .map(|step| low + gap * step / (probes + 1))
        .collect()
}

/// The most frequent characters of keys, far enough apart to cut a key space into similar pieces.
const USUAL: &str = "0123456789ACEGIKMOQSUWYaceglnprtvy~";
/// Where scripts begin and end, on a logarithmic scale.
const SCRIPTS: [u32; 13] = [
    0x80, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x3000, 0x6000, 0x9000, 0xC000, 0x1_0000, 0x1_F600,
    0x4_0000,
];
/// How many characters between two known ones are probed.
const EVEN_STEPS: u32 = 16;

/// The characters to probe, from the first character where the next key differs from the current one, to the last, which
/// is known where the range has an end.
#[must_use]
pub fn landmarks(first: char, last: Option<char>) -> Vec<char> {
    let mut marks: Vec<char> = USUAL
        .chars()
        .chain(SCRIPTS.into_iter().filter_map(char::from_u32))
        .collect();
    if let Some(last) = last {
        let (low, high) = (u32::from(first), u32::from(last));
        let gap = high.saturating_sub(low);
        marks.extend(
            (1..EVEN_STEPS).filter_map(|step| char::from_u32(low + gap / EVEN_STEPS * step)),
        );
        marks.extend(
            (low..high)
                .take(EVEN_STEPS as usize)
                .filter_map(char::from_u32),
        );
    }
    marks.retain(|&mark| mark >= first && last.is_none_or(|last| mark < last));
    marks.sort_unstable();
    marks.dedup();
    marks
}

/// At most `wanted` of `keys`, spread evenly; `keys` are in order.
#[must_use]
pub fn thinned<T: Clone>(keys: &[T], wanted: usize) -> Vec<T> {
    if keys.len() <= wanted {
        return keys.to_vec();
    }
    (0..wanted)
        .map(|step| keys[(2 * step + 1) * keys.len() / (2 * wanted)].clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prefixes_end_between_characters() {
        assert_eq!(prefix_lengths(""), [0]);
        assert_eq!(prefix_lengths("a\u{e9}b"), [0, 1, 3, 4]);
    }

    #[test]
    fn an_interval_shrinks_until_its_ends_are_neighbours() {
        assert_eq!(between(3, 4), Vec::<usize>::new());
        assert_eq!(between(0, 2), [1]);
        assert_eq!(between(0, 8), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(between(0, 80), [10, 20, 30, 40, 50, 60, 70]);
    }

    proptest! {
        #[test]
        fn landmarks_stay_between_their_ends(first in any::<char>(), last in any::<Option<char>>()) {
            for mark in landmarks(first, last) {
                prop_assert!(mark >= first);
                prop_assert!(last.is_none_or(|last| mark < last));
            }
        }

        #[test]
        fn nothing_with_the_prefix_comes_after_what_is_beyond_it(prefix in "(?s).{0,9}", rest in "(?s)[^\u{10ffff}].{0,9}") {
            let key = format!("{prefix}{rest}");
            prop_assert!(key < beyond(&prefix));
            prop_assert!(prefix < beyond(&prefix));
        }

        #[test]
        fn thinning_keeps_order_and_number(keys in prop::collection::vec(0..100_u32, 0..50), wanted in 1..20_usize) {
            let mut keys = keys;
            keys.sort_unstable();
            keys.dedup();
            let thin = thinned(&keys, wanted);
            prop_assert_eq!(thin.len(), wanted.min(keys.len()));
            prop_assert!(thin.windows(2).all(|two| two[0] < two[1]));
        }
    }
}
