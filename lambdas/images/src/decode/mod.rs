//! Foreign bytes become pixels. A module a format; each says from the header alone what decoding will need.

mod gif;
mod jpeg;
mod png;
mod tiff;
mod webp;

use crate::{
    decoded::DecodedImage, failure::RenderFailure, format::ImageFormat, guard::guarded,
    options::RenderLimits, raster::Size,
};

/// What a header says.
pub(crate) struct HeaderProbe {
    pub(crate) full: Size,
    /// What decoding it takes at most, beside the object's bytes, with the raster that comes out.
    pub(crate) memory_bytes: u64,
}

/// Reads a header. The longest edge of the rendition decides how much of the image is held at once.
pub(crate) fn probe(
    bytes: &[u8],
    format: ImageFormat,
    edge: u32,
) -> Result<HeaderProbe, RenderFailure> {
    let probe = match format {
        ImageFormat::Jpeg => jpeg::probe(bytes, edge),
        ImageFormat::WebP => webp::probe(bytes, edge),
        ImageFormat::Png => guarded(|| png::probe(bytes, edge)),
        ImageFormat::Gif => guarded(|| gif::probe(bytes, edge)),
        ImageFormat::Tiff => guarded(|| tiff::probe(bytes, edge)),
    }?;
    if probe.full.pixels() == 0 {
        return Err(RenderFailure::Unreadable("the image has no pixels"));
    }
    Ok(probe)
}

/// Decodes an image whose header was found to be within the limits.
pub(crate) fn decode(
    bytes: &[u8],
    format: ImageFormat,
    edge: u32,
    limits: &RenderLimits,
) -> Result<DecodedImage, RenderFailure> {
    match format {
        ImageFormat::Jpeg => jpeg::decode(bytes, edge),
        ImageFormat::WebP => webp::decode(bytes, edge),
        ImageFormat::Png => guarded(|| png::decode(bytes, edge)),
        ImageFormat::Gif => guarded(|| gif::decode(bytes, edge, limits)),
        ImageFormat::Tiff => guarded(|| tiff::decode(bytes, edge, limits)),
    }
}
