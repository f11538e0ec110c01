//! The copier over the testkit's ports. One binary, because linking takes longer than the tests.

#![expect(clippy::unwrap_used, reason = "a test fails where its setup fails")]

mod carrying;
mod ceilings;
mod copying;
mod deleting;
mod fault_matrix;
mod in_doubt;
mod live_source;
mod losing_a_shard;
mod part_shards;
mod redirects;
mod redriven;
mod refusals;
mod scene;
mod tagging;
mod versions;
