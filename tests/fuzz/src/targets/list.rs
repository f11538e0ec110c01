//! Lists of objects that are texts: CSV, JSON lines, receipts.

use shardlift_core::failure::{Failure, FailureCode};
use shardlift_lists::{ListItem, ListPosition, Step, TextFormat, TextList};

use crate::{refusal::assert_refusal, targets::scope};

/// A file that inflates to more is left: reading all of it three times would take too long.
const ITEMS_MAX: usize = 20_000;

/// The first byte chooses the format, the second how long the pieces are. However a file comes in, and wherever reading
/// it is taken up again, it names the same objects.
pub(crate) fn list(bytes: &[u8]) {
    let [format, piece, file @ ..] = bytes else {
        return;
    };
    let format = match format % 3 {
        0 => TextFormat::Csv,
        1 => TextFormat::Jsonl,
        _ => TextFormat::Receipts,
    };
    let whole = read(
        &format,
        file,
        file.len().max(1),
        ListPosition::default(),
        usize::MAX,
    );
    let pieces = read(
        &format,
        file,
        usize::from(*piece) + 1,
        ListPosition::default(),
        usize::MAX,
    );
    match (&whole, &pieces) {
        (Ok(whole), Ok(pieces)) => assert_eq!(whole.items, pieces.items),
        (Err(whole), Err(pieces)) => {
            assert_refusal(whole, FailureCode::InvalidRun);
            // Of a file with two faults, the one that is reached first depends on the pieces.
            assert_refusal(pieces, FailureCode::InvalidRun);
        }
        (whole, pieces) => panic!(
            "in one piece it is {}, in several {}",
            verdict(whole),
            verdict(pieces)
        ),
    }
    let Ok(whole) = whole else { return };
    if whole.items.len() >= ITEMS_MAX {
        return;
    }
    let half = whole.items.len() / 2;
    let first = read(&format, file, 64, ListPosition::default(), half).expect("it was read before");
    let rest = read(&format, file, 64, first.position, usize::MAX).expect("it was read before");
    assert_eq!(
        [first.items, rest.items].concat(),
        whole.items,
        "taken up behind {half} lines"
    );
}

struct Read {
    items: Vec<ListItem>,
    position: ListPosition,
}

fn verdict(read: &Result<Read, Failure>) -> String {
    match read {
        Ok(read) => format!("a list of {} lines", read.items.len()),
        Err(failure) => failure.to_string(),
    }
}

fn read(
    format: &TextFormat,
    file: &[u8],
    piece: usize,
    position: ListPosition,
    items_max: usize,
) -> Result<Read, Failure> {
    let from = usize::try_from(position.read_from()).expect("a place in the file");
    let mut list = TextList::resume(format.clone(), "the-list", scope(), None, position);
    let mut pieces = file[from..].chunks(piece);
    let mut items = Vec::new();
    while items.len() < items_max.min(ITEMS_MAX) {
        match list.next()? {
            Step::Item(item) => items.push(item),
            Step::NeedsBytes => match pieces.next() {
                Some(bytes) => list.feed(bytes.to_vec()),
                None => list.end(),
            },
            Step::End => break,
        }
    }
    let position = list.position();
    Ok(Read { items, position })
}
