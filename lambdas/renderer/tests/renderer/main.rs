//! The renderer over the testkit's ports. One binary, because linking takes longer than the tests.

#![expect(clippy::unwrap_used, reason = "a test fails where its setup fails")]

mod fault_matrix;
mod rendering;
mod scene;
