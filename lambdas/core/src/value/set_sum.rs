//! The digest of a set of objects, which neither their order nor their division into shards changes.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};

use super::object::ETag;

/// 64 bits each, the least significant first.
const WORDS: usize = 4;
/// Hexadecimal digits of a word.
const WORD_DIGITS: usize = 16;

/// The sum, modulo 2^256, of one SHA-256 for each object of a set.
///
/// What is hashed of an object: the bytes of its relative key, one zero byte, its ETag without quotes, one zero byte, and its
/// size in decimal digits. Neither an ETag nor a number has a zero byte, so no two objects give the same bytes. The hash is read as a little-endian number. docs/SEMANTICS.md defines it for other programs.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct SetDigest([u64; WORDS]);

impl SetDigest {
    /// That of the set of this one object.
    #[must_use]
    pub fn of(relative: &str, etag: &ETag, size_bytes: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(relative.as_bytes());
        hash.update([0]);
        hash.update(etag.as_str().as_bytes());
        hash.update([0]);
        hash.update(decimal(size_bytes, &mut [0; 20]));
        let hash: [u8; 32] = hash.finalize().into();
        let mut words = [0; WORDS];
        for (word, bytes) in words.iter_mut().zip(hash.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Self(words)
    }

    /// Adds the objects of another set.
    pub fn add(&mut self, other: &Self) {
        let mut carry = false;
        for (word, addend) in self.0.iter_mut().zip(other.0) {
            let (sum, overflows) = word.overflowing_add(addend);
            let (sum, carries) = sum.overflowing_add(u64::from(carry));
            (*word, carry) = (sum, overflows || carries);
        }
    }

    /// Takes the objects of another set out.
    pub fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        for (word, subtrahend) in self.0.iter_mut().zip(other.0) {
            let (rest, overflows) = word.overflowing_sub(subtrahend);
            let (rest, borrows) = rest.overflowing_sub(u64::from(borrow));
            (*word, borrow) = (rest, overflows || borrows);
        }
    }
}

/// As 64 hexadecimal digits, the most significant first.
impl fmt::Display for SetDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .rev()
            .try_for_each(|word| write!(f, "{word:016x}"))
    }
}

impl fmt::Debug for SetDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SetDigest({self})")
    }
}

impl Serialize for SetDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SetDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if text.len() != WORDS * WORD_DIGITS || !is_hexadecimal {
            return Err(D::Error::custom("a digest has 64 hexadecimal digits"));
        }
        let mut words = [0; WORDS];
        for (word, digits) in words
            .iter_mut()
            .rev()
            .zip(text.as_bytes().chunks(WORD_DIGITS))
        {
            let digits = std::str::from_utf8(digits).map_err(D::Error::custom)?;
            *word = u64::from_str_radix(digits, 16).map_err(D::Error::custom)?;
        }
        Ok(Self(words))
    }
}

/// A set of objects, known by their number, their bytes and their digest.
///
/// Two sets with equal sums are the same objects: the same keys, each with the same ETag and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SetSum {
    /// How many objects there are.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their digest.
    pub digest: SetDigest,
}

impl SetSum {
    /// Adds an object, which the set must not hold yet.
    ///
    /// # Panics
    /// When the bytes do not fit 64 bits, which those of S3 do.
    pub fn add_object(&mut self, relative: &str, etag: &ETag, size_bytes: u64) {
        self.add(&Self {
            objects: 1,
            bytes: size_bytes,
            digest: SetDigest::of(relative, etag, size_bytes),
        });
    }

    /// Takes out an object, which the set should hold: if it does not, the sum is that of no set.
    pub fn remove_object(&mut self, relative: &str, etag: &ETag, size_bytes: u64) {
        self.subtract(&Self {
            objects: 1,
            bytes: size_bytes,
            digest: SetDigest::of(relative, etag, size_bytes),
        });
    }

