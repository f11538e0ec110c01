//! Rejects responses whose XML document is truncated. The SDK's parser does not notice: it reads `<ETag>"ed7748` as the
//! ETag `ed7748`.

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::AfterDeserializationInterceptorContextRef},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;

/// Requires the closing tag of the document in every successful response that carries one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CompleteDocuments;

/// A document without its closing tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the document of the response is truncated")]
struct Truncated;

impl Intercept for CompleteDocuments {
    fn name(&self) -> &'static str {
        "CompleteDocuments"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // An error that the SDK has found already is more specific.
        if context.output_or_error().is_err() {
            return Ok(());
        }
        match context.response().body().bytes() {
            Some(body) if !is_complete(body) => Err(Truncated.into()),
            _ => Ok(()),
        }
    }
}

/// Whether a body ends with the closing tag of its root element. S3 may send white space first to keep the connection
/// alive. A body of nothing else (HEAD, DELETE, AbortMultipartUpload) carries no document and is complete.
fn is_complete(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    if body.is_empty() {
        return true;
    }
    let Some(name) = root_name(body) else {
        return false;
    };
    let end = body
        .strip_suffix(b">")
        .and_then(|rest| rest.strip_suffix(name));
    end.is_some_and(|rest| rest.ends_with(b"</")) || body.ends_with(b"/>") && is_one_tag(body)
}

/// The name of the root element, which may follow a declaration and comments.
fn root_name(body: &[u8]) -> Option<&[u8]> {
    let mut rest = body;
    loop {
        let start = rest.iter().position(|&byte| byte == b'<')? + 1;
        rest = &rest[start..];
        if !rest.starts_with(b"?") && !rest.starts_with(b"!") {
            let end = rest.iter().position(|byte| b"/> \t\r\n".contains(byte))?;
            return Some(&rest[..end]);
        }
    }
}

/// Whether the only tag after the declaration is one that closes itself.
fn is_one_tag(body: &[u8]) -> bool {
    let elements = body
        .windows(2)
        .filter(|pair| pair[0] == b'<' && pair[1] != b'?' && pair[1] != b'!');
    elements.count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: &[u8] =
        b"\n <?xml version=\"1.0\"?>\n<R xmlns=\"x\"><ETag>\"ed7748\"</ETag></R>\n";

    #[test]
    fn a_document_is_complete_only_with_its_closing_tag() {
        assert!(is_complete(COMPLETE));
        let from = COMPLETE.iter().position(|&byte| byte == b'?').unwrap();
        for end in from..COMPLETE.len() - 1 {
            assert!(!is_complete(&COMPLETE[..end]), "{end}");
        }
    }

    #[test]
    fn a_response_without_a_document_is_complete() {
        assert!(is_complete(b""));
        assert!(is_complete(b" \n"));
        assert!(is_complete(b"<?xml version=\"1.0\"?><R/>"));
        assert!(!is_complete(b"<R><Key/>"));
        assert!(!is_complete(b"no XML"));
    }
}
