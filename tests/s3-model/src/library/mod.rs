//! What a test in Rust uses: a model to build and serve, and direct access to its buckets.
//!
//! Read `model` first, then `bucket_view` and `object_view`.

pub(crate) mod bucket_view;
pub(crate) mod model;
pub(crate) mod object_view;
