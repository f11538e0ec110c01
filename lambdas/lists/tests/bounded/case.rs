//! A file, how it is read, and what must come of it.

use std::fmt;

use bytes::Bytes;
use shardlift_core::{
    failure::{Failure, FailureCode},
    value::{bucket::BucketName, key::KeyPrefix},
};
use shardlift_lists::{
    InventoryManifest, ListItem, ListScope, ParquetList, ParquetPosition, Step, TableKind,
    TextFormat, TextList,
};

/// The bucket that the lists are of, and the prefix.
pub(crate) const SOURCE: &str = "source-bucket";
const PREFIX: &str = "data/";

/// A file that must not do harm.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) input: Input,
    pub(crate) expected: Expected,
}

/// What is read, and how.
pub(crate) enum Input {
    /// A text.
    Text(TextFormat, Vec<u8>),
    /// A text that consists of a beginning, a piece that comes so many times, and an end.
    Endless(TextFormat, Vec<u8>, Vec<u8>, usize, Vec<u8>),
    /// A table.
    Table(Bytes),
    /// The manifest of an inventory, and what `manifest.checksum` says.
    Manifest(Vec<u8>, Option<&'static str>),
    /// An inventory: its manifest, and its one data file in CSV.
    Inventory(Vec<u8>, Vec<u8>),
}

/// What must come of it.
pub(crate) enum Expected {
    /// The file is refused with a message that says this.
    Refused(&'static str),
    /// So many objects, and wrong lines with these numbers, whose messages say this.
    Lines(usize, &'static [(u64, &'static str)]),
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    Refused(Failure),
    /// Objects, wrong lines, and the first of these.
    Lines(usize, usize, Vec<(u64, String)>),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(failure) => write!(f, "{failure}"),
            Self::Lines(objects, bad, first) => {
                write!(f, "{objects} objects, {bad} wrong lines {first:?}")
            }
        }
    }
}

pub(crate) fn scope() -> ListScope {
    ListScope {
        bucket: BucketName::new(SOURCE).unwrap(),
        prefix: KeyPrefix::new(PREFIX).unwrap(),
    }
}

impl Case {
    /// Reads the file. Nothing of it is kept but numbers and the first wrong lines.
    pub(crate) fn run(&self) -> Outcome {
        let mut count = Counted::default();
        let read = match &self.input {
            Input::Text(format, bytes) => read_text(
                format,
                bytes.chunks(64 * 1024).map(<[u8]>::to_vec),
                &mut count,
            ),
            Input::Endless(format, begin, piece, times, end) => {
                let pieces = std::iter::once(begin.clone())
                    .chain(std::iter::repeat_n(piece, *times).cloned())
                    .chain([end.clone()]);
                read_text(format, pieces, &mut count)
            }
            Input::Table(bytes) => read_table(bytes, &mut count),
            Input::Manifest(bytes, checksum) => {
                InventoryManifest::read("the-list", bytes, *checksum, &scope()).map(|_| ())
            }
            Input::Inventory(manifest, data) => read_inventory(manifest, data, &mut count),
        };
        match read {
            Ok(()) => Outcome::Lines(count.objects, count.bad, count.first),
            Err(failure) => Outcome::Refused(failure),
        }
    }

    /// What is wrong with the outcome.
    pub(crate) fn problem(&self, outcome: &Outcome) -> Option<String> {
        match (&self.expected, outcome) {
            (Expected::Refused(words), Outcome::Refused(failure)) => {
                let detail = &failure.detail;
                let is_right = failure.code == FailureCode::InvalidRun
                    && detail.contains("the-list")
                    && detail.contains(words)
                    && detail.contains("start a new execution")
                    && detail.len() < 1000;
                (!is_right).then(|| format!("expected a refusal that says {words:?}"))
            }
            (Expected::Lines(objects, lines), Outcome::Lines(found, bad, first)) => {
                let is_right = objects == found
                    && *bad == lines.len()
                    && lines.iter().zip(first).all(|(expected, found)| {
                        expected.0 == found.0
                            && found.1.contains(expected.1)
                            && found.1.len() < 1000
                    });
                (!is_right)
                    .then(|| format!("expected {objects} objects and the wrong lines {lines:?}"))
            }
            (Expected::Refused(words), _) => {
                Some(format!("expected a refusal that says {words:?}"))
            }
            (Expected::Lines(..), _) => Some("expected no refusal".to_owned()),
        }
    }
}

/// What was read.
#[derive(Default)]
pub(crate) struct Counted {
    pub(crate) objects: usize,
    pub(crate) bad: usize,
    first: Vec<(u64, String)>,
}

impl Counted {
    fn add(&mut self, item: ListItem) {
        match item {
            ListItem::Entry(_) => self.objects += 1,
            ListItem::LeftOut(_) => {}
            ListItem::Bad(line) => {
                self.bad += 1;
                if self.first.len() < 8 {
                    self.first.push((line.place.line, line.to_string()));
                }
            }
        }
    }
}

/// Reads a text that comes in these pieces.
pub(crate) fn read_text(
    format: &TextFormat,
    mut pieces: impl Iterator<Item = Vec<u8>>,
    count: &mut Counted,
) -> Result<(), Failure> {
    let mut list = TextList::new(format.clone(), "the-list", scope(), None);
    drain(&mut list, &mut pieces, count)
}

fn drain(
    list: &mut TextList,
    pieces: &mut impl Iterator<Item = Vec<u8>>,
    count: &mut Counted,
) -> Result<(), Failure> {
    loop {
        match list.next()? {
            Step::Item(item) => count.add(item),
            Step::NeedsBytes => match pieces.next() {
                Some(piece) => list.feed(piece),
                None => list.end(),
            },
            Step::End => return Ok(()),
        }
    }
}

/// Reads a table.
pub(crate) fn read_table(bytes: &Bytes, count: &mut Counted) -> Result<(), Failure> {
    let mut list = ParquetList::open(
        bytes.clone(),
        "the-list",
        scope(),
        TableKind::List,
        ParquetPosition::default(),
    )?;
    while let Some(item) = list.next()? {
        count.add(item);
    }
    Ok(())
}

fn read_inventory(manifest: &[u8], data: &[u8], count: &mut Counted) -> Result<(), Failure> {
    let manifest = InventoryManifest::read("the-list", manifest, None, &scope())?;
    let shardlift_lists::DataFormat::Csv(columns) = manifest.format else {
        panic!("the case is about CSV");
    };
    let checksum = Some(manifest.files[0].checksum());
    let mut list = TextList::new(
        TextFormat::InventoryCsv(columns),
        "the-list",
        scope(),
        checksum,
    );
    drain(&mut list, &mut data.chunks(1000).map(<[u8]>::to_vec), count)
}
