//! The operator command of Shardlift.

fn main() {}
