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
use shardlift_core::value::{
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
    NextContinuationToken,
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
            "NextContinuationToken" => Self::NextContinuationToken,
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
    encoding: Option<Cow<'a, str>>,
    next_token: Option<Cow<'a, str>>,
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

impl<'a> Page<'a> {
    fn note(&mut self, element: Element, text: Cow<'a, str>) -> Result<(), DocumentProblem> {
        match element {
            Element::IsTruncated => once(&mut self.is_truncated, parsed(&text)?),
            Element::KeyCount => once(&mut self.key_count, parsed(&text)?),
            Element::EncodingType => once(&mut self.encoding, text),
            Element::NextContinuationToken => once(&mut self.next_token, text),
            Element::Other => Ok(()),
            misplaced => Err(DocumentProblem::unreadable(format_args!(
                "{misplaced:?} stands outside an object"
            ))),
        }
    }

    /// The page. What S3 always says must be said, and must agree.
    fn finish(self) -> Result<ListingDocument, DocumentProblem> {
        let is_truncated = self.is_truncated.ok_or_else(|| missing("IsTruncated"))?;
        if self.next_token.is_some() && !is_truncated {
            return Err(DocumentProblem::unreadable(
                "it says that nothing follows, and how to go on",
            ));
        }
        let (told, found) = (self.key_count, self.drafts.len());
        let told = told.ok_or_else(|| missing("KeyCount"))?;
        if told != found {
            return Err(DocumentProblem::unreadable(format_args!(
                "it tells {told} keys and holds {found}"
            )));
        }
        // It was asked for. A server that does not say so may or may not have heard.
        let encoding = self.encoding.ok_or_else(|| missing("EncodingType"))?;
        if encoding != "url" {
            return Err(DocumentProblem::unreadable(format_args!(
                "its keys are encoded as {encoding:?}"
            )));
        }
        let objects = self
            .drafts
            .into_iter()
            .map(Draft::finish)
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
            Element::Key => once(&mut self.key, text),
            Element::Size => once(&mut self.size_bytes, parsed(&text)?),
            Element::ETag => once(&mut self.etag, unquoted(text)),
            Element::LastModified => {
                let at = Timestamp::parse(&text).map_err(DocumentProblem::unreadable)?;
                once(&mut self.modified_at, at)
            }
            Element::Other => Ok(()),
            misplaced => Err(DocumentProblem::unreadable(format_args!(
                "{misplaced:?} stands within an object"
            ))),
        }
    }

    fn finish(self) -> Result<ListedObject, DocumentProblem> {
        let key = decoded(&self.key.ok_or_else(|| missing("Key"))?)?;
        let etag = self.etag.ok_or_else(|| missing("ETag"))?;
        Ok(ListedObject {
            key: ObjectKey::new(key).map_err(DocumentProblem::unreadable)?,
            size_bytes: self.size_bytes.ok_or_else(|| missing("Size"))?,
            etag: ETag::new(etag).map_err(DocumentProblem::unreadable)?,
            modified_at: self.modified_at.ok_or_else(|| missing("LastModified"))?,
        })
    }
}

