//! `differences.csv`: every key in which the target differs.

use shardlift_core::{
    documents::{RunDocument, RunDocuments},
    failure::Failure,
    port::{ControlStore, ControlWriter},
    verify::Difference,
};
use shardlift_proof::{
    DifferenceSink,
    csv_row::{DIFFERENCE_COLUMNS, write_difference, write_record},
};

use crate::details::BufferedDocument;

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
        write_record(out.buffer(), &DIFFERENCE_COLUMNS)?;
        Ok(Self(out))
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

impl<W: ControlWriter> DifferenceSink for DifferencesCsv<W> {
    async fn add(&mut self, difference: &Difference) -> Result<(), Failure> {
        write_difference(self.0.buffer(), difference)?;
        self.0.flush_if_large().await
    }
}
