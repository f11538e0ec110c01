//! When two objects are the same, as docs/SEMANTICS.md says it.

use shardlift_testkit::StoredObject;

/// Whether a listing shows an object that must be restored before it can be read.
pub(super) fn is_archived(object: &StoredObject) -> bool {
    object.attributes.storage_class == "GLACIER"
}

/// Whether a run compares the two as the same, if it knows how both are encrypted.
pub(super) fn counts_as_same(
    compare: &str,
    source: &StoredObject,
    target: &StoredObject,
    is_kms: bool,
) -> bool {
    if source.attributes.size_bytes != target.attributes.size_bytes {
        return false;
    }
    let (etag, other) = (&source.attributes.etag, &target.attributes.etag);
    let is_in_parts = |etag: &str| etag.contains('-');
    match compare {
        "size" => true,
        "etag" if etag == other => true,
        "etag" if !is_kms && !is_in_parts(etag.as_str()) && !is_in_parts(other.as_str()) => false,
        _ => is_later(target, source),
    }
}

/// The same, where it is not known what the run knew of encryption.
pub(super) fn may_count_as_same(
    compare: &str,
    source: &StoredObject,
    target: &StoredObject,
) -> bool {
    counts_as_same(compare, source, target, false) || counts_as_same(compare, source, target, true)
}

/// In whole seconds.
fn is_later(one: &StoredObject, than: &StoredObject) -> bool {
    one.modified_at.as_epoch_seconds() > than.modified_at.as_epoch_seconds()
}
