//! Reads documents in the form that S3 writes, and leaves every other one to the XML reader.
//!
//! A page repeats one form a thousand times: elements without attributes, one after the other, whose text needs no
//! decoding. In this form a key takes 0.5 us, and by the XML library's events 1.35 us (the example `listing_cost`
//! measures both), and a planner spends most of its time reading pages. A document that deviates from the form, whether
//! valid or not (comments, CDATA, entities, prefixes, white space between elements, a missing tag), is not plain. This
//! reader therefore reports no errors and corrects none; it only recognizes the form. `reader_agreement.rs` checks that
//! both readers agree.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::page_draft::{Element, ObjectDraft, PageDraft, RestoreDraft};

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
const ROOT: &str = "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";

/// The page as the XML reader would read it; `None` if the document is not plain.
pub(super) fn read(body: &[u8]) -> Option<PageDraft<'_>> {
    let document = std::str::from_utf8(body).ok()?;
    let document = document.strip_prefix(DECLARATION)?;
    let document = document.strip_prefix('\n').unwrap_or(document);
    let mut scanner = Scanner {
        document: document.strip_prefix(ROOT)?,
        at: 0,
    };
    let mut page = PageDraft::default();
    loop {
        match scanner.tag()? {
            Tag::Start("Contents") => page.push(scanner.object()?),
            Tag::Start(name) => {
                let (element, text) = scanner.element(name)?;
                page.set(element, Cow::Borrowed(text)).ok()?;
            }
            Tag::Empty("Contents") => page.push(ObjectDraft::default()),
            Tag::Empty(name) => page.set(Element::named(name), "".into()).ok()?,
            Tag::End(name) => {
                let is_complete = name == "ListBucketResult" && scanner.is_at_end();
                return is_complete.then_some(page);
            }
        }
    }
}

/// A tag without attributes.
enum Tag<'a> {
    Start(&'a str),
    End(&'a str),
    /// An element that closes itself.
    Empty(&'a str),
}

/// A document and a position in it.
struct Scanner<'a> {
    document: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.document.as_bytes()[self.at..]
    }

    fn is_at_end(&self) -> bool {
        self.at == self.document.len()
    }

    /// Takes the next `length` bytes.
    fn take(&mut self, length: usize) -> Option<&'a str> {
        let end = self.at.checked_add(length)?;
        let taken = self.document.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    /// Takes `expected`; `None` if something else comes next.
    fn expect(&mut self, expected: &str) -> Option<()> {
        (self.take(expected.len())? == expected).then_some(())
    }

    /// Takes a tag.
    fn tag(&mut self) -> Option<Tag<'a>> {
        self.expect("<")?;
        let name = self.take(memchr(b'>', self.rest())?)?;
        self.expect(">")?;
        match name.as_bytes() {
            [b'/', ..] => Some(Tag::End(&name[1..])),
            [.., b'/'] => {
                let name = &name[..name.len() - 1];
                is_plain(name).then_some(Tag::Empty(name))
            }
            _ => Some(Tag::Start(name)),
        }
    }

    /// Takes the elements of one object, up to its end tag.
    fn object(&mut self) -> Option<ObjectDraft<'a>> {
        let mut object = ObjectDraft::default();
        loop {
            match self.tag()? {
                Tag::Start("RestoreStatus") => object.set_restore(self.restore()?).ok()?,
                Tag::Start(name) => {
                    let (element, text) = self.element(name)?;
                    object.set(element, Cow::Borrowed(text)).ok()?;
                }
                Tag::Empty(name) => object.set(Element::named(name), "".into()).ok()?,
                Tag::End(name) => return (name == "Contents").then_some(object),
            }
        }
    }

    /// Takes the elements of the state of a restore, up to its end tag.
    fn restore(&mut self) -> Option<RestoreDraft<'a>> {
        let mut restore = RestoreDraft::default();
        loop {
            match self.tag()? {
                Tag::Start(name) if is_plain(name) => {
                    let text = self.text()?;
                    self.expect("</")?;
                    self.expect(name)?;
                    self.expect(">")?;
                    restore.set(name, Cow::Borrowed(text)).ok()?;
                }
                Tag::Start(_) | Tag::Empty(_) => return None,
                Tag::End(name) => return (name == "RestoreStatus").then_some(restore),
            }
        }
    }

    /// Takes the text of the element that was just opened, and its end tag.
    fn element(&mut self, name: &str) -> Option<(Element, &'a str)> {
        let element = Element::named(name);
        if element == Element::Other && !is_plain(name) {
            return None;
        }
        let text = match element {
            Element::ETag => self.quoted()?,
            _ => self.text()?,
        };
        self.expect("</")?;
        self.expect(name)?;
        self.expect(">")?;
        Some((element, text))
    }

    /// Takes the text up to the next tag; `None` if it contains an entity.
    fn text(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let length = memchr2(b'<', b'&', rest)?;
        (rest[length] == b'<').then(|| self.take(length))?
    }

    /// Takes the text between quotation marks that are written as entities, or else a text without entities.
    fn quoted(&mut self) -> Option<&'a str> {
        const QUOTE: &str = "&quot;";
        if self.rest().first() != Some(&b'&') {
            return self.text();
        }
        self.expect(QUOTE)?;
        let text = self.take(memchr2(b'<', b'&', self.rest())?)?;
        self.expect(QUOTE)?;
        Some(text)
    }
}

/// Whether a tag is only a name: not a comment, and without prefix and attributes.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic())
}
