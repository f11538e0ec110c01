//! WebP, whole: lossy, lossless, with alpha, and the first frame of an animation.

mod lossless;
mod planes;
mod prefix_code;

use std::io::Cursor;

use rusty_webp::{UpsamplingMethod, WebPDecoder};

use super::HeaderProbe;
use crate::{
    decoded::DecodedImage,
    failure::RenderFailure,
    guard::guarded,
    orientation::Orientation,
    raster::{Channels, Raster, Size},
    shrink::{self, RowShrinker},
};

const BROKEN: RenderFailure = RenderFailure::Unreadable("the WebP file is broken or cut off");
const TOO_MANY_CODES: RenderFailure =
    RenderFailure::TooLarge("the WebP file has more prefix codes than any encoder writes");

/// Of a colour profile.
const ICC_BYTES_MAX: usize = 4 << 20;
/// Of EXIF data, whose directory takes several times as much when it is read. JPEG has room for 64 KB.
const EXIF_BYTES_MAX: usize = 1 << 20;
/// Beside the pixels, for tables, and afterwards for a colour profile and EXIF; and for a part of a lossy frame, which is
/// taken before it is known whether the file has as much.
const TABLES_BYTES_MAX: u64 = 24 << 20;

type Source<'a> = WebPDecoder<Cursor<&'a [u8]>>;

fn open(bytes: &[u8]) -> Result<(Source<'_>, Size), RenderFailure> {
    let decoder = guarded(|| WebPDecoder::new(Cursor::new(bytes)).map_err(|_| BROKEN))?;
    let (width, height) = decoder.dimensions();
    let full = Size { width, height };
    if !frames_fit(bytes.get(12..).ok_or(BROKEN)?, full, false) {
        return Err(BROKEN);
    }
    Ok((decoder, full))
}

/// The chunks of a file or of a frame, by name. Each is padded to an even length.
fn chunks(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_first_chunk::<8>()?;
        let (name, length) = head.split_at(4);
        let length = length
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        bytes = rest.get(length + length % 2..).unwrap_or_default();
        Some((name, &rest[..length.min(rest.len())]))
    })
}

/// A frame of an animation: its size, and its chunks. None where it is cut off.
fn animation_frame(data: &[u8]) -> Option<(Size, &[u8])> {
    /// In front of the chunks of a frame: its place, size and duration.
    const FRAME_HEADER_BYTES: usize = 16;
    let (header, inner) = data.split_first_chunk::<FRAME_HEADER_BYTES>()?;
    // Less one.
    let edge = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], 0]) + 1;
    let (width, height) = (edge(6), edge(9));
    Some((Size { width, height }, inner))
}

/// Whether the frames in these chunks are as large as their canvas, or in an animation no larger. The decoder takes memory
/// for what a frame says of itself, and compares afterwards.
fn frames_fit(bytes: &[u8], canvas: Size, is_in_frame: bool) -> bool {
    chunks(bytes).all(|(name, data)| match name {
        b"VP8 " => data.get(6..10).is_none_or(|size| {
            let edge = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
            edge(size[0], size[1]) <= canvas.width && edge(size[2], size[3]) <= canvas.height
        }),
        b"VP8L" => data.get(1..5).is_none_or(|size| {
            let bits = u32::from_le_bytes([size[0], size[1], size[2], size[3]]);
            (bits & 0x3fff) < canvas.width && (bits >> 14 & 0x3fff) < canvas.height
        }),
        b"ANMF" => animation_frame(data).is_none_or(|(frame, inner)| {
            let is_within = frame.width <= canvas.width && frame.height <= canvas.height;
            is_within && (is_in_frame || frames_fit(inner, frame, true))
        }),
        _ => true,
    })
}

/// What the groups of prefix codes take of the image, or its alpha, that the decoder reads: of each kind of chunk the first,
/// or, if there is none, that of the first frame.
fn prefix_code_bytes(bytes: &[u8], canvas: Size) -> u64 {
    let of_first = |bytes, name: &[u8], size: Size| {
        let chunk = chunks(bytes).find(|(found, _)| *found == name);
        chunk.map_or(0, |(_, data)| match name {
            b"VP8L" => lossless::group_bytes(data),
            _ => lossless::alpha_group_bytes(data, size.width as usize, size.height as usize),
        })
    };
    let frame = chunks(bytes).find(|(name, _)| *name == b"ANMF");
    let (frame, in_frame) = frame
        .and_then(|(_, data)| animation_frame(data))
        .unwrap_or((canvas, &[]));
    // One of them is decoded; which one depends on flags that need not be true.
    [
        of_first(bytes, b"VP8L", canvas),
        of_first(bytes, b"ALPH", canvas),
        of_first(in_frame, b"VP8L", frame),
        of_first(in_frame, b"ALPH", frame),
        of_first(in_frame, b"ALPH", canvas),
    ]
    .into_iter()
    .max()
    .unwrap_or(0)
}

