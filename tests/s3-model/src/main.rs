//! The S3 model server.

fn main() {}
