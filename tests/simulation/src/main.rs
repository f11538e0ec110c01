//! Plays seeds.
fn main() {}
