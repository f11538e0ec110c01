//! The ledger in one DynamoDB table: conditional writes, strongly consistent reads, and native attributes.
//!
//! [`dynamo_ledger`] implements the port. [`settled_write`] makes sure that every write is known to have happened or
//! not, and [`table`] sends the requests. [`record_key`] says where each record is stored, and [`item`] how.

mod capacity_units;
mod dynamo_ledger;
mod item;
mod operation;
mod record_key;
mod settled_write;
mod table;

pub use dynamo_ledger::DynamoLedger;
