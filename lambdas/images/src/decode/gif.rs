//! The first frame of a GIF, on a canvas that is transparent where the frame does not lie.

use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, Decoder, Frame, MemoryLimit};

use super::HeaderProbe;
use crate::{
    decoded::DecodedImage,
    failure::RenderFailure,
    options::RenderLimits,
    orientation::Orientation,
    raster::{Channels, Size},
    shrink::{self, RowShrinker},
};

const BROKEN: RenderFailure = RenderFailure::Unreadable("the GIF file is broken or cut off");

fn canvas(bytes: &[u8]) -> Result<Size, RenderFailure> {
    let [_, _, _, _, _, _, w0, w1, h0, h1] = *bytes.first_chunk::<10>().ok_or(BROKEN)?;
    Ok(Size {
        width: u16::from_le_bytes([w0, w1]).into(),
        height: u16::from_le_bytes([h0, h1]).into(),
    })
}

pub(super) fn probe(bytes: &[u8], edge: u32) -> Result<HeaderProbe, RenderFailure> {
    let full = canvas(bytes)?;
    Ok(HeaderProbe {
        full,
        // A byte for each pixel of a frame as large as the canvas, and the decoder's tables and buffers.
        memory_bytes: full.pixels() + (2 << 20) + shrink::memory_bytes(full, 4, edge),
    })
}

pub(super) fn decode(
    bytes: &[u8],
    edge: u32,
    limits: &RenderLimits,
) -> Result<DecodedImage, RenderFailure> {
    let full = canvas(bytes)?;
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    let allowed = NonZeroU64::new(limits.memory_bytes_max).ok_or(BROKEN)?;
    options.set_memory_limit(MemoryLimit::Bytes(allowed));
    let mut decoder = options.read_info(bytes).map_err(|_| BROKEN)?;
    let frame = first_frame(&mut decoder)?;
    // A frame may be larger than the canvas, and then is what costs.
    let frame_size = Size {
        width: frame.width.into(),
        height: frame.height.into(),
    };
    if frame_size.pixels() > full.pixels().max(1 << 20) {
        let reason = "the first frame is larger than the GIF's canvas";
        return Err(RenderFailure::TooLarge(reason));
    }
    let palette = match &frame.palette {
        Some(palette) => palette.clone(),
        None => decoder.global_palette().ok_or(BROKEN)?.to_vec(),
    };
    let mut pixels = vec![0; frame_size.width as usize * frame_size.height as usize];
    decoder.read_into_buffer(&mut pixels).map_err(|_| BROKEN)?;
    let icc = decoder.icc_profile().map(<[u8]>::to_vec);
    let shrinker = draw(full, &frame, &palette, &pixels, edge);
    Ok(DecodedImage {
        reduced_by: shrinker.factor(),
        raster: shrinker.finish(),
        full,
        icc,
        orientation: Orientation::default(),
    })
}

fn first_frame(decoder: &mut Decoder<&[u8]>) -> Result<Frame<'static>, RenderFailure> {
    let found = decoder.next_frame_info().map_err(|_| BROKEN)?;
    let frame = found.ok_or(BROKEN)?;
    Ok(Frame {
        palette: frame.palette.clone(),
        left: frame.left,
        top: frame.top,
        width: frame.width,
        height: frame.height,
        transparent: frame.transparent,
        ..Frame::default()
    })
}

/// The rows of the canvas, with alpha only where some of it may be seen through.
fn draw(full: Size, frame: &Frame<'_>, palette: &[u8], pixels: &[u8], edge: u32) -> RowShrinker {
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let (width, height) = (usize::from(frame.width), usize::from(frame.height));
    let (canvas_width, canvas_height) = (full.width as usize, full.height as usize);
    let covers = left == 0 && top == 0 && width >= canvas_width && height >= canvas_height;
    let is_opaque = covers && frame.transparent.is_none();
    let channels = if is_opaque {
        Channels::Rgb
    } else {
        Channels::Rgba
    };
    let mut shrinker = RowShrinker::new(full, channels, edge);
    let mut row = vec![0; canvas_width * channels.count()];
    for y in 0..canvas_height {
        row.fill(0);
        if y >= top && y < top + height && width > 0 {
            let indices = &pixels[(y - top) * width..][..width];
            let places = row.chunks_exact_mut(channels.count()).skip(left);
            for (place, index) in places.zip(indices) {
                if frame.transparent == Some(*index) {
                    continue;
                }
                // What lies beyond the palette is black, as elsewhere.
                let colour = palette.get(usize::from(*index) * 3..).unwrap_or_default();
                if let [r, g, b, ..] = *colour {
                    place[..3].copy_from_slice(&[r, g, b]);
                }
                if let Some(alpha) = place.get_mut(3) {
                    *alpha = 255;
                }
            }
        }
        shrinker.push(&row);
    }
    shrinker
}
