//! The copier Lambda.

fn main() {}
