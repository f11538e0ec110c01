//! ARNs, and the accounts and Regions in them.
//!
//! An [`Arn`] names anything; [`RoleArn`], [`KmsKeyArn`], [`ExecutionArn`] and [`StateMachineArn`] are those of one kind
//! of resource. Read `name`, then `kind`; `partition` has what differs between the partitions of AWS.

mod account;
mod kind;
mod name;
mod partition;

pub use account::{AccountId, ExternalId, Region};
pub use kind::{ExecutionArn, KmsKeyArn, RoleArn, StateMachineArn};
pub use name::Arn;
pub use partition::dns_suffix;
