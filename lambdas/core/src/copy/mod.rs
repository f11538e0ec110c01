//! The decisions of copying: what an object's outcome does to its shard's account, what proves a copy that was in doubt,
//! which permission a refused call lacked, and how many failed calls may be made again.

#[cfg(test)]
mod example;
pub mod lost_answer;
pub mod method;
pub mod pacer;
pub mod part_layout;
pub mod part_shards;
pub mod proof;
pub mod retry_budget;