/// Notes what an element says; one that comes twice says two things.
fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), DocumentProblem> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(DocumentProblem::unreadable("an element comes twice")),
    }
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, DocumentProblem> {
    text.parse().map_err(DocumentProblem::unreadable)
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
    if has_lone_percent(encoded.as_bytes()) {
        return Err(DocumentProblem::unreadable(format_args!(
            "the key {encoded:?} is not encoded"
        )));
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

/// Whether a percent sign stands for itself, which no encoder leaves.
fn has_lone_percent(encoded: &[u8]) -> bool {
    memchr::memchr_iter(b'%', encoded).any(|at| {
        let digits = encoded.get(at + 1..at + 3);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
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
    fn entities_are_resolved() {
        let text = document(
            &object("a&amp;&#x1F680;&#10;%2B"),
            "<IsTruncated>false</IsTruncated>",
        );
        let page = ListingDocument::parse(text.as_bytes()).unwrap();
        assert_eq!(page.objects[0].key.as_str(), "a&\u{1f680}\n+");
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

    /// Refused by whichever reader reads it, and by the library alone.
    fn assert_refused(text: &str) {
        for text in [text.to_owned(), format!("{text}<!-- -->")] {
            let read = ListingDocument::parse(text.as_bytes());
            assert!(read.is_err(), "{text}: {read:?}");
        }
    }

    #[test]
    fn a_document_that_says_too_little_or_too_much_is_refused() {
        let complete = document(&object("k"), "<IsTruncated>false</IsTruncated>");
        read_by_both(&complete);
        for wrong in [
            complete.replace("<IsTruncated>false</IsTruncated>", ""),
            complete.replace("<IsTruncated>false</IsTruncated>", "<IsTruncated/>"),
            complete.replace("<KeyCount>1</KeyCount>", ""),
            complete.replace("<KeyCount>1<", "<KeyCount>2<"),
            complete.replace("<EncodingType>url</EncodingType>", ""),
            complete.replace("<EncodingType>url<", "<EncodingType><"),
            complete.replace("<EncodingType>url<", "<EncodingType>none<"),
            complete.replace("<Size>7</Size>", ""),
            complete.replace("<Size>7<", "<Size>-7<"),
            complete.replace("<ETag>&quot;abc-2&quot;</ETag>", "<ETag/>"),
            complete.replace("<Key>k</Key>", "<Key></Key>"),
            complete.replace("<Key>k</Key>", "<Key/>"),
            complete.replace("<Key>k<", "<Key>%FF<"),
            complete.replace("ListBucketResult", "Error"),
            complete.replace("<Name>", "<Key>k</Key><Name>"),
            complete.replace("<Size>", "<IsTruncated>false</IsTruncated><Size>"),
            format!("{complete}<more/>"),
            String::new(),
        ] {
            assert_refused(&wrong);
        }
    }

    #[test]
    fn an_element_that_comes_twice_is_refused() {
        let complete = document(&object("k"), "<IsTruncated>true</IsTruncated>");
        for element in [
            "<IsTruncated>true</IsTruncated>",
            "<KeyCount>1</KeyCount>",
            "<EncodingType>url</EncodingType>",
            "<Key>k</Key>",
            "<Size>7</Size>",
            "<ETag>&quot;abc-2&quot;</ETag>",
            "<LastModified>2026-11-22T01:02:03.000Z</LastModified>",
        ] {
            assert!(complete.contains(element), "{element}");
            assert_refused(&complete.replace(element, &element.repeat(2)));
            let name = &element[1..element.find('>').unwrap()];
            let empty = format!("<{name}/>{element}");
            assert_refused(&complete.replace(element, &empty));
        }
        let token = "<NextContinuationToken>t</NextContinuationToken>";
        let once = complete.replace("<Prefix/>", token);
        read_by_both(&once);
        assert_refused(&once.replace(token, &token.repeat(2)));
    }

    #[test]
    fn an_element_within_a_text_is_refused_and_within_an_owner_it_is_not() {
        let complete = document(&object("ac"), "<IsTruncated>false</IsTruncated>");
        for (whole, broken) in [
            ("<Key>ac<", "<Key>a<b/>c<"),
            ("<Key>ac<", "<Key>a<b>x</b>c<"),
            ("<Key>ac<", "<Key>ac<Key>d</Key><"),
            ("<Size>7<", "<Size>7<b/><"),
            ("<IsTruncated>false<", "<IsTruncated>false<b/><"),
            ("<KeyCount>1<", "<KeyCount><b/>1<"),
            ("<EncodingType>url<", "<EncodingType>url<b></b><"),
        ] {
            assert!(complete.contains(whole), "{whole}");
            assert_refused(&complete.replace(whole, broken));
        }
        let owned = complete.replace("<ID>Key</ID>", "<ID/>");
        assert_eq!(read_by_both(&owned).objects[0].key.as_str(), "ac");
    }

    #[test]
    fn an_object_without_elements_is_refused() {
        for empty in ["<Contents/>", "<Contents></Contents>"] {
            let alone = document(empty, "<IsTruncated>false</IsTruncated>");
            assert_refused(&alone);
            assert_refused(&alone.replace("<KeyCount>1<", "<KeyCount>0<"));
            let objects = format!("{}{empty}", object("k"));
            assert_refused(&document(&objects, "<IsTruncated>false</IsTruncated>"));
        }
    }

    #[test]
    fn a_page_that_is_the_last_and_tells_how_to_go_on_is_refused() {
        let token = "<NextContinuationToken>t</NextContinuationToken>";
        for (is_truncated, is_refused) in [(true, false), (false, true)] {
            let told = format!("<IsTruncated>{is_truncated}</IsTruncated>");
            for rest in [format!("{told}{token}"), format!("{token}{told}")] {
                let text = document(&object("k"), &rest);
                if is_refused {
                    assert_refused(&text);
                } else {
                    assert!(read_by_both(&text).is_truncated);
                }
            }
        }
    }

    #[test]
    fn a_key_that_no_encoder_writes_is_refused() {
        let page = |key: &str| document(&object(key), "<IsTruncated>false</IsTruncated>");
        for wrong in ["100%", "%zz", "a%4", "%%41", "%4g", "%+1"] {
            assert_refused(&page(wrong));
        }
        for (encoded, key) in [
            ("%252F", "%2F"),
            ("100%25", "100%"),
            ("%e9%95%BF", "\u{957f}"),
        ] {
            let read = read_by_both(&page(encoded));
            assert_eq!(read.objects[0].key.as_str(), key);
        }
    }
}
