//! Plans from lists: the objects that a list names take the place of the source's listing.
//!
//! A [`ListPlan`] reads the list (`list_reader` over its files, `text_file` and `table_file`), passes over what is named twice
//! (`list_scan`, `seen_keys`), looks up what the list does not tell and what the target has (`entry_lookup`), and writes
//! shards up to a `list_waypoint`.

mod entry_lookup;
mod list_file;
mod list_plan;
mod list_reader;
mod list_scan;
mod list_waypoint;
mod seen_keys;
mod table_file;
mod text_file;

pub(crate) use list_plan::ListPlan;
