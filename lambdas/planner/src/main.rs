//! The planner Lambda.

fn main() {}
