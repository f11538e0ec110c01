//! The pure domain of Shardlift: its words, its decisions and the ports to the world.
//!
//! Nothing here touches AWS, a runtime, a clock, the environment or randomness: time and ids come
//! in as arguments, effects go out through the traits in [`port`]. A static test keeps it so.
//!
//! Read in this order: [`pair`] and [`spec`] (what a run is asked to do), [`object`] and
//! [`compare`] (what must be copied), [`manifest`] and [`shard`] (how the work is cut and
//! tracked), [`failure`] and [`fault`] (what can go wrong), [`report`] (the account of a run).

mod text;

pub mod arn;
pub mod bucket;
pub mod compare;
pub mod control_key;
pub mod copy;
pub mod copy_method;
pub mod cost;
pub mod deadline;
pub mod denial;
pub mod event;
pub mod failed_objects;
pub mod failure;
pub mod failure_list;
pub mod fault;
pub mod figures;
pub mod filter;
pub mod id;
pub mod input;
pub mod json_lines;
pub mod key;
pub mod manifest;
pub mod notice;
pub mod object;
pub mod pair;
pub mod part_layout;
pub mod plan;
pub mod policy;
pub mod port;
pub mod preflight;
pub mod printable;
pub mod progress;
pub mod range;
pub mod refusal_reason;
pub mod report;
pub mod rerun;
pub mod run;
pub mod settlement;
pub mod shard;
pub mod spec;
pub mod tally;
pub mod time;
