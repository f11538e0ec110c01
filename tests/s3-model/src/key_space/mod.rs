//! Buckets full of keys that are computed, not stored.
//!
//! A key space is a bijection between `0..len` and its keys **in byte order**. A listing can start
//! after any string, with a binary search over at most 50 computed keys, and a bucket of
//! 100,000,000 keys needs a few hundred bytes.
//!
//! Read `spec` first (what a test asks for), then `space` (the key space that a bucket holds),
//! then `keys` (what a shape must provide) and the shapes: `flat`, `hierarchical`, `skewed`,
//! `uuid`, `dated`, `unicode`.

mod dated;
mod flat;
mod hierarchical;
pub(crate) mod keys;
mod skewed;
pub(crate) mod space;
pub(crate) mod spec;
mod unicode;
mod uuid;
