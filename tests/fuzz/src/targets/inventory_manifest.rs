//! The `manifest.json` of an S3 Inventory.

use shardlift_core::failure::FailureCode;
use shardlift_lists::InventoryManifest;

use crate::{refusal::assert_refusal, targets::scope};

/// A manifest is read, or refused; what is read has a checksum for each file.
pub(crate) fn inventory_manifest(bytes: &[u8]) {
    match InventoryManifest::read("the-list", bytes, None, &scope()) {
        Ok(manifest) => manifest.files.iter().for_each(|file| drop(file.checksum())),
        Err(failure) => assert_refusal(&failure, FailureCode::InvalidRun),
    }
}
