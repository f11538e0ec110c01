//! What a path-style address names.

use std::borrow::Cow;

use hyper::Uri;
use percent_encoding::percent_decode_str;

use super::error::S3Error;
use super::error_code::ErrorCode;

/// Keys are 1 to 1,024 bytes of UTF-8.
const KEY_BYTES_MAX: usize = 1024;

/// The bucket and the key of a request. The key is empty if the request addresses a bucket, and
/// both are empty if it addresses the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource<'a> {
    pub(crate) bucket: Cow<'a, str>,
    pub(crate) key: Cow<'a, str>,
}

impl<'a> Resource<'a> {
    pub(crate) fn new(uri: &'a Uri) -> Result<Self, S3Error> {
        let path = uri.path().strip_prefix('/').unwrap_or("");
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let decode = |text: &'a str| {
            percent_decode_str(text)
                .decode_utf8()
                .map_err(|_| S3Error::invalid_uri())
        };
        let resource = Self {
            bucket: decode(bucket)?,
            key: decode(key)?,
        };
        check_key(&resource.key)?;
        Ok(resource)
    }
}

/// Refuses a key that is too long.
pub(crate) fn check_key(key: &str) -> Result<(), S3Error> {
    if key.len() > KEY_BYTES_MAX {
        return Err(
            S3Error::new(ErrorCode::KeyTooLongError, "Your key is too long")
                .detail("Size", key.len().to_string())
                .detail("MaxSizeAllowed", KEY_BYTES_MAX.to_string()),
        );
    }
    Ok(())
}
