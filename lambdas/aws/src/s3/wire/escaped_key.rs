//! Keys of nothing but white space. S3 stores them, but the SDK rejects them as missing fields, because its endpoint
//! parameters are trimmed before they are validated.
//!
//! [`escape`] gives the SDK a placeholder for such a key: a prefix and the key in hexadecimal. [`UnescapeKeys`] replaces
//! the placeholder in the path of the request's URI before the request is signed. Every key that becomes part of a path
//! must go through [`escape`], which also escapes keys that contain the prefix themselves. Therefore no key is mistaken
//! for a placeholder: only the last segment of a path is replaced, and a bucket's name cannot look like one because the
//! prefix is in capitals. Keys in queries (the start and the prefix of a listing), headers and bodies are sent
//! unescaped and never replaced.

use std::borrow::Cow;

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::BeforeTransmitInterceptorContextMut},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;
use shardlift_core::value::key::ObjectKey;

const PLACEHOLDER_PREFIX: &str = "SHARDLIFT-ESCAPED-KEY-";

/// The key, or its placeholder, as the SDK accepts it.
pub(crate) fn escape(key: &ObjectKey) -> Cow<'_, str> {
    let text = key.as_str();
    if !text.trim().is_empty() && !text.contains(PLACEHOLDER_PREFIX) {
        return Cow::Borrowed(text);
    }
    let digits: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    Cow::Owned(format!("{PLACEHOLDER_PREFIX}{digits}"))
}

/// Replaces placeholders by their keys.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct UnescapeKeys;

impl Intercept for UnescapeKeys {
    fn name(&self) -> &'static str {
        "UnescapeKeys"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        if let Some(uri) = unescaped(request.uri()) {
            request.set_uri(uri)?;
        }
        Ok(())
    }
}

/// The URI with the percent-encoded key; `None` if its path does not end with a placeholder.
fn unescaped(uri: &str) -> Option<String> {
    let query_at = uri.find('?').unwrap_or(uri.len());
    let (path, query) = uri.split_at(query_at);
    let key_at = path.rfind('/')? + 1;
    let (before, segment) = path.split_at(key_at);
    let digits = segment.strip_prefix(PLACEHOLDER_PREFIX)?;
    let is_placeholder = !digits.is_empty()
        && digits.len().is_multiple_of(2)
        && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_placeholder {
        return None;
    }
    let pairs = digits.as_bytes().chunks(2);
    let encoded: String = pairs
        .map(|pair| format!("%{}", String::from_utf8_lossy(pair).to_ascii_uppercase()))
        .collect();
    Some(format!("{before}{encoded}{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: impl Into<String>) -> ObjectKey {
        ObjectKey::new(text.into()).unwrap()
    }

    #[test]
    fn white_space_is_escaped_and_sent_percent_encoded() {
        for (text, encoded) in [(" ", "%20"), ("\n", "%0A"), ("\u{3000}\t", "%E3%80%80%09")] {
            let escaped = escape(&key(text)).into_owned();
            for before in ["http://s3/bucket/", "https://bucket.s3.amazonaws.com/"] {
                for query in ["", "?x-id=HeadObject"] {
                    let uri = unescaped(&format!("{before}{escaped}{query}"));
                    assert_eq!(uri.unwrap(), format!("{before}{encoded}{query}"));
                }
            }
        }
    }

    #[test]
    fn a_key_that_looks_like_a_placeholder_is_escaped_too() {
        const PREFIX: &str = PLACEHOLDER_PREFIX;
        for text in [
            PREFIX.to_owned(),
            format!("{PREFIX}20"),
            format!("{PREFIX}z"),
            format!("a/{PREFIX}20"),
            format!("{PREFIX}20/{PREFIX}41"),
        ] {
            let uri = unescaped(&format!("http://s3/bucket/{}", escape(&key(&*text)))).unwrap();
            let path = uri.strip_prefix("http://s3/bucket/").unwrap();
            let decoded = percent_encoding::percent_decode_str(path).decode_utf8();
            assert_eq!(decoded.unwrap(), text);
        }
        assert_eq!(escape(&key(" a ")), " a ");
    }

    #[test]
    fn only_a_placeholder_at_the_end_of_the_path_is_replaced() {
        const PREFIX: &str = PLACEHOLDER_PREFIX;
        for uri in [
            "http://s3/bucket/a".to_owned(),
            "http://s3/bucket".to_owned(),
            format!("http://s3/bucket?list-type=2&start-after={PREFIX}41"),
            format!("http://s3/bucket/?list-type=2&prefix=a/{PREFIX}41"),
            format!("http://s3/bucket/a?x-id=GetObject&marker={PREFIX}41"),
            format!("http://s3/bucket/{PREFIX}41/a"),
            format!("http://s3/bucket/a{PREFIX}41"),
            format!("http://s3/bucket/{PREFIX}z"),
            format!("http://s3/bucket/{PREFIX}4"),
            format!("http://s3/bucket/{PREFIX}"),
        ] {
            assert_eq!(unescaped(&uri), None, "{uri}");
        }
        let uri = format!("http://s3/bucket/{PREFIX}20?key-marker={PREFIX}41");
        let expected = format!("http://s3/bucket/%20?key-marker={PREFIX}41");
        assert_eq!(unescaped(&uri), Some(expected));
    }
}
