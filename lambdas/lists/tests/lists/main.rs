//! Lists as their writers write them, read back; and read in two halves.

mod inventories;
mod resuming;
mod round_trips;
mod support;
mod writers;
