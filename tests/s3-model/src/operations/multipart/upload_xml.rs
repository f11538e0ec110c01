//! What the listings of uploads and of parts share.

use crate::access::principal::canonical_id;
use crate::protocol::xml::Xml;
use crate::storage::upload::Upload;

/// Writes who began the upload, who owns the bucket, the storage class, and the checksum that the
/// upload was created with.
pub(super) fn write_upload(xml: &mut Xml, upload: &Upload, owner: &str) {
    write_identity(xml, "Initiator", &upload.initiator);
    write_identity(xml, "Owner", &canonical_id(owner));
    xml.text("StorageClass", upload.attributes.storage_class.name());
    if let Some(algorithm) = upload.algorithm {
        xml.text("ChecksumAlgorithm", algorithm.name());
        xml.text("ChecksumType", upload.kind.name());
    }
}

fn write_identity(xml: &mut Xml, element: &str, id: &str) {
    xml.open(element);
    xml.text("ID", id);
    xml.close(element);
}
