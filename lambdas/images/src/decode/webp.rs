//! WebP, whole: lossy, lossless, with alpha, and the first frame of an animation.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::Probe;
use crate::{
    failure::RenderFailure,
    orientation::Orientation,
    raster::{Channels, DecodedImage, Size},
    shrink::{self, RowShrinker},
};

const BROKEN: RenderFailure = RenderFailure::Unreadable("the WebP file is broken or cut off");

/// Beside the pixels: Huffman tables, a colour profile, EXIF.
const TABLES_BYTES_MAX: u64 = 16 << 20;

type Source<'a> = WebPDecoder<Cursor<&'a [u8]>>;

fn open(bytes: &[u8]) -> Result<(Source<'_>, Size), RenderFailure> {
    let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|_| BROKEN)?;
    let (width, height) = decoder.dimensions();
    Ok((decoder, Size { width, height }))
}

pub(super) fn probe(bytes: &[u8], edge: u32) -> Result<Probe, RenderFailure> {
    let (mut decoder, full) = open(bytes)?;
    // Planes of 4:2:0, the pixels, for alpha a lossless image of its own, for an animation a canvas and a frame.
    let pixel_bytes = match (
        decoder.is_animated(),
        decoder.has_alpha(),
        decoder.is_lossy(),
    ) {
        (true, ..) => 16,
        (false, true, true) => 12,
        (false, _, false) => 8,
        (false, false, true) => 5,
    };
    Ok(Probe {
        full,
        memory_bytes: full.pixels() * pixel_bytes
            + TABLES_BYTES_MAX
            + shrink::memory_bytes(full, 4, edge),
    })
}

pub(super) fn decode(bytes: &[u8], edge: u32) -> Result<DecodedImage, RenderFailure> {
    let (mut decoder, full) = open(bytes)?;
    let limit = usize::try_from(full.pixels() * 8 + TABLES_BYTES_MAX).map_err(|_| BROKEN)?;
    decoder.set_memory_limit(limit);
    let channels = if decoder.has_alpha() {
        Channels::Rgba
    } else {
        Channels::Rgb
    };
    let size = decoder.output_buffer_size().ok_or(BROKEN)?;
    let mut pixels = vec![0; size];
    decoder.read_image(&mut pixels).map_err(|_| BROKEN)?;
    let mut shrinker = RowShrinker::new(full, channels, edge);
    pixels
        .chunks_exact(full.width as usize * channels.count())
        .for_each(|row| shrinker.push(row));
    let exif = decoder.exif_metadata().ok().flatten();
    Ok(DecodedImage {
        reduced_by: shrinker.factor(),
        raster: shrinker.finish(),
        full,
        icc: decoder.icc_profile().ok().flatten(),
        orientation: exif.map_or_else(Orientation::default, |exif| Orientation::from_exif(&exif)),
    })
}
