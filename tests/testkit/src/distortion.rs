//! A bucket whose listing says something else than what it holds.

use std::{fmt, sync::Arc};

use shardlift_core::failure::fault::CallFault;

type Distort<R, P> = dyn Fn(&R, P) -> Result<P, CallFault> + Send + Sync;

/// The response to a request `R` instead of the true page `P`.
pub(crate) struct Distortion<R, P>(Arc<Distort<R, P>>);

impl<R, P> Distortion<R, P> {
    pub(crate) fn new(
        distort: impl Fn(&R, P) -> Result<P, CallFault> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(distort))
    }

    pub(crate) fn of(&self, request: &R, page: P) -> Result<P, CallFault> {
        (self.0)(request, page)
    }
}

impl<R, P> fmt::Debug for Distortion<R, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Distortion")
    }
}
