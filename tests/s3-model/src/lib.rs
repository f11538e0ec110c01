//! The S3 model.