pub(super) fn probe(bytes: &[u8], edge: u32) -> Result<HeaderProbe, RenderFailure> {
    let (mut decoder, full) = open(bytes)?;
    let groups = prefix_code_bytes(bytes.get(12..).ok_or(BROKEN)?, full);
    if groups > lossless::GROUPS_BYTES_MAX {
        return Err(TOO_MANY_CODES);
    }
    // Planes of 4:2:0, the pixels, for alpha a lossless image of its own, for an animation a canvas and a frame. Where the
    // planes are reduced, they are half of it, and what becomes of them the other half at most.
    let pixel_bytes = match (
        decoder.is_animated(),
        decoder.has_alpha(),
        decoder.is_lossy(),
    ) {
        (true, ..) => 16,
        (false, true, true) => 12,
        (false, _, false) => 8,
        (false, false, true) if shrink::factor(full, edge) > 1 => 3,
        (false, false, true) => 5,
    };
    // The data of a lossy frame is copied in parts; the last of them is read into a list that grows, and copied again.
    let copies = if decoder.is_lossy() {
        3 * bytes.len() as u64
    } else {
        0
    };
    Ok(HeaderProbe {
        full,
        memory_bytes: full.pixels() * pixel_bytes
            + copies
            + groups
            + TABLES_BYTES_MAX
            + shrink::memory_bytes(full, 4, edge),
    })
}

pub(super) fn decode(bytes: &[u8], edge: u32) -> Result<DecodedImage, RenderFailure> {
    let (mut decoder, full) = open(bytes)?;
    let (raster, reduced_by) = match reduced_planes(&mut decoder, full, edge)? {
        Some(reduced) => reduced,
        None => whole(&mut decoder, full, edge)?,
    };
    let (icc, exif) = guarded(|| {
        // What is larger is left aside.
        decoder.set_memory_limit(ICC_BYTES_MAX);
        let icc = decoder.icc_profile().ok().flatten();
        decoder.set_memory_limit(EXIF_BYTES_MAX);
        Ok((icc, decoder.exif_metadata().ok().flatten()))
    })?;
    Ok(DecodedImage {
        raster,
        reduced_by,
        full,
        icc,
        orientation: exif.map_or_else(Orientation::default, |exif| Orientation::from_exif(&exif)),
    })
}

/// A lossy picture without alpha that is to be reduced: reduced, and by how much. None where it is none of that.
fn reduced_planes(
    decoder: &mut Source<'_>,
    full: Size,
    edge: u32,
) -> Result<Option<(Raster, u32)>, RenderFailure> {
    let Some(factor) = planes::even_factor(shrink::factor(full, edge)) else {
        return Ok(None);
    };
    let planes = guarded(|| decoder.read_yuv420().map_err(|_| BROKEN))?;
    Ok(planes.map(|planes| (planes::reduced(&planes, full, factor), factor)))
}

/// Any other picture, decoded whole.
fn whole(decoder: &mut Source<'_>, full: Size, edge: u32) -> Result<(Raster, u32), RenderFailure> {
    let channels = if decoder.has_alpha() {
        Channels::Rgba
    } else {
        Channels::Rgb
    };
    if shrink::factor(full, edge) > 1 {
        // Chroma is as good as before where squares of pixels become their mean.
        decoder.set_lossy_upsampling(UpsamplingMethod::Simple);
    }
    let size = decoder.output_buffer_size().ok_or(BROKEN)?;
    let mut pixels = vec![0; size];
    guarded(|| decoder.read_image(&mut pixels).map_err(|_| BROKEN))?;
    let mut shrinker = RowShrinker::new(full, channels, edge);
    pixels
        .chunks_exact(full.width as usize * channels.count())
        .for_each(|row| shrinker.push(row));
    let factor = shrinker.factor();
    Ok((shrinker.finish(), factor))
}
