//! The adapters against the S3 model and against scripted responses. One binary, because linking takes longer than the tests.

#![expect(clippy::unwrap_used, reason = "a test fails where its setup fails")]

mod ledger_faults;
mod retry_layers;
mod s3_model;
