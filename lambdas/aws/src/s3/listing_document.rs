//! Reads the document of a listing, without building a tree of it.
//!
//! The SDK's own parser takes many times as long for each key (the example `listing_cost` measures both), and a planner
//! does little else than read listings. It also takes a document that is cut off for a short one, where this reader
//! holds it to its closing tag (P11). Everything else of a call stays with the SDK.
//!
//! Two readers find the elements: [`plain`] knows the one shape that S3 writes, [`xml`] everything that XML allows. What
//! the elements mean is told here, once for both.

#[cfg(test)]
mod agreement;
mod plain;
mod xml;

use std::borrow::Cow;

use percent_encoding::percent_decode;
use shardlift_core::{
    key::ObjectKey,
    object::{ETag, ListedObject},
    time::Timestamp,
};

/// A page as its document tells it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ListingDocument {
    /// The objects, in the document's order.
    pub(crate) objects: Vec<ListedObject>,
    /// Whether keys may follow.
    pub(crate) is_truncated: bool,
}

/// Why a document is no page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DocumentProblem {
    /// It ends before its root element does.
    #[error("the listing's document is cut off")]
    CutOff,
    /// It is no XML, or no listing.
    #[error("the listing's document is not readable: {0}")]
    Unreadable(String),
}

impl DocumentProblem {
    fn unreadable(problem: impl std::fmt::Display) -> Self {
        Self::Unreadable(problem.to_string())
    }
}

/// The elements that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Contents,
    IsTruncated,
    KeyCount,
    EncodingType,
    Key,
    Size,
    ETag,
    LastModified,
    Other,
}

impl Element {
    fn named(name: &str) -> Self {
        match name {
            "Contents" => Self::Contents,
            "IsTruncated" => Self::IsTruncated,
            "KeyCount" => Self::KeyCount,
            "EncodingType" => Self::EncodingType,
            "Key" => Self::Key,
            "Size" => Self::Size,
            "ETag" => Self::ETag,
            "LastModified" => Self::LastModified,
            _ => Self::Other,
        }
    }
}

/// An object while its elements are read; its texts lie in the document where they need no decoding.
#[derive(Debug, Default, PartialEq, Eq)]
struct Draft<'a> {
    key: Option<Cow<'a, str>>,
    size_bytes: Option<u64>,
    etag: Option<Cow<'a, str>>,
    modified_at: Option<Timestamp>,
}

/// A page while its elements are read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Page<'a> {
    drafts: Vec<Draft<'a>>,
    is_truncated: Option<bool>,
    key_count: Option<usize>,
    is_encoded: bool,
}

impl ListingDocument {
    /// Reads a whole document.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, DocumentProblem> {
        match plain::read(body) {
            Some(page) => page.finish(),
            None => xml::read(body)?.finish(),
        }
    }
}

