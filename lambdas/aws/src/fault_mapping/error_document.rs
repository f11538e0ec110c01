//! S3's error document, which may come with a status of success.

use aws_sdk_s3::error::ErrorMetadata;
use quick_xml::{Reader, events::Event};

/// The code and the message of an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ErrorDocument {
    code: Option<String>,
    message: Option<String>,
}

impl ErrorDocument {
    /// Parses the error in a body; `None` if the root element is not an error. The rest of a truncated document is
    /// missing from the result.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let mut reader = Reader::from_reader(body);
        let mut path: Vec<String> = Vec::new();
        let mut error = Self::default();
        loop {
            let Ok(event) = reader.read_event() else {
                return (!path.is_empty()).then_some(error);
            };
            match event {
                Event::Start(start) => {
                    path.push(start.local_name().into_inner().to_owned());
                    if path[0] != "Error" {
                        return None;
                    }
                }
                Event::End(_) => {
                    path.pop();
                    if path.is_empty() {
                        return Some(error);
                    }
                }
                Event::Text(text) => match path.last().map(String::as_str) {
                    Some("Code") => error.code = Some(text.to_string()),
                    Some("Message") => {
                        error.message.get_or_insert_default().push_str(&text);
                    }
                    _ => {}
                },
                Event::Eof => return (!path.is_empty()).then_some(error),
                _ => {}
            }
        }
    }

    /// The code, if the document has one.
    pub(crate) fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The error in the SDK's own form.
    pub(crate) fn into_metadata(self) -> ErrorMetadata {
        let mut metadata = ErrorMetadata::builder();
        if let Some(code) = self.code {
            metadata = metadata.code(code);
        }
        if let Some(message) = self.message {
            metadata = metadata.message(message);
        }
        metadata.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSAL: &[u8] = b"<?xml version=\"1.0\"?>\n<Error><Code>SlowDown</Code>\
        <Message>Reduce your &lt;rate&gt;.</Message><Resource>/b</Resource></Error>";

    #[test]
    fn an_error_is_parsed_and_a_page_is_none() {
        let error = ErrorDocument::parse(REFUSAL).unwrap();
        assert_eq!(error.code.as_deref(), Some("SlowDown"));
        assert!(error.message.unwrap().starts_with("Reduce your "));
        for other in [
            "",
            "<ListBucketResult><Code>SlowDown</Code></ListBucketResult>",
            "no XML",
        ] {
            assert_eq!(ErrorDocument::parse(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_truncated_error_is_still_an_error() {
        let error = ErrorDocument::parse(&REFUSAL[..60]).unwrap();
        assert_eq!(error.code.as_deref(), Some("SlowDown"));
        assert!(
            ErrorDocument::parse(&REFUSAL[..33]).is_some(),
            "within <Code>"
        );
    }
}
