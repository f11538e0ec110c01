//! What the entries of keys and versions share.

use crate::content::checksum::ChecksumKind;
use crate::content::etag::ETag;
use crate::date::write_iso;
use crate::protocol::xml::Xml;
use crate::storage::object::Object;

pub(super) fn write_date_and_etag(xml: &mut Xml, modified_s: u64, etag: ETag) {
    xml.raw(b"<LastModified>");
    write_iso(modified_s, xml.buffer());
    xml.raw(b"</LastModified><ETag>&quot;");
    etag.write(xml.buffer());
    xml.raw(b"&quot;</ETag>");
}

pub(super) fn write_checksum_kind(xml: &mut Xml, object: &Object) {
    let (algorithm, kind) = object
        .attributes
        .checksum
        .as_ref()
        .map_or(("CRC64NVME", ChecksumKind::FullObject), |checksum| {
            (checksum.algorithm.name(), checksum.kind)
        });
    xml.text("ChecksumAlgorithm", algorithm);
    xml.text("ChecksumType", kind.name());
}

/// Writes the owner, by canonical id.
pub(super) fn write_owner(xml: &mut Xml, owner: &str) {
    xml.open("Owner");
    xml.text("ID", owner);
    xml.close("Owner");
}

/// Writes the state of a restore. S3 writes none for an object that was never restored
/// (docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreStatus.html).
pub(super) fn write_restore_status(xml: &mut Xml, object: &Object) {
    if object.attributes.restored {
        xml.open("RestoreStatus");
        xml.text("IsRestoreInProgress", "false");
        xml.text("RestoreExpiryDate", "2096-12-21T00:00:00.000Z");
        xml.close("RestoreStatus");
    }
}
