//! What the listings of uploads and of parts share.

use crate::protocol::xml::Xml;
use crate::storage::upload::Upload;

/// Writes who began the upload, who owns the bucket, and the storage class.
pub(super) fn write_upload(xml: &mut Xml, upload: &Upload, owner: &str) {
    write_identity(xml, "Initiator", &upload.initiator);
    write_identity(xml, "Owner", owner);
    xml.text("StorageClass", upload.attributes.storage_class.name());
}

fn write_identity(xml: &mut Xml, element: &str, id: &str) {
    xml.open(element);
    xml.text("ID", id);
    xml.close(element);
}
