//! WebP, whole: lossy, lossless, with alpha, and the first frame of an animation.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::HeaderProbe;
use crate::{
    decoded::DecodedImage,
    failure::RenderFailure,
    orientation::Orientation,
    raster::{Channels, Size},
    shrink::{self, RowShrinker},
};

const BROKEN: RenderFailure = RenderFailure::Unreadable("the WebP file is broken or cut off");

/// Beside the pixels: Huffman tables, a colour profile, EXIF.
const TABLES_BYTES_MAX: u64 = 16 << 20;

type Source<'a> = WebPDecoder<Cursor<&'a [u8]>>;

fn open(bytes: &[u8]) -> Result<(Source<'_>, Size), RenderFailure> {
    let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|_| BROKEN)?;
    let (width, height) = decoder.dimensions();
    let full = Size { width, height };
    if !frames_fit(bytes.get(12..).ok_or(BROKEN)?, full, false) {
        return Err(BROKEN);
    }
    Ok((decoder, full))
}

/// Whether the frames in these chunks are as large as their canvas, or in an animation no larger. The decoder takes memory
/// for what a frame says of itself, and compares afterwards.
fn frames_fit(mut chunks: &[u8], canvas: Size, is_in_frame: bool) -> bool {
    /// In front of the chunks of a frame: its place, size and duration.
    const FRAME_HEADER_BYTES: usize = 16;
    while let Some((head, rest)) = chunks.split_first_chunk::<8>() {
        let [name @ .., l0, l1, l2, l3] = *head;
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let data = &rest[..length.min(rest.len())];
        let fits = match &name {
            b"VP8 " => data.get(6..10).is_none_or(|size| {
                let edge = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
                edge(size[0], size[1]) <= canvas.width && edge(size[2], size[3]) <= canvas.height
            }),
            b"VP8L" => data.get(1..5).is_none_or(|size| {
                let bits = u32::from_le_bytes([size[0], size[1], size[2], size[3]]);
                (bits & 0x3fff) < canvas.width && (bits >> 14 & 0x3fff) < canvas.height
            }),
            b"ANMF" => data.get(FRAME_HEADER_BYTES..).is_none_or(|inner| {
                // The frame's own size stands in its header, less one.
                let edge =
                    |at: usize| u32::from_le_bytes([data[at], data[at + 1], data[at + 2], 0]) + 1;
                let frame = Size {
                    width: edge(6),
                    height: edge(9),
                };
                let is_within = frame.width <= canvas.width && frame.height <= canvas.height;
                is_within && (is_in_frame || frames_fit(inner, frame, true))
            }),
            _ => true,
        };
        if !fits {
            return false;
        }
        // Chunks are padded to even lengths.
        chunks = rest.get(length + length % 2..).unwrap_or_default();
    }
    true
}

pub(super) fn probe(bytes: &[u8], edge: u32) -> Result<HeaderProbe, RenderFailure> {
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
    Ok(HeaderProbe {
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
