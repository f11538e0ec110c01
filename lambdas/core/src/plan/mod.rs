//! Planning: turns the listings of both sides into objects to copy and to delete, cut into shards.
//!
//! A [`RangeWalk`] takes the pages of one [`range`] from both sides (each a `side_listing`), merges them as they stream,
//! and [`compare`]s objects with the same key. It returns [`Chunk`]s: small stretches of the range with their planned
//! objects. The [`Packer`] packs chunks of all ranges into [`PackedChunks`], which the planner writes to the ledger
//! together with the ranges. What the plan leaves as it stands at the target is in lists of its own, each with a [`KeptRecord`]. [`ListerCount`] sets how many ranges are listed at once, [`split`] finds where to split them,
//! and [`RunEstimate`] estimates the requests and the time of the run. [`rerun`] settles a run that does what an earlier one left undone, and [`ListCounts`] tells what a list is made of that names the objects. [`InstantState`] reads the objects of an instant from a listing of versions.
//!
//! Nothing here waits or makes calls. Pages and chunks bound the memory, never the number of keys.

mod as_of;
mod audit;
mod chunk;
pub mod compare;
mod copier_count;
mod copy_effort;
mod estimate;
mod kept;
mod list_counts;
mod list_page;
mod lister_count;
mod packer;
mod planned_classes;
pub mod range;
pub mod rerun;
pub(crate) mod side_listing;
pub mod split;
mod walk;
mod walk_rules;

pub use as_of::{InstantState, OverwrittenInPlace, check_versioning};
pub use audit::{AuditSums, DifferenceCounts};
pub use chunk::{Chunk, PlannedWork, ShardBounds};
pub use copy_effort::CopyEffort;
pub use estimate::{EstimateBasis, RunEstimate};
pub use kept::KeptRecord;
pub use list_counts::{ListCheckpoint, ListCounts, ListWay};
pub use list_page::{ListLooks, ListPage, ListedLook, LookedUp};
pub use lister_count::ListerCount;
pub use packer::{PackedChunks, Packer};
pub use planned_classes::{ClassWork, PlannedClasses};
pub use walk::RangeWalk;
pub use walk_rules::WalkRules;
