//! What an object contains, as provenance instead of bytes, and the digests of it.
//!
//! Read `rope` first (the content, a rope of segments), then `segment` (where a run of bytes comes
//! from), then the two digests: `etag` and `checksum`.
//!
//! The MD5 of 48.8 TiB would take hours, and a listing can need the MD5s of a million objects.
//! Therefore content with a synthetic segment has a *pseudo* digest: a deterministic function of
//! its provenance. Equal content has equal digests, however it was cut and joined, and different
//! content has different ones. Content from clients, and empty content, has its true digests.

pub(crate) mod checksum;
pub(crate) mod etag;
pub(crate) mod rope;
mod segment;

#[cfg(test)]
mod digest_tests;
