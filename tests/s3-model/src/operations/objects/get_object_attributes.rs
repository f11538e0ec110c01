//! GetObjectAttributes.

use crate::content::checksum::ChecksumKind;
use crate::date::http_date;
use crate::lock::read;
use crate::operations::conditions::check_read;
use crate::operations::guard::{addressed_bucket, authorize_object};
use crate::operations::lookup::readable_object;
use crate::operations::request::Request;
use crate::operations::response_headers::set_version;
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::protocol::xml::Xml;
use crate::state::ServerState;
use crate::storage::object::Object;

/// GetObjectAttributes.
pub(crate) fn get_object_attributes(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let state = read(&bucket);
    authorize_object(&state, request, "s3:GetObjectAttributes")?;
    let object = readable_object(&state, request, "s3:GetObject")?;
    check_read(server, request, &object)?;
    let mut response = Response::xml(document(request, &object)?);
    response.set("last-modified", &http_date(object.modified_s));
    set_version(&mut response, state.versioning, object.version);
    Ok(response)
}

/// Writes the attributes that the request asks for.
fn document(request: &Request<'_>, object: &Object) -> Result<Vec<u8>, S3Error> {
    // The list can come in one header line or in several.
    let lines: Vec<&str> = request
        .headers
        .get_all("x-amz-object-attributes")
        .iter()
        .filter_map(|line| line.to_str().ok())
        .collect();
    if lines.is_empty() {
        return Err(S3Error::invalid_request(
            "Missing required header for this request: x-amz-object-attributes",
        ));
    }
    let wants = |name: &str| {
        lines
            .iter()
            .flat_map(|line| line.split(','))
            .any(|attribute| attribute.trim() == name)
    };
    let mut xml = Xml::result("GetObjectAttributesResponse", 1024);
    if wants("ETag") {
        xml.text("ETag", &object.etag.to_string());
    }
    if wants("Checksum") {
        let checksum = object.checksum();
        xml.open("Checksum");
        // Here a composite value has no number of parts at its end (fact 66).
        xml.text(checksum.algorithm.element(), &checksum.value_text());
        xml.text("ChecksumType", checksum.kind.name());
        xml.close("Checksum");
    }
    if wants("ObjectParts") {
        write_parts(&mut xml, request, object)?;
    }
    if wants("StorageClass") {
        xml.text("StorageClass", object.attributes.storage_class.name());
    }
    if wants("ObjectSize") {
        xml.number("ObjectSize", object.size());
    }
    Ok(xml.finish("GetObjectAttributesResponse"))
}

fn write_parts(xml: &mut Xml, request: &Request<'_>, object: &Object) -> Result<(), S3Error> {
    let Some(parts) = &object.attributes.parts else {
        return Ok(());
    };
    let number = |name| {
        Ok::<_, S3Error>(
            request
                .header(name)?
                .and_then(|text| text.parse::<usize>().ok()),
        )
    };
    let marker = number("x-amz-part-number-marker")?.unwrap_or(0);
    let max = number("x-amz-max-parts")?.unwrap_or(1000).min(1000);
    let after: Vec<_> = parts
        .iter()
        .filter(|part| usize::from(part.number) > marker)
        .collect();
    xml.open("ObjectParts");
    xml.number("PartsCount", parts.len() as u64);
    // S3 lists single parts only under a composite checksum, else their number alone (fact 67).
    if object.checksum().kind != ChecksumKind::Composite {
        xml.close("ObjectParts");
        return Ok(());
    }
    xml.number("PartNumberMarker", marker as u64);
    xml.number("MaxParts", max as u64);
    xml.boolean("IsTruncated", after.len() > max);
    if let Some(last) = after.get(..max).and_then(<[_]>::last) {
        xml.number("NextPartNumberMarker", u64::from(last.number));
    }
    for part in after.into_iter().take(max) {
        xml.open("Part");
        xml.number("PartNumber", u64::from(part.number));
        xml.number("Size", part.length);
        if let Some(checksum) = &part.checksum {
            xml.text(checksum.algorithm.element(), &checksum.text());
        }
        xml.close("Part");
    }
    xml.close("ObjectParts");
    Ok(())
}
