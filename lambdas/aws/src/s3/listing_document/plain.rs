//! Reads the documents that S3 writes, and leaves every other one to the library.
//!
//! A page of a listing is one shape a thousand times over: elements without attributes, one after the other, with text
//! in them that needs no decoding. Read so, a key costs 0.5 us, by the library's events 1.35 us (the example
//! `listing_cost` measures both), and a planner does little else than read pages. Whatever is not of this shape, right
//! or wrong (comments, CDATA, entities, prefixes, white space between elements, a tag that is missing), is no plain
//! document. So this reader refuses nothing and repairs nothing: it only recognises. `agreement.rs` holds it to the
//! library's word.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::{Draft, Element, Page};

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
const ROOT: &str = "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";

/// What the library reads in the same document, or nothing where that is for the library to tell.
pub(super) fn read(body: &[u8]) -> Option<Page<'_>> {
    let document = std::str::from_utf8(body).ok()?;
    let document = document.strip_prefix(DECLARATION)?;
    let document = document.strip_prefix('\n').unwrap_or(document);
    let mut scanner = Scanner {
        document: document.strip_prefix(ROOT)?,
        at: 0,
    };
    let mut page = Page::default();
    loop {
        match scanner.tag()? {
            Tag::Start("Contents") => page.drafts.push(scanner.object()?),
            Tag::Start(name) => {
                let (element, text) = scanner.element(name)?;
                page.note(element, Cow::Borrowed(text)).ok()?;
            }
            Tag::Empty("Contents") => page.drafts.push(Draft::default()),
            Tag::Empty(name) => page.note(Element::named(name), "".into()).ok()?,
            Tag::End(name) => {
                let is_whole = name == "ListBucketResult" && scanner.is_at_end();
                return is_whole.then_some(page);
            }
        }
    }
}

/// A tag without attributes.
enum Tag<'a> {
    Start(&'a str),
    End(&'a str),
    /// An element that is closed in its own tag.
    Empty(&'a str),
}

/// A document, and how far it is read.
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

    /// The next `length` bytes, which are passed.
    fn take(&mut self, length: usize) -> Option<&'a str> {
        let end = self.at.checked_add(length)?;
        let taken = self.document.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    /// Passes `expected`.
    fn pass(&mut self, expected: &str) -> Option<()> {
        (self.take(expected.len())? == expected).then_some(())
    }

    /// The tag that begins here.
    fn tag(&mut self) -> Option<Tag<'a>> {
        self.pass("<")?;
        let name = self.take(memchr(b'>', self.rest())?)?;
        self.pass(">")?;
        match name.as_bytes() {
            [b'/', ..] => Some(Tag::End(&name[1..])),
            [.., b'/'] => {
                let name = &name[..name.len() - 1];
                is_plain(name).then_some(Tag::Empty(name))
            }
            _ => Some(Tag::Start(name)),
        }
    }

    /// The elements of one object.
    fn object(&mut self) -> Option<Draft<'a>> {
        let mut draft = Draft::default();
        loop {
            match self.tag()? {
                Tag::Start(name) => {
                    let (element, text) = self.element(name)?;
                    draft.note(element, Cow::Borrowed(text)).ok()?;
                }
                Tag::Empty(name) => draft.note(Element::named(name), "".into()).ok()?,
                Tag::End(name) => return (name == "Contents").then_some(draft),
            }
        }
    }

    /// The text of the element that was just opened, up to the end tag of the same name.
    fn element(&mut self, name: &str) -> Option<(Element, &'a str)> {
        let element = Element::named(name);
        if element == Element::Other && !is_plain(name) {
            return None;
        }
        let text = match element {
            Element::ETag => self.quoted()?,
            _ => self.text()?,
        };
        self.pass("</")?;
        self.pass(name)?;
        self.pass(">")?;
        Some((element, text))
    }

    /// The text up to the next tag, if no entity is in it.
    fn text(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let length = memchr2(b'<', b'&', rest)?;
        (rest[length] == b'<').then(|| self.take(length))?
    }

    /// The text between quotes that are written as entities; or any text, if there are none.
    fn quoted(&mut self) -> Option<&'a str> {
        const QUOTE: &str = "&quot;";
        if self.rest().first() != Some(&b'&') {
            return self.text();
        }
        self.pass(QUOTE)?;
        let text = self.take(memchr2(b'<', b'&', self.rest())?)?;
        self.pass(QUOTE)?;
        Some(text)
    }
}

/// Whether a tag is a name alone: no comment, no prefix, no attribute.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic())
}
