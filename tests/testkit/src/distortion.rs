//! A bucket whose listing says something else than what it holds.

use std::{fmt, sync::Arc};

use shardlift_core::{
    failure::fault::CallFault,
    port::{ListRequest, ObjectPage},
};

type Distort = dyn Fn(&ListRequest, ObjectPage) -> Result<ObjectPage, CallFault> + Send + Sync;

/// The response to a request instead of the true page.
#[derive(Clone)]
pub(crate) struct Distortion(Arc<Distort>);

impl Distortion {
    pub(crate) fn new(
        distort: impl Fn(&ListRequest, ObjectPage) -> Result<ObjectPage, CallFault>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self(Arc::new(distort))
    }

    pub(crate) fn of(
        &self,
        request: &ListRequest,
        page: ObjectPage,
    ) -> Result<ObjectPage, CallFault> {
        (self.0)(request, page)
    }
}

impl fmt::Debug for Distortion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Distortion")
    }
}
