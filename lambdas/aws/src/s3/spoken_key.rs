//! Keys of nothing but white space, which S3 holds and the SDK refuses: it takes them for a field that was left out
//! (its endpoint parameters trim before they look).
//!
//! Such a key is named to the SDK by a stand-in, which is exchanged for the key in the path of the request's URI before
//! the request is signed. Every key that goes into a path is spoken ([`spoken`]), and one that contains the stand-in's
//! own mark is spelled out whole. So no key of anybody's choice is taken for a stand-in that is none: in a path the last
//! segment that reads like one is one, and a bucket's name cannot, for its capitals. Keys in queries (where a listing
//! begins, its prefix), headers and bodies are sent as they are, and are never looked at.

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

const MARK: &str = "SHARDLIFT-SPELLED-KEY-";

/// The key as the SDK takes it.
pub(crate) fn spoken(key: &ObjectKey) -> Cow<'_, str> {
    let text = key.as_str();
    if !text.trim().is_empty() && !text.contains(MARK) {
        return Cow::Borrowed(text);
    }
    let spelled: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    Cow::Owned(format!("{MARK}{spelled}"))
}

/// Puts the key in the place of its stand-in.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SpokenKeys;

impl Intercept for SpokenKeys {
    fn name(&self) -> &'static str {
        "SpokenKeys"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        if let Some(uri) = with_key(request.uri()) {
            request.set_uri(uri)?;
        }
        Ok(())
    }
}

/// The URI with the key, percent-encoded; nothing where its path does not end with a stand-in. What stands in a query,
/// where a listing begins and under which prefix, is never a stand-in.
fn with_key(uri: &str) -> Option<String> {
    let query_at = uri.find('?').unwrap_or(uri.len());
    let (path, query) = uri.split_at(query_at);
    let key_at = path.rfind('/')? + 1;
    let (before, segment) = path.split_at(key_at);
    let spelled = segment.strip_prefix(MARK)?;
    let is_spelled = !spelled.is_empty()
        && spelled.len().is_multiple_of(2)
        && spelled.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_spelled {
        return None;
    }
    let pairs = spelled.as_bytes().chunks(2);
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
    fn white_space_is_spelled_and_comes_back_encoded() {
        for (text, encoded) in [(" ", "%20"), ("\n", "%0A"), ("\u{3000}\t", "%E3%80%80%09")] {
            let spoken = spoken(&key(text)).into_owned();
            for before in ["http://s3/bucket/", "https://bucket.s3.amazonaws.com/"] {
                for query in ["", "?x-id=HeadObject"] {
                    let uri = with_key(&format!("{before}{spoken}{query}"));
                    assert_eq!(uri.unwrap(), format!("{before}{encoded}{query}"));
                }
            }
        }
    }

    #[test]
    fn a_key_that_looks_like_a_stand_in_is_spelled_too() {
        for text in [
            MARK.to_owned(),
            format!("{MARK}20"),
            format!("{MARK}z"),
            format!("a/{MARK}20"),
            format!("{MARK}20/{MARK}41"),
        ] {
            let uri = with_key(&format!("http://s3/bucket/{}", spoken(&key(&*text)))).unwrap();
            let path = uri.strip_prefix("http://s3/bucket/").unwrap();
            let decoded = percent_encoding::percent_decode_str(path).decode_utf8();
            assert_eq!(decoded.unwrap(), text);
        }
        assert_eq!(spoken(&key(" a ")), " a ");
    }

    #[test]
    fn only_a_whole_key_in_the_path_is_exchanged() {
        for uri in [
            "http://s3/bucket/a".to_owned(),
            "http://s3/bucket".to_owned(),
            format!("http://s3/bucket?list-type=2&start-after={MARK}41"),
            format!("http://s3/bucket/?list-type=2&prefix=a/{MARK}41"),
            format!("http://s3/bucket/a?x-id=GetObject&marker={MARK}41"),
            format!("http://s3/bucket/{MARK}41/a"),
            format!("http://s3/bucket/a{MARK}41"),
            format!("http://s3/bucket/{MARK}z"),
            format!("http://s3/bucket/{MARK}4"),
            format!("http://s3/bucket/{MARK}"),
        ] {
            assert_eq!(with_key(&uri), None, "{uri}");
        }
        let uri = format!("http://s3/bucket/{MARK}20?key-marker={MARK}41");
        let expected = format!("http://s3/bucket/%20?key-marker={MARK}41");
        assert_eq!(with_key(&uri), Some(expected));
    }
}
