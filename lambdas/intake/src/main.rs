//! The intake Lambda.
fn main() {}
