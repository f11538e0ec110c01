//! The documents about the list that names the objects of a run, which the planner writes for itself.

use super::{control_key, document_error::DocumentError, run_documents::RunDocuments};
use crate::port::ControlStore;

impl<C: ControlStore> RunDocuments<'_, C> {
    /// What the planner knows of the list that names the run's objects; nothing before it was begun.
    ///
    /// # Errors
    /// [`DocumentError::Call`].
    pub async fn list_survey(&self) -> Result<Option<Vec<u8>>, DocumentError> {
        self.get(&control_key::list_survey(self.run_id)).await
    }

    /// Writes what the planner knows of the list that names the run's objects.
    ///
    /// # Errors
    /// [`DocumentError::Call`].
    pub async fn write_list_survey(&self, survey: Vec<u8>) -> Result<(), DocumentError> {
        let key = control_key::list_survey(self.run_id);
        self.put(&key, "application/json", survey).await
    }

    /// A block of the sorted list.
    ///
    /// # Errors
    /// [`DocumentError::Missing`] when there is none, and [`DocumentError::Call`].
    pub async fn list_block(&self, run: &str, block: usize) -> Result<Vec<u8>, DocumentError> {
        let key = control_key::list_block(self.run_id, run, block);
        self.get(&key).await?.ok_or(DocumentError::Missing { key })
    }

    /// Writes a block of the sorted list. One that no survey names is never read.
    ///
    /// # Errors
    /// [`DocumentError::Call`].
    pub async fn write_list_block(
        &self,
        run: &str,
        block: usize,
        encoded: Vec<u8>,
    ) -> Result<(), DocumentError> {
        let key = control_key::list_block(self.run_id, run, block);
        self.put(&key, "application/zstd", encoded).await
    }
}
