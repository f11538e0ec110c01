//! What foreign code that panics becomes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::failure::RenderFailure;

/// What a decoder that panicked leaves.
pub(crate) const PANICKED: RenderFailure =
    RenderFailure::Unreadable("the image is broken in a way that its decoder does not expect");

/// Runs a foreign decoder. Panics were found in one: `tiff` asserts that a strip has room in the image, which a file can make
/// untrue. Nothing outlives the call but its result, so nothing is left half done.
///
/// What we read and compute ourselves is not run in here, but for what rows of pixels are passed to: a panic of ours is a fault
/// that must be seen.
pub(crate) fn guarded<T>(
    decode: impl FnOnce() -> Result<T, RenderFailure>,
) -> Result<T, RenderFailure> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or(Err(PANICKED))
}
