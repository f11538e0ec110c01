//! What is to be done about a picked object.

use shardlift_core::value::object::ListedObject;

/// What is to be done about a picked object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PickedAction {
    /// Copy this version, which is the one at the source now.
    Copy(ListedObject),
    /// Copy nothing: the object at the target is the same as that of the source.
    Keep {
        /// As it is at the source.
        source: ListedObject,
        /// As it is at the target.
        target: ListedObject,
    },
    /// Delete this version, which is the one at the target now; the source still lacks it.
    Delete(ListedObject),
    /// Nothing: it is gone from the source; or, to be deleted, gone from the target or back at the source.
    Nothing {
        /// As it was picked.
        size_bytes: u64,
    },
}
