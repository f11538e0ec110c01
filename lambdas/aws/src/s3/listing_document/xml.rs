//! Reads any XML document of a listing, event by event, with a library.

use std::borrow::Cow;

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
    while let Some(element) = next_child(&mut reader)? {
        if element == Element::Contents {
            page.drafts.push(read_object(&mut reader)?);
        } else {
            page.note(element, &read_text(&mut reader)?)?;
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

/// The next element within the present one, which stays open; nothing at the present one's end.
fn next_child(reader: &mut Reader<&[u8]>) -> Result<Option<Element>, DocumentProblem> {
    loop {
        match next(reader)? {
            Event::Start(start) => {
                return Ok(Some(Element::named(start.local_name().into_inner())));
            }
            Event::End(_) => return Ok(None),
            // An element without content says nothing.
            Event::Empty(_) | Event::Comment(_) => {}
            Event::Text(text) if text.trim().is_empty() => {}
            other => {
                return Err(DocumentProblem::unreadable(format_args!(
                    "unexpected {other:?}"
                )));
            }
        }
    }
}

/// Reads the elements of one object.
fn read_object<'a>(reader: &mut Reader<&'a [u8]>) -> Result<Draft<'a>, DocumentProblem> {
    let mut draft = Draft::default();
    while let Some(element) = next_child(reader)? {
        draft.note(element, Cow::Owned(read_text(reader)?))?;
    }
    Ok(draft)
}

/// Reads the text of an element to its end; elements within it (an object's owner) are skipped.
fn read_text(reader: &mut Reader<&[u8]>) -> Result<String, DocumentProblem> {
    let mut text = String::new();
    let mut depth = 0_u32;
    loop {
        match next(reader)? {
            Event::Start(_) => depth += 1,
            Event::End(_) if depth == 0 => return Ok(text),
            Event::End(_) => depth -= 1,
            Event::Text(found) if depth == 0 => text.push_str(&found),
            Event::CData(found) if depth == 0 => text.push_str(&found),
            Event::GeneralRef(entity) if depth == 0 => push_entity(&mut text, &entity)?,
            _ => {}
        }
    }
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
