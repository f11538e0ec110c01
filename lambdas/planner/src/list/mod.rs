//! Plans from lists: the objects that a list names take the place of the source's listing.
//!
//! [`FromList`] reads the list once (`surveyor`, which keeps a `file_survey`): what is wrong with it, and whether it is in key
//! order. Where it is, an [`OrderedList`] gives its entries to the listing loop in place of the source's pages, many ranges at
//! once. Where it is not, a `sorter` sorts it into blocks first. `entry_lookup` looks up what the list does not tell.
//!
//! The list of a run of events has few keys, in key order: a `list_plan` reads it once (`list_reader`, `list_scan`), looks each
//! key up on both sides, and writes shards up to a `list_waypoint`.
//!
//! A list consists of the files of a `list_catalog` (those of an inventory, or of an index of `receipt_files`): each is a `list_file`, read as a `text_file` or a `table_file`.
//! `list_rules` hold for every line.

mod block_traffic;
mod entry_lookup;
mod file_survey;
mod from_list;
mod list_catalog;
mod list_file;
mod list_plan;
mod list_reader;
mod list_rules;
mod list_scan;
mod list_sort;
mod list_waypoint;
mod ordered_list;
mod ordered_parts;
mod receipt_files;
mod sorter;
mod surveyor;
mod table_file;
mod text_file;

pub(crate) use from_list::FromList;
pub(crate) use ordered_list::OrderedList;
