//! Reads any XML document of a listing, event by event, with an XML library.

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesRef, Event},
};

use super::page_draft::{DocumentProblem, Element, ObjectDraft, PageDraft, RestoreDraft};

/// Reads a document up to its closing tag, after which nothing may follow.
pub(super) fn read(body: &[u8]) -> Result<PageDraft<'_>, DocumentProblem> {
    let mut reader = Reader::from_reader(body);
    open_root(&mut reader, "ListBucketResult")?;
    let mut page = PageDraft::default();
    while let Some(child) = next_child(&mut reader)? {
        match child {
            Child::Open(Element::Contents) => page.push(read_object(&mut reader)?),
            Child::Empty(Element::Contents) => page.push(ObjectDraft::default()),
            other => {
                let (element, text) = read_element(&mut reader, other)?;
                page.set(element, text.into())?;
            }
        }
    }
    close_document(&mut reader)?;
    Ok(page)
}

/// Enters the root element, which must be the one of the listing.
pub(in crate::s3) fn open_root(
    reader: &mut Reader<&[u8]>,
    root: &str,
) -> Result<(), DocumentProblem> {
    loop {
        match next(reader)? {
            Event::Decl(_) | Event::Comment(_) => {}
            Event::Text(text) if text.trim().is_empty() => {}
            Event::Start(start) if start.local_name().into_inner() == root => {
                return Ok(());
            }
            other => {
                return Err(DocumentProblem::unreadable(format_args!(
                    "it starts with {other:?}"
                )));
            }
        }
    }
}

/// Requires that nothing follows the root element.
pub(in crate::s3) fn close_document(reader: &mut Reader<&[u8]>) -> Result<(), DocumentProblem> {
    loop {
        match reader.read_event().map_err(DocumentProblem::unreadable)? {
            Event::Eof => return Ok(()),
            Event::Comment(_) => {}
            Event::Text(text) if text.trim().is_empty() => {}
            other => {
                return Err(DocumentProblem::unreadable(format_args!(
                    "{other:?} follows the root element"
                )));
            }
        }
    }
}

/// An element within another.
#[derive(Debug, Clone, Copy)]
enum Child {
    /// Its content follows.
    Open(Element),
    /// It has no content.
    Empty(Element),
}

/// The next element within the current one; `None` at the end of the current one.
fn next_child(reader: &mut Reader<&[u8]>) -> Result<Option<Child>, DocumentProblem> {
    loop {
        match next(reader)? {
            Event::Start(start) => {
                let element = Element::named(start.local_name().into_inner());
                return Ok(Some(Child::Open(element)));
            }
            Event::Empty(start) => {
                let element = Element::named(start.local_name().into_inner());
                return Ok(Some(Child::Empty(element)));
            }
            Event::End(_) => return Ok(None),
            Event::Comment(_) => {}
            Event::Text(text) if text.trim().is_empty() => {}
            other => return Err(unexpected(&other)),
        }
    }
}

/// Reads the elements of one object.
fn read_object<'a>(reader: &mut Reader<&'a [u8]>) -> Result<ObjectDraft<'a>, DocumentProblem> {
    let mut object = ObjectDraft::default();
    while let Some(child) = next_child(reader)? {
        if let Child::Open(Element::RestoreStatus) = child {
            object.set_restore(read_restore(reader)?)?;
            continue;
        }
        let (element, text) = read_element(reader, child)?;
        object.set(element, text.into())?;
    }
    Ok(object)
}

/// Reads the state of a restore.
fn read_restore<'a>(reader: &mut Reader<&'a [u8]>) -> Result<RestoreDraft<'a>, DocumentProblem> {
    let mut restore = RestoreDraft::default();
    loop {
        match next(reader)? {
            Event::Start(start) => {
                let name = start.local_name().into_inner().to_owned();
                restore.set(&name, read_text(reader)?.into())?;
            }
            Event::Empty(start) => restore.set(start.local_name().into_inner(), "".into())?,
            Event::End(_) => return Ok(restore),
            Event::Comment(_) => {}
            Event::Text(text) if text.trim().is_empty() => {}
            other => return Err(unexpected(&other)),
        }
    }
}

/// Reads an element and its text, which is empty for the elements that do not matter.
fn read_element(
    reader: &mut Reader<&[u8]>,
    child: Child,
) -> Result<(Element, String), DocumentProblem> {
    let text = match child {
        Child::Empty(_) => String::new(),
        Child::Open(Element::Other) => {
            skip(reader)?;
            String::new()
        }
        Child::Open(_) => read_text(reader)?,
    };
    let (Child::Open(element) | Child::Empty(element)) = child;
    Ok((element, text))
}

/// Reads the text of an element up to its end tag. An element within it is an error.
pub(in crate::s3) fn read_text(reader: &mut Reader<&[u8]>) -> Result<String, DocumentProblem> {
    let mut text = String::new();
    loop {
        match next(reader)? {
            Event::End(_) => return Ok(text),
            Event::Text(found) => text.push_str(&found),
            Event::CData(found) => text.push_str(&found),
            Event::GeneralRef(entity) => push_entity(&mut text, &entity)?,
            Event::Comment(_) => {}
            other => return Err(unexpected(&other)),
        }
    }
}

/// Skips an element with everything in it, for example the owner of an object.
pub(in crate::s3) fn skip(reader: &mut Reader<&[u8]>) -> Result<(), DocumentProblem> {
    let mut depth = 0_u32;
    loop {
        match next(reader)? {
            Event::Start(_) => depth += 1,
            Event::End(_) if depth == 0 => return Ok(()),
            Event::End(_) => depth -= 1,
            _ => {}
        }
    }
}

pub(in crate::s3) fn unexpected(event: &Event<'_>) -> DocumentProblem {
    DocumentProblem::unreadable(format_args!("unexpected {event:?}"))
}

fn push_entity(text: &mut String, entity: &BytesRef<'_>) -> Result<(), DocumentProblem> {
    if let Some(known) = resolve_predefined_entity(entity) {
        text.push_str(known);
        return Ok(());
    }
    let character = entity
        .resolve_char_ref()
        .map_err(DocumentProblem::unreadable)?;
    text.push(character.ok_or_else(|| DocumentProblem::missing("a known entity"))?);
    Ok(())
}

/// The next event. Where another event must follow, the end of the document is an error.
pub(in crate::s3) fn next<'a>(reader: &mut Reader<&'a [u8]>) -> Result<Event<'a>, DocumentProblem> {
    match reader.read_event() {
        Ok(Event::Eof) => Err(DocumentProblem::Truncated),
        Ok(event) => Ok(event),
        Err(problem) => Err(DocumentProblem::unreadable(problem)),
    }
}
