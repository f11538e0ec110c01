//! Listings of keys and versions, page by page.
//!
//! Read `page` first (what a page is asked for and how it ends), then `start` (where a page begins
//! and its continuation token), then `key_page` (the walk over the keys), then the operations.
//! `entry_xml` writes what the entries share.

mod entry_xml;
mod key_page;
pub(super) mod list_object_versions;
pub(super) mod list_objects;
pub(super) mod list_objects_v2;
pub(super) mod page;
pub(crate) mod start;
