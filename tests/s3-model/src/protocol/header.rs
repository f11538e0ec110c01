//! Request headers as text.

use hyper::header::HeaderMap;

use super::error::S3Error;

/// Returns a header as text. S3 refuses values that are not UTF-8.
pub(crate) fn header_text<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<Option<&'a str>, S3Error> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    std::str::from_utf8(value.as_bytes())
        .map(Some)
        .map_err(|_| S3Error::invalid_argument(name, "", "Header value is not valid UTF-8"))
}
