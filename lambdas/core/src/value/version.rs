//! The version of what is stored.

/// The version of the ledger's records.
pub const LEDGER_VERSION: u32 = 1;
