//! What a run knows of the keys of its target.

use std::future::Future;

use shardlift_core::{documents::receipt::Receipt, failure::Failure};

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownKey {
    /// This became of it.
    Receipt(Receipt),
    /// Its object has no outcome.
    Open(String),
}

/// The receipts of a run and of those that it goes back to, as often as they are asked for.
pub trait KnownKeys: Sync {
    /// Gives everything that is known to `take`. What is known of the earlier runs comes first, the oldest before all.
    ///
    /// # Errors
    /// When a list is missing or cannot be read.
    fn each(
        &self,
        take: &mut (dyn FnMut(KnownKey) + Send),
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}
