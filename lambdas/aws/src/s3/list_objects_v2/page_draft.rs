//! A page under construction: what the elements of a listing mean, for both readers.

use std::borrow::Cow;

use shardlift_core::{
    port::ObjectPage,
    value::{
        object::{ETag, ListedObject},
        storage::ObjectStorage,
        time::Timestamp,
    },
};

use crate::s3::wire::url_encoded_key::decode_key;

/// Why a document is not a page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::s3) enum DocumentProblem {
    /// It ends before its root element does.
    #[error("the listing's document is truncated")]
    Truncated,
    /// It is not XML, or not a listing.
    #[error("the listing's document is not readable: {0}")]
    Unreadable(String),
}

impl DocumentProblem {
    /// An unreadable document.
    pub(in crate::s3) fn unreadable(problem: impl std::fmt::Display) -> Self {
        Self::Unreadable(problem.to_string())
    }

    /// A document without something that S3 always writes.
    pub(in crate::s3) fn missing(element: &str) -> Self {
        Self::Unreadable(format!("{element} is missing"))
    }
}

/// The elements that a page consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Contents,
    IsTruncated,
    KeyCount,
    EncodingType,
    NextContinuationToken,
    Key,
    Size,
    ETag,
    LastModified,
    StorageClass,
    RestoreStatus,
    Other,
}

impl Element {
    /// The element of this local name.
    pub(super) fn named(name: &str) -> Self {
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
            "StorageClass" => Self::StorageClass,
            "RestoreStatus" => Self::RestoreStatus,
            _ => Self::Other,
        }
    }
}

/// A page whose elements are being read. Texts that need no decoding are borrowed from the document.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PageDraft<'a> {
    objects: Vec<ObjectDraft<'a>>,
    is_truncated: Option<bool>,
    key_count: Option<usize>,
    encoding: Option<Cow<'a, str>>,
    next_token: Option<Cow<'a, str>>,
}

/// An object whose elements are being read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ObjectDraft<'a> {
    key: Option<Cow<'a, str>>,
    size_bytes: Option<u64>,
    etag: Option<Cow<'a, str>>,
    modified_at: Option<Timestamp>,
    class: Option<Cow<'a, str>>,
    restore: Option<RestoreDraft<'a>>,
}

/// The state of a restore whose elements are being read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RestoreDraft<'a> {
    is_in_progress: Option<Cow<'a, str>>,
    has_expiry: bool,
}

