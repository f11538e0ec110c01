//! Website redirects, which CopyObject does not take along by itself: "To copy the value, you must specify
//! x-amz-website-redirect-location in the request header" (docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html).
//!
//! No listing shows them, so each costs a look at the source. It is taken where a redirect is likely, and where a run sends
//! one for every object anyway.

use std::collections::BTreeMap;

use crate::{
    run::{option::Verify, spec::RunSpec},
    value::{header::HeaderBytes, key::ObjectKey},
};

/// The header that states a redirect, in responses and requests.
const REDIRECT_HEADER: &str = "x-amz-website-redirect-location";

/// What the headers of an object say about its redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redirect {
    /// There is none.
    Absent,
    /// It can be stated in a request.
    Stated(String),
    /// A request cannot state it: only UTF-8 can be signed, and S3 demands a signature of this header.
    Unsendable,
}

impl Redirect {
    /// That of an object with these headers, by lower-case name.
    #[must_use]
    pub fn of(headers: &BTreeMap<String, HeaderBytes>) -> Self {
        match headers.get(REDIRECT_HEADER) {
            None => Self::Absent,
            Some(value) => value
                .as_text()
                .map_or(Self::Unsendable, |text| Self::Stated(text.to_owned())),
        }
    }
}

/// Whether an object is what redirects usually are: without content, and no folder marker.
#[must_use]
pub fn is_likely(key: &ObjectKey, size_bytes: u64) -> bool {
    size_bytes == 0 && !key.as_str().ends_with('/')
}

/// Whether the source is looked at before an object is copied in one call.
#[must_use]
pub fn is_looked_for(spec: &RunSpec, key: &ObjectKey, size_bytes: u64) -> bool {
    spec.verify == Verify::Checksum || is_likely(key, size_bytes)
}

/// The headers of a copy in one call that states `redirect`.
#[must_use]
pub(super) fn headers_of_copy(
    source: &BTreeMap<String, HeaderBytes>,
    redirect: Option<&str>,
) -> BTreeMap<String, HeaderBytes> {
    let mut headers = source.clone();
    headers.remove(REDIRECT_HEADER);
    headers.extend(redirect.map(|value| (REDIRECT_HEADER.to_owned(), value.into())));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_without_content_is_likely_a_redirect_unless_it_marks_a_folder() {
        for (key, size_bytes, expected) in [
            ("a", 0, true),
            ("a/b.html", 0, true),
            ("a/", 0, false),
            ("a", 1, false),
        ] {
            let found = is_likely(&ObjectKey::new(key).unwrap(), size_bytes);
            assert_eq!(found, expected, "{key} {size_bytes}");
        }
    }

    #[test]
    fn only_a_redirect_that_can_be_signed_is_stated() {
        let of = |value: &[u8]| {
            Redirect::of(&[(REDIRECT_HEADER.to_owned(), value.to_vec().into())].into())
        };
        assert_eq!(Redirect::of(&BTreeMap::new()), Redirect::Absent);
        assert_eq!(of("/ü".as_bytes()), Redirect::Stated("/ü".to_owned()));
        assert_eq!(of(b"/\xfc"), Redirect::Unsendable);
    }
}
