//! The decisions of copying: what an object's outcome does to its shard's account, what proves a copy that was in doubt,
//! which permission a refused call lacked, and how many failed calls may be made again.

pub mod account;
pub mod diagnosis;
#[cfg(test)]
mod example;
pub mod lost_answer;
pub mod pacer;
pub mod part_shards;
pub mod proof;
pub mod remark;
pub mod retry_budget;