impl<'a> RestoreDraft<'a> {
    /// Sets what an element of it says.
    pub(super) fn set(&mut self, name: &str, text: Cow<'a, str>) -> Result<(), DocumentProblem> {
        match name {
            "IsRestoreInProgress" => set_once(&mut self.is_in_progress, text),
            "RestoreExpiryDate" => {
                self.has_expiry = !text.is_empty();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether there is a restored copy. S3 states its expiry only then, and nothing of an object that was never restored
    /// (docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreStatus.html).
    fn is_restored(&self) -> bool {
        let is_over = |text: &Cow<'_, str>| text.eq_ignore_ascii_case("false");
        self.has_expiry && self.is_in_progress.as_ref().is_some_and(is_over)
    }
}

impl<'a> PageDraft<'a> {
    /// Adds the next object.
    pub(super) fn push(&mut self, object: ObjectDraft<'a>) {
        self.objects.push(object);
    }

    /// Sets what an element outside the objects says.
    pub(super) fn set(
        &mut self,
        element: Element,
        text: Cow<'a, str>,
    ) -> Result<(), DocumentProblem> {
        match element {
            Element::IsTruncated => set_once(&mut self.is_truncated, parsed(&text)?),
            Element::KeyCount => set_once(&mut self.key_count, parsed(&text)?),
            Element::EncodingType => set_once(&mut self.encoding, text),
            Element::NextContinuationToken => set_once(&mut self.next_token, text),
            Element::Other => Ok(()),
            misplaced => Err(DocumentProblem::unreadable(format_args!(
                "{misplaced:?} is outside an object"
            ))),
        }
    }

    /// The finished page. Everything that S3 always writes must be there, and nothing may contradict it.
    pub(super) fn finish(self) -> Result<ObjectPage, DocumentProblem> {
        let is_truncated = self
            .is_truncated
            .ok_or_else(|| DocumentProblem::missing("IsTruncated"))?;
        if self.next_token.is_some() && !is_truncated {
            return Err(DocumentProblem::unreadable(
                "it has a continuation token although it is not truncated",
            ));
        }
        let found = self.objects.len();
        let stated = self
            .key_count
            .ok_or_else(|| DocumentProblem::missing("KeyCount"))?;
        if stated != found {
            return Err(DocumentProblem::unreadable(format_args!(
                "KeyCount is {stated}, but it holds {found} keys"
            )));
        }
        // We requested it. A server that does not confirm it may have ignored the request.
        let encoding = self
            .encoding
            .ok_or_else(|| DocumentProblem::missing("EncodingType"))?;
        if encoding != "url" {
            return Err(DocumentProblem::unreadable(format_args!(
                "its keys are encoded as {encoding:?}"
            )));
        }
        let objects = self
            .objects
            .into_iter()
            .map(ObjectDraft::finish)
            .collect::<Result<_, _>>()?;
        Ok(ObjectPage {
            listed_through: None,
            objects,
            is_truncated,
        })
    }
}

impl<'a> ObjectDraft<'a> {
    /// Sets what an element of the object says.
    pub(super) fn set(
        &mut self,
        element: Element,
        text: Cow<'a, str>,
    ) -> Result<(), DocumentProblem> {
        match element {
            Element::Key => set_once(&mut self.key, text),
            Element::Size => set_once(&mut self.size_bytes, parsed(&text)?),
            Element::ETag => set_once(&mut self.etag, unquoted(text)),
            Element::LastModified => {
                let at = Timestamp::parse(&text).map_err(DocumentProblem::unreadable)?;
                set_once(&mut self.modified_at, at)
            }
            Element::StorageClass => set_once(&mut self.class, text),
            // One without content says nothing.
            Element::RestoreStatus => self.set_restore(RestoreDraft::default()),
            Element::Other => Ok(()),
            misplaced => Err(DocumentProblem::unreadable(format_args!(
                "{misplaced:?} is within an object"
            ))),
        }
    }

    /// Sets the state of the object's restore.
    pub(super) fn set_restore(&mut self, restore: RestoreDraft<'a>) -> Result<(), DocumentProblem> {
        set_once(&mut self.restore, restore)
    }

    fn finish(self) -> Result<ListedObject, DocumentProblem> {
        let is_restored = self.restore.is_some_and(|restore| restore.is_restored());
        let class = self.class.as_deref().filter(|class| !class.is_empty());
        let key = self.key.ok_or_else(|| DocumentProblem::missing("Key"))?;
        let etag = self.etag.ok_or_else(|| DocumentProblem::missing("ETag"))?;
        Ok(ListedObject {
            key: decode_key(&key).map_err(DocumentProblem::unreadable)?,
            size_bytes: self
                .size_bytes
                .ok_or_else(|| DocumentProblem::missing("Size"))?,
            etag: ETag::new(etag).map_err(DocumentProblem::unreadable)?,
            modified_at: self
                .modified_at
                .ok_or_else(|| DocumentProblem::missing("LastModified"))?,
            // S3 names the class of every object; where a store names none, it knows one alone.
            storage: class.map_or_else(ObjectStorage::default, |class| {
                ObjectStorage::listed(class, is_restored)
            }),
            version_id: None,
        })
    }
}

/// Sets a field; an element that occurs twice is ambiguous.
fn set_once<T>(field: &mut Option<T>, value: T) -> Result<(), DocumentProblem> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(DocumentProblem::unreadable("an element occurs twice")),
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
