//! What decoding leaves.

use crate::{
    orientation::Orientation,
    raster::{Raster, Size},
};

/// A decoded image, reduced as far as decoding it could.
#[derive(Debug)]
pub(crate) struct DecodedImage {
    pub(crate) raster: Raster,
    /// The size of the image itself, before it was reduced.
    pub(crate) full: Size,
    /// By how much it was reduced. The last column and row of the raster may stand for fewer pixels than the others.
    pub(crate) reduced_by: u32,
    pub(crate) icc: Option<Vec<u8>>,
    pub(crate) orientation: Orientation,
}