    /// Takes out the objects of another set, all of which the set should hold: otherwise the sum is that of no set.
    pub fn subtract(&mut self, other: &Self) {
        self.objects = self.objects.saturating_sub(other.objects);
        self.bytes = self.bytes.saturating_sub(other.bytes);
        self.digest.subtract(&other.digest);
    }

    /// Adds the objects of another set.
    ///
    /// # Panics
    /// When the bytes do not fit 64 bits, which those of S3 do.
    pub fn add(&mut self, other: &Self) {
        self.objects += other.objects;
        self.bytes = self
            .bytes
            .checked_add(other.bytes)
            .expect("byte counts fit 64 bits");
        self.digest.add(&other.digest);
    }

    /// This set and another one together.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        self.add(other);
        self
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A number in decimal digits.
fn decimal(mut number: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        if number == 0 {
            return &digits[at..];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn digest(relative: &str, etag: &str, size_bytes: u64) -> SetDigest {
        SetDigest::of(relative, &ETag::new(etag).unwrap(), size_bytes)
    }

    #[test]
    fn one_object_hashes_as_documented() {
        // python3 -c 'import hashlib; h = hashlib.sha256(b"a/b\0e-2\x000").digest();
        // print("%064x" % int.from_bytes(h, "little"))'
        assert_eq!(
            digest("a/b", "e-2", 0).to_string(),
            "f94f6e4f8b821e64ce51dc8711a7c7d36ff565c4370a11c9d2f43dbd45441595"
        );
        assert_eq!(
            digest("\u{fc}\0x", "d41d8cd98f00b204e9800998ecf8427e", u64::MAX).to_string(),
            "e2e8168fb2ea7e8505ac1e676fb4f92da6a1d39615c740c777e5b578a41c5812"
        );
    }

    #[test]
    fn the_sum_wraps_at_two_to_the_256() {
        let mut greatest = SetDigest([u64::MAX; WORDS]);
        let mut one = SetDigest::default();
        one.0[0] = 1;
        greatest.add(&one);
        assert_eq!(greatest, SetDigest::default());
        greatest.subtract(&one);
        assert_eq!(greatest.to_string(), "f".repeat(64));
    }

    #[test]
    fn key_etag_and_size_are_told_apart() {
        let all = [
            digest("a", "b", 1),
            digest("a", "b", 11),
            digest("a\0b", "b", 1),
            digest("", "b", 1),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(all[at + 1..].iter().all(|other| other != one));
        }
    }

    #[test]
    fn only_64_hexadecimal_digits_are_read() {
        for wrong in [
            "",
            "0",
            &"g".repeat(64),
            &"0".repeat(63),
            &"+".repeat(64),
            &"\u{e9}".repeat(32),
        ] {
            assert!(serde_json::from_value::<SetDigest>(wrong.to_owned().into()).is_err());
        }
    }

    proptest! {
        #[test]
        fn order_and_division_do_not_matter(
            sizes in prop::collection::vec(any::<u32>(), 0..40), at in 0_usize..40, removed in 0_usize..40,
        ) {
            let etag = ETag::new("e").unwrap();
            let sum = |numbers: &mut dyn Iterator<Item = (usize, &u32)>| {
                let mut sum = SetSum::default();
                for (number, &size) in numbers {
                    sum.add_object(&number.to_string(), &etag, u64::from(size));
                }
                sum
            };
            let whole = sum(&mut sizes.iter().enumerate());
            prop_assert_eq!(sum(&mut sizes.iter().enumerate().rev()), whole);
            let first = sum(&mut sizes.iter().enumerate().take(at));
            prop_assert_eq!(first.plus(&sum(&mut sizes.iter().enumerate().skip(at))), whole);
            let stored = serde_json::to_string(&whole).unwrap();
            prop_assert_eq!(serde_json::from_str::<SetSum>(&stored).unwrap(), whole);
            let mut rest = whole;
            if let Some(&size) = sizes.get(removed) {
                rest.remove_object(&removed.to_string(), &etag, u64::from(size));
            }
            prop_assert_eq!(rest, sum(&mut sizes.iter().enumerate().filter(|(at, _)| *at != removed)));
        }
    }
}
