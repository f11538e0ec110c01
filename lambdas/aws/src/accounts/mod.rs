//! Opens the two buckets of a run: [`aws_accounts`] finds their Regions and owners, and [`session`] holds the
//! credentials of the target role.

mod aws_accounts;
mod session;
mod session_cache;

pub use aws_accounts::AwsAccounts;
