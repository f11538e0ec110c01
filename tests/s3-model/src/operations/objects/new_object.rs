//! An object that a request writes.

use std::sync::Arc;

use crate::content::etag::ETag;
use crate::content::rope::Rope;
use crate::state::ServerState;
use crate::storage::attributes::Attributes;
use crate::storage::object::{Object, VersionId};

/// Makes an object that is written in one request, dated now.
pub(super) fn new_object(server: &ServerState, rope: Rope, attributes: Arc<Attributes>) -> Object {
    let mut etag = ETag::of_content(&rope);
    if attributes.encryption.is_kms() {
        etag = etag.encrypted(server.next_number());
    }
    Object {
        rope,
        etag,
        modified_s: server.clock.now_s(),
        version: VersionId::NULL,
        attributes,
    }
}
