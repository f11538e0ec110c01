//! Refuses answers whose XML document is cut off, which the SDK's parser does not notice: of `<ETag>"ed7748` it makes
//! the ETag `ed7748`.

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::AfterDeserializationInterceptorContextRef},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;

/// Holds every success that carries a document to its closing tag.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct WholeDocuments;

/// A document that is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer's document is cut off")]
struct CutOff;

impl Intercept for WholeDocuments {
    fn name(&self) -> &'static str {
        "WholeDocuments"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // An error that is known already says more.
        if context.output_or_error().is_err() {
            return Ok(());
        }
        match context.response().body().bytes() {
            Some(body) if !is_whole(body) => Err(CutOff.into()),
            _ => Ok(()),
        }
    }
}

/// Whether a body ends with its root's closing tag. S3 may send white space first, to keep the connection busy; what
/// holds nothing else (HEAD, DELETE, AbortMultipartUpload) carries no document.
fn is_whole(body: &[u8]) -> bool {
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

/// The name of the first element that is neither a declaration nor a comment.
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

/// Whether the root closes itself: no other element follows the declaration.
fn is_one_tag(body: &[u8]) -> bool {
    let elements = body
        .windows(2)
        .filter(|pair| pair[0] == b'<' && pair[1] != b'?' && pair[1] != b'!');
    elements.count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] =
        b"\n <?xml version=\"1.0\"?>\n<R xmlns=\"x\"><ETag>\"ed7748\"</ETag></R>\n";

    #[test]
    fn a_document_is_whole_with_its_closing_tag_only() {
        assert!(is_whole(WHOLE));
        let from = WHOLE.iter().position(|&byte| byte == b'?').unwrap();
        for end in from..WHOLE.len() - 1 {
            assert!(!is_whole(&WHOLE[..end]), "{end}");
        }
    }

    #[test]
    fn an_answer_without_a_document_is_whole() {
        assert!(is_whole(b""));
        assert!(is_whole(b" \n"));
        assert!(is_whole(b"<?xml version=\"1.0\"?><R/>"));
        assert!(!is_whole(b"<R><Key/>"));
        assert!(!is_whole(b"no XML"));
    }
}
