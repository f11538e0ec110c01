//! Keys of nothing but white space, which S3 holds and the SDK refuses: it takes them for a field that was left out
//! (its endpoint parameters trim before they look).
//!
//! Such a key is named to the SDK by a stand-in, which is exchanged for the key in the request's URI before the
//! request is signed. A key that contains the stand-in's own mark is spelled out too, so that nothing is taken for a
//! stand-in that is none; a bucket's name cannot contain it, for its capitals.

use std::borrow::Cow;

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::BeforeTransmitInterceptorContextMut},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;
use shardlift_core::key::ObjectKey;

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

/// The URI with the key, percent-encoded; nothing where there is no stand-in.
fn with_key(uri: &str) -> Option<String> {
    let (before, after) = uri.split_once(MARK)?;
    let digits = after
        .find(|character: char| !character.is_ascii_hexdigit())
        .unwrap_or(after.len());
    let (spelled, rest) = after.split_at(digits);
    let pairs = spelled.as_bytes().chunks(2);
    let encoded: String = pairs
        .map(|pair| format!("%{}", String::from_utf8_lossy(pair).to_ascii_uppercase()))
        .collect();
    Some(format!("{before}{encoded}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_spelled_and_comes_back_encoded() {
        for (text, encoded) in [(" ", "%20"), ("\n", "%0A"), ("\u{3000}\t", "%E3%80%80%09")] {
            let key = ObjectKey::new(text).unwrap();
            let uri = format!("http://s3/bucket/{}?x-id=HeadObject", spoken(&key));
            let expected = format!("http://s3/bucket/{encoded}?x-id=HeadObject");
            assert_eq!(with_key(&uri).unwrap(), expected);
            let uri = format!("http://s3/bucket/{}", spoken(&key));
            assert_eq!(
                with_key(&uri).unwrap(),
                format!("http://s3/bucket/{encoded}")
            );
        }
    }

    #[test]
    fn a_key_that_looks_like_a_stand_in_is_spelled_too() {
        let key = ObjectKey::new(format!("a/{MARK}20")).unwrap();
        let uri = with_key(&format!("http://s3/bucket/{}", spoken(&key))).unwrap();
        let path = uri.strip_prefix("http://s3/bucket/").unwrap();
        let decoded = percent_encoding::percent_decode_str(path)
            .decode_utf8()
            .unwrap();
        assert_eq!(decoded, key.as_str());
        assert_eq!(with_key("http://s3/bucket/a"), None);
        let plain = ObjectKey::new(" a ").unwrap();
        assert_eq!(spoken(&plain), " a ");
    }
}
