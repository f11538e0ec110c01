//! `differences.csv`: every key in which the target differs.

use shardlift_core::{
    documents::{RunDocument, RunDocuments},
    failure::Failure,
    port::{ControlStore, ControlWriter},
    value::cell::to_cell,
    verify::{Difference, DifferingObject},
};

use crate::details::{BufferedDocument, write_record};

/// The columns.
const HEADER: [&str; 4] = ["key", "difference", "expected", "found"];

/// The document while it is written.
pub(super) struct DifferencesCsv<W>(BufferedDocument<W>);

impl<W: ControlWriter> DifferencesCsv<W> {
    /// Begins it.
    ///
    /// # Errors
    /// When the header cannot be written to memory.
    pub(super) fn open<C: ControlStore<Writer = W>>(
        documents: RunDocuments<'_, C>,
    ) -> Result<Self, Failure> {
        let document = RunDocument::DifferencesCsv;
        let mut out = BufferedDocument::new(documents.open(document), documents.key(document));
        write_record(out.buffer(), &HEADER)?;
        Ok(Self(out))
    }

    /// Adds a key.
    ///
    /// # Errors
    /// When the control bucket cannot be used.
    pub(super) async fn add(&mut self, difference: &Difference) -> Result<(), Failure> {
        let key = to_cell(difference.key.as_str());
        let object =
            |object: &Option<DifferingObject>| object.as_ref().map_or_else(String::new, text);
        let (expected, found) = (object(&difference.expected), object(&difference.found));
        let cells = [
            key.as_ref(),
            difference.kind.name(),
            &to_cell(&expected),
            &to_cell(&found),
        ];
        write_record(self.0.buffer(), &cells)?;
        self.0.flush_if_large().await
    }

    /// Makes it appear.
    ///
    /// # Errors
    /// When the control bucket cannot be used.
    pub(super) async fn finish(self) -> Result<(), Failure> {
        self.0.finish().await
    }

    /// Frees what was sent.
    pub(super) async fn abandon(self) {
        self.0.abandon().await;
    }
}

/// An object as people compare two: its ETag and its size.
fn text(object: &DifferingObject) -> String {
    format!("{} ({} bytes)", object.etag, object.size)
}
