//! S3 Inventory: a manifest, and the data files that it names.

mod file_checksum;
mod manifest;

pub use file_checksum::FileChecksum;
pub use manifest::{DataFile, DataFormat, InventoryManifest};