impl Page<'_> {
    fn note(&mut self, element: Element, text: &str) -> Result<(), DocumentProblem> {
        match element {
            Element::IsTruncated => {
                self.is_truncated = Some(text.parse().map_err(DocumentProblem::unreadable)?);
            }
            Element::KeyCount => {
                self.key_count = Some(text.parse().map_err(DocumentProblem::unreadable)?);
            }
            Element::EncodingType => self.is_encoded = text == "url",
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<ListingDocument, DocumentProblem> {
        let found = self.drafts.len();
        if self.key_count.is_some_and(|told| told != found) {
            return Err(DocumentProblem::unreadable(format_args!(
                "it tells {:?} keys and holds {found}",
                self.key_count
            )));
        }
        let is_truncated = self.is_truncated.ok_or_else(|| missing("IsTruncated"))?;
        let objects = self
            .drafts
            .into_iter()
            .map(|draft| draft.finish(self.is_encoded))
            .collect::<Result<_, _>>()?;
        Ok(ListingDocument {
            objects,
            is_truncated,
        })
    }
}

impl<'a> Draft<'a> {
    fn note(&mut self, element: Element, text: Cow<'a, str>) -> Result<(), DocumentProblem> {
        match element {
            Element::Key => self.key = Some(text),
            Element::Size => {
                self.size_bytes = Some(text.parse().map_err(DocumentProblem::unreadable)?);
            }
            Element::ETag => self.etag = Some(unquoted(text)),
            Element::LastModified => {
                let at = Timestamp::parse(&text).map_err(DocumentProblem::unreadable)?;
                self.modified_at = Some(at);
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(self, is_encoded: bool) -> Result<ListedObject, DocumentProblem> {
        let key = self.key.ok_or_else(|| missing("Key"))?;
        let key = if is_encoded {
            decoded(&key)?
        } else {
            key.into_owned()
        };
        let etag = self.etag.ok_or_else(|| missing("ETag"))?;
        Ok(ListedObject {
            key: ObjectKey::new(key).map_err(DocumentProblem::unreadable)?,
            size_bytes: self.size_bytes.ok_or_else(|| missing("Size"))?,
            etag: ETag::new(etag).map_err(DocumentProblem::unreadable)?,
            modified_at: self.modified_at.ok_or_else(|| missing("LastModified"))?,
        })
    }
}

fn unquoted(etag: Cow<'_, str>) -> Cow<'_, str> {
    match etag {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches('"')),
        Cow::Owned(text) => Cow::Owned(text.trim_matches('"').to_owned()),
    }
}

/// A key as `encoding-type=url` writes it: percent-encoded, and a space as a plus sign.
pub(crate) fn decoded(encoded: &str) -> Result<String, DocumentProblem> {
    if memchr::memchr2(b'%', b'+', encoded.as_bytes()).is_none() {
        return Ok(encoded.to_owned());
    }
    let mut bytes = Vec::with_capacity(encoded.len());
    for (index, part) in encoded.as_bytes().split(|&byte| byte == b'+').enumerate() {
        if index > 0 {
            bytes.push(b' ');
        }
        bytes.extend(percent_decode(part));
    }
    String::from_utf8(bytes).map_err(DocumentProblem::unreadable)
}

fn missing(element: &str) -> DocumentProblem {
    DocumentProblem::Unreadable(format!("{element} is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(objects: &str, rest: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix/>\
             <KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>{rest}{objects}\
             </ListBucketResult>"
        )
    }

    fn object(key: &str) -> String {
        format!(
            "<Contents><Key>{key}</Key><LastModified>2026-11-22T01:02:03.000Z</LastModified>\
             <ETag>&quot;abc-2&quot;</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass>\
             <Owner><ID>Key</ID><DisplayName>Size</DisplayName></Owner></Contents>"
        )
    }

    /// Both readers: a comment makes a document one for the library.
    fn read_by_both(text: &str) -> ListingDocument {
        let page = ListingDocument::parse(text.as_bytes()).unwrap();
        let commented = format!("{text}<!-- -->");
        assert_eq!(ListingDocument::parse(commented.as_bytes()).unwrap(), page);
        page
    }

    #[test]
    fn an_object_is_read_whole() {
        let text = document(&object("a+b%2Bc"), "<IsTruncated>true</IsTruncated>");
        let page = read_by_both(&text);
        assert!(page.is_truncated);
        let object = &page.objects[0];
        assert_eq!(object.key.as_str(), "a b+c");
        assert_eq!((object.size_bytes, object.etag.as_str()), (7, "abc-2"));
        assert_eq!(object.modified_at.to_string(), "2026-11-22T01:02:03.000Z");
    }

    #[test]
    fn entities_are_resolved_and_a_key_that_is_not_encoded_is_left_alone() {
        let text = document(
            &object("a&amp;&#x1F680;&#10;+%20"),
            "<IsTruncated>false</IsTruncated>",
        )
        .replace("<EncodingType>url</EncodingType>", "");
        let page = ListingDocument::parse(text.as_bytes()).unwrap();
        assert_eq!(page.objects[0].key.as_str(), "a&\u{1f680}\n+%20");
    }

    #[test]
    fn a_document_that_is_cut_anywhere_is_never_a_page() {
        let text = document(&object("k"), "<IsTruncated>false</IsTruncated>");
        for length in 0..text.len() {
            assert!(
                ListingDocument::parse(&text.as_bytes()[..length]).is_err(),
                "{length}"
            );
        }
    }

    #[test]
    fn a_document_that_says_too_little_or_too_much_is_refused() {
        let complete = document(&object("k"), "<IsTruncated>false</IsTruncated>");
        for wrong in [
            complete.replace("<IsTruncated>false</IsTruncated>", ""),
            complete.replace("<KeyCount>1<", "<KeyCount>2<"),
            complete.replace("<Size>7</Size>", ""),
            complete.replace("<Size>7<", "<Size>-7<"),
            complete.replace("<ETag>&quot;abc-2&quot;</ETag>", "<ETag/>"),
            complete.replace("<Key>k</Key>", "<Key></Key>"),
            complete.replace("<Key>k<", "<Key>%FF<"),
            complete.replace("ListBucketResult", "Error"),
            format!("{complete}<more/>"),
            String::new(),
        ] {
            assert!(ListingDocument::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
