//! All chance of a simulation: each decision follows from the seed and from what is decided, and from nothing else.
//!
//! So a decision stays the same when others are taken out of the story, and a story can be shrunk.

use fastrand::Rng;

/// Throws the dice of one seed.
#[derive(Debug, Clone, Copy)]
pub struct Dice {
    seed: u64,
}

impl Dice {
    /// Those of this seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self { seed }
    }

    /// The chance of one decision, named by what it is about.
    #[must_use]
    pub fn about(self, subject: &str, number: u64) -> Rng {
        Rng::with_seed(self.id(subject, number))
    }

    /// A number that stands for a decision.
    #[must_use]
    pub fn id(self, subject: &str, number: u64) -> u64 {
        let mut hash = Fingerprint::default();
        hash.add(&self.seed.to_le_bytes());
        hash.add(subject.as_bytes());
        hash.add(&number.to_le_bytes());
        hash.value()
    }
}

/// Whether something happens that happens in so many of a thousand cases.
pub fn happens(rng: &mut Rng, permille: u32) -> bool {
    permille > 0 && rng.u32(0..1000) < permille
}

/// One of these.
///
/// # Panics
/// When there is none.
pub fn one_of<T: Copy>(rng: &mut Rng, choices: &[T]) -> T {
    choices[rng.usize(0..choices.len())]
}

/// A running hash (FNV-1a, with a finish that spreads its bits).
#[derive(Debug, Clone, Copy)]
pub struct Fingerprint(u64);

impl Default for Fingerprint {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fingerprint {
    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self.0 ^= self.0 >> 29;
    }

    /// The hash so far.
    #[must_use]
    pub fn value(self) -> u64 {
        let mut hash = self.0;
        for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb)] {
            hash = (hash ^ (hash >> shift)).wrapping_mul(factor);
        }
        hash ^ (hash >> 31)
    }
}
