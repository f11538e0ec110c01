//! One suite per port: what every implementation must do, in memory and at AWS alike.
//!
//! A suite is one function that panics where an implementation breaks the port's promise. It is run on the
//! implementations of this crate and, over a socket, on the adapters.

mod bytes;
mod control_store;
mod copying;
mod deleting;
mod ledger;
mod list_files;
mod listing;
mod multipart;
mod records;

pub use bytes::{ByteWorld, bytes_keep_their_promises};
pub use control_store::control_store_keeps_its_promises;
pub use copying::{CopyWorld, SourceObject, copying_keeps_its_promises};
pub use deleting::deleting_keeps_its_promises;
pub use ledger::ledger_keeps_its_promises;
pub use list_files::list_files_keep_their_promises;
pub use listing::{keys_under, listing_keeps_its_promises};
pub use multipart::multipart_keeps_its_promises;
pub use records::{
    kept_record, lock_record, range_record, renditions_record, run_record, shard_record,
};

/// Keys that a careless client, server or URL library breaks. In the order of their bytes.
pub const HOSTILE_KEYS: &[&str] = &[
    "\u{1}",
    "\n",
    " ",
    "  two  spaces ",
    "\"quoted\"",
    "#fragment",
    "%",
    "%2F",
    "%2e%2e%2f",
    "&amp;",
    "+",
    "+ %2B",
    "../../up",
    "./here",
    "//double",
    "/leading",
    ":colon:",
    ";semi=colon",
    "<xml>",
    "?versionId=null",
    // What the S3 adapter writes for a key of nothing but white space.
    "SHARDLIFT-SPELLED-KEY-",
    "SHARDLIFT-SPELLED-KEY-41",
    "SHARDLIFT-SPELLED-KEY-41/a",
    "SHARDLIFT-SPELLED-KEY-z",
    "[]{}|^`\\",
    "a/../b",
    "a/./b",
    "a//b",
    "a/SHARDLIFT-SPELLED-KEY-41",
    "a/b/",
    "back\\slash",
    "case",
    "e\u{301}",
    "nul-free\u{7f}",
    "trailing.",
    "trailing/",
    "trailing//",
    "~tilde",
    "\u{e9}",
    "\u{ffff}",
    "\u{1f680}",
];
