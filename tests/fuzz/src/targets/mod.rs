//! One file a target, or for a few alike.

mod event_message;
mod glob;
mod image;
mod inventory_manifest;
mod ledger_record;
mod list;
mod run_document;
mod run_input;
mod table;

pub(crate) use event_message::event_message;
pub(crate) use glob::glob;
pub(crate) use image::image;
pub(crate) use inventory_manifest::inventory_manifest;
pub(crate) use ledger_record::ledger_record;
pub(crate) use list::list;
pub(crate) use run_document::run_document;
pub(crate) use run_input::run_input;
pub(crate) use table::table;

use shardlift_core::value::{bucket::BucketName, key::KeyPrefix};
use shardlift_lists::ListScope;

/// The source that the lists of the corpus are of.
fn scope() -> ListScope {
    ListScope {
        bucket: BucketName::new("source-bucket").expect("a bucket"),
        prefix: KeyPrefix::new("data/").expect("a prefix"),
    }
}
