//! The reporter Lambda.

fn main() {}
