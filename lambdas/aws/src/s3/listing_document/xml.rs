//! Reads any XML document of a listing, event by event, with a library.

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesRef, Event},
};

use super::{DocumentProblem, Draft, Element, Page, missing};

/// Reads a whole document, to its closing tag.
pub(super) fn read(body: &[u8]) -> Result<Page<'_>, DocumentProblem> {
    let mut reader = Reader::from_reader(body);
    open_root(&mut reader)?;
    let mut page = Page::default();
    while let Some(child) = next_child(&mut reader)? {
        match child {
            Child::Open(Element::Contents) => page.drafts.push(read_object(&mut reader)?),
            Child::Empty(Element::Contents) => page.drafts.push(Draft::default()),
            other => {
                let (element, text) = read_element(&mut reader, other)?;
                page.note(element, text.into())?;
            }
        }
    }
    close_document(&mut reader)?;
    Ok(page)
}

/// Goes into the root element, which must be that of a listing.
fn open_root(reader: &mut Reader<&[u8]>) -> Result<(), DocumentProblem> {
    loop {
        match next(reader)? {
            Event::Decl(_) | Event::Comment(_) => {}
            Event::Text(text) if text.trim().is_empty() => {}
            Event::Start(start) if start.local_name().into_inner() == "ListBucketResult" => {
                return Ok(());
            }
            other => {
                return Err(DocumentProblem::unreadable(format_args!(
                    "it begins with {other:?}"
                )));
            }
        }
    }
}

/// Nothing may follow the root element.
fn close_document(reader: &mut Reader<&[u8]>) -> Result<(), DocumentProblem> {
    loop {
        match reader.read_event().map_err(DocumentProblem::unreadable)? {
            Event::Eof => return Ok(()),
            Event::Comment(_) => {}
            Event::Text(text) if text.trim().is_empty() => {}
            other => {
                return Err(DocumentProblem::unreadable(format_args!(
                    "{other:?} follows its end"
                )));
            }
        }
    }
}

/// An element within another one.
#[derive(Debug, Clone, Copy)]
enum Child {
    /// Its content comes next.
    Open(Element),
    /// It has none.
    Empty(Element),
}

/// The next element within the present one, which stays open; nothing at the present one's end.
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
fn read_object<'a>(reader: &mut Reader<&'a [u8]>) -> Result<Draft<'a>, DocumentProblem> {
    let mut draft = Draft::default();
    while let Some(child) = next_child(reader)? {
        let (element, text) = read_element(reader, child)?;
        draft.note(element, text.into())?;
    }
    Ok(draft)
}

/// An element and its text; of those that do not matter, none.
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

/// Reads the text of an element to its end. An element within it would say that it is no text.
fn read_text(reader: &mut Reader<&[u8]>) -> Result<String, DocumentProblem> {
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

/// Passes an element to its end, whatever is in it (an object's owner).
fn skip(reader: &mut Reader<&[u8]>) -> Result<(), DocumentProblem> {
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

fn unexpected(event: &Event<'_>) -> DocumentProblem {
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
    text.push(character.ok_or_else(|| missing("a known entity"))?);
    Ok(())
}

/// The next event; the end of the bytes is never one here.
fn next<'a>(reader: &mut Reader<&'a [u8]>) -> Result<Event<'a>, DocumentProblem> {
    match reader.read_event() {
        Ok(Event::Eof) => Err(DocumentProblem::CutOff),
        Ok(event) => Ok(event),
        Err(problem) => Err(DocumentProblem::unreadable(problem)),
    }
}
