//! The first image of a TIFF, whole.

use std::io::Cursor;

use tiff::{
    ColorType, TiffError,
    decoder::{BufferLayoutPreference, Decoder, DecodingResult, Limits},
    tags::Tag,
};

use super::HeaderProbe;
use crate::{
    decoded::DecodedImage,
    failure::RenderFailure,
    options::RenderLimits,
    orientation::Orientation,
    raster::{Channels, Size},
    shrink::{self, RowShrinker},
};

const BROKEN: RenderFailure = RenderFailure::Unreadable("the TIFF file is broken or cut off");
const UNSUPPORTED: RenderFailure =
    RenderFailure::Unreadable("TIFF with these samples or this compression is not supported");

fn failure(error: &TiffError) -> RenderFailure {
    match error {
        TiffError::UnsupportedError(_) => UNSUPPORTED,
        _ => BROKEN,
    }
}

/// Of one value in the directory, such as a colour profile.
const VALUE_BYTES_MAX: usize = 8 << 20;

type Source<'a> = Decoder<Cursor<&'a [u8]>>;

/// How many values the first directory has, of those that the decoder reads at once and holds in 32 bytes each. It believes
/// what the directory says, so this refuses values that the file has no room for.
fn directory_values(bytes: &[u8]) -> Result<u64, RenderFailure> {
    let is_little = bytes.first() == Some(&b'I');
    let number = |at: u64, length: usize| -> Result<u64, RenderFailure> {
        let at = usize::try_from(at).map_err(|_| BROKEN)?;
        let stored = bytes.get(at..).and_then(|rest| rest.get(..length));
        let stored = stored.ok_or(BROKEN)?;
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        Ok(if is_little {
            stored.iter().rev().fold(0, add)
        } else {
            stored.iter().fold(0, add)
        })
    };
    // BigTIFF has wider offsets and counts.
    let is_big = number(2, 2)? == 43;
    let (offset_at, offset_bytes, count_bytes, entry_bytes) =
        if is_big { (8, 8, 8, 20) } else { (4, 4, 2, 12) };
    let start = number(offset_at, offset_bytes)?;
    let entries = number(start, count_bytes)?;
    let file_bytes = bytes.len() as u64;
    if start > file_bytes || entries > file_bytes {
        return Err(BROKEN);
    }
    let mut values = 0;
    for index in 0..entries {
        let entry = start + count_bytes as u64 + index * entry_bytes;
        let count = number(entry + 4, offset_bytes)?;
        let (value_bytes, is_held) = match number(entry + 2, 2)? {
            1 | 2 | 6 | 7 => (1, false),
            3 | 8 => (2, true),
            5 | 10 | 12 | 16 | 17 | 18 => (8, true),
            _ => (4, true),
        };
        if count > file_bytes / value_bytes {
            return Err(BROKEN);
        }
        values += if is_held { count } else { 0 };
    }
    Ok(values)
}

fn open(bytes: &[u8]) -> Result<(Source<'_>, Size), RenderFailure> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(|error| failure(&error))?;
    let (width, height) = decoder.dimensions().map_err(|_| BROKEN)?;
    Ok((decoder, Size { width, height }))
}

/// What the bytes of a sample row are.
#[derive(Clone, Copy)]
struct TiffSamples {
    channels: Channels,
    bits: u8,
    /// TiffSamples stored for each pixel.
    stored: usize,
}

impl TiffSamples {
    fn of(colour: ColorType) -> Result<Self, RenderFailure> {
        let (channels, stored, bits) = match colour {
            ColorType::Gray(bits @ (1 | 2 | 4 | 8 | 16)) => (Channels::Grey, 1, bits),
            ColorType::GrayA(bits @ (8 | 16)) => (Channels::GreyAlpha, 2, bits),
            ColorType::RGB(bits @ (8 | 16)) => (Channels::Rgb, 3, bits),
            ColorType::RGBA(bits @ (8 | 16)) => (Channels::Rgba, 4, bits),
            ColorType::CMYK(bits @ (8 | 16)) => (Channels::Cmyk, 4, bits),
            ColorType::CMYKA(bits @ (8 | 16)) => (Channels::Cmyk, 5, bits),
            _ => return Err(UNSUPPORTED),
        };
        Ok(Self {
            channels,
            bits,
            stored,
        })
    }
}

pub(super) fn probe(bytes: &[u8], edge: u32) -> Result<HeaderProbe, RenderFailure> {
    let values = directory_values(bytes)?;
    let (mut decoder, full) = open(bytes)?;
    let samples = TiffSamples::of(decoder.colortype().map_err(|error| failure(&error))?)?;
    let sample_bytes = samples.stored as u64 * u64::from(samples.bits.max(8) / 8);
    Ok(HeaderProbe {
        full,
        // The samples, and as much again for a strip or tile that is as large as the image.
        memory_bytes: full.pixels() * sample_bytes * 2
            + 2 * VALUE_BYTES_MAX as u64
            + values * 2 * 32
            + shrink::memory_bytes(full, 4, edge),
    })
}

pub(super) fn decode(
    bytes: &[u8],
    edge: u32,
    limits: &RenderLimits,
) -> Result<DecodedImage, RenderFailure> {
    let (decoder, full) = open(bytes)?;
    let mut allowed = Limits::default();
    let samples_max = usize::try_from(limits.memory_bytes_max / 2).map_err(|_| BROKEN)?;
    allowed.decoding_buffer_size = samples_max;
    allowed.intermediate_buffer_size = samples_max;
    allowed.ifd_value_size = VALUE_BYTES_MAX;
    let mut decoder = decoder.with_limits(allowed);
    let samples = TiffSamples::of(decoder.colortype().map_err(|error| failure(&error))?)?;
    let orientation = decoder.find_tag_unsigned(Tag::Orientation).ok().flatten();
    // Bits from the lowest to the highest, which the decoder does not turn.
    if decoder.find_tag_unsigned(Tag::FillOrder).ok().flatten() == Some(2_u16) {
        return Err(UNSUPPORTED);
    }
    let icc = decoder.get_tag_u8_vec(Tag::IccProfile).ok();
    // 1: the colours were multiplied by the alpha.
    let extra: Option<Vec<u16>> = decoder
        .find_tag_unsigned_vec(Tag::ExtraSamples)
        .ok()
        .flatten();
    let is_premultiplied =
        samples.channels.has_alpha() && extra.is_some_and(|extra| extra.first() == Some(&1));

    let mut read = DecodingResult::U8(Vec::new());
    let layout = decoder
        .read_image_to_buffer(&mut read)
        .map_err(|error| failure(&error))?;
    let rows = TiffRows::new(full, samples, &layout)?;
    let mut shrinker = RowShrinker::new(full, samples.channels, edge);
    let mut row = Vec::new();
    for y in 0..full.height as usize {
        row.clear();
        match &read {
            DecodingResult::U8(all) => rows.bytes(all, y, &mut row)?,
            DecodingResult::U16(all) => rows.words(all, y, &mut row)?,
            _ => return Err(UNSUPPORTED),
        }
        if is_premultiplied {
            divide_by_alpha(&mut row, samples.channels.count());
        }
        shrinker.push(&row);
    }
    Ok(DecodedImage {
        reduced_by: shrinker.factor(),
        raster: shrinker.finish(),
        full,
        icc,
        orientation: orientation.map_or_else(Orientation::default, Orientation::from_tag),
    })
}

/// How the rows of an image lie in what was read.
struct TiffRows {
    samples: TiffSamples,
    width: usize,
    /// TiffSamples, or bytes of packed samples, in a row of a plane.
    row: usize,
    /// The distance from one plane to the next, where each channel has a plane of its own.
    plane: Option<usize>,
}

impl TiffRows {
    fn new(
        full: Size,
        samples: TiffSamples,
        layout: &BufferLayoutPreference,
    ) -> Result<Self, RenderFailure> {
        let width = full.width as usize;
        let is_planar = layout.planes > 1;
        let in_row = width * if is_planar { 1 } else { samples.stored };
        let row = if samples.bits < 8 {
            (in_row * usize::from(samples.bits)).div_ceil(8)
        } else {
            in_row
        };
        let plane = row * full.height as usize;
        let sample_bytes = usize::from(samples.bits.max(8) / 8);
        let planes = if is_planar { samples.stored } else { 1 };
        if layout.complete_len != plane * planes * sample_bytes {
            return Err(UNSUPPORTED);
        }
        Ok(Self {
            samples,
            width,
            row,
            plane: is_planar.then_some(plane),
        })
    }

    /// Where the sample of a pixel lies.
    fn at(&self, x: usize, y: usize, channel: usize) -> usize {
        match self.plane {
            Some(plane) => channel * plane + y * self.row + x,
            None => y * self.row + x * self.samples.stored + channel,
        }
    }

    fn bytes(&self, all: &[u8], y: usize, row: &mut Vec<u8>) -> Result<(), RenderFailure> {
        let stored = all.get(y * self.row..(y + 1) * self.row).ok_or(BROKEN)?;
        let channels = self.samples.channels.count();
        if self.samples.bits < 8 {
            row.extend((0..self.width).map(|x| unpack(stored, x, self.samples.bits)));
        } else if self.plane.is_none() && self.samples.stored == channels {
            row.extend_from_slice(stored);
        } else {
            for x in 0..self.width {
                for channel in 0..channels {
                    row.push(*all.get(self.at(x, y, channel)).ok_or(BROKEN)?);
                }
            }
        }
        Ok(())
    }

    /// Of 16 bits the upper 8, as libvips does.
    fn words(&self, all: &[u16], y: usize, row: &mut Vec<u8>) -> Result<(), RenderFailure> {
        for x in 0..self.width {
            for channel in 0..self.samples.channels.count() {
                row.push(all.get(self.at(x, y, channel)).ok_or(BROKEN)?.to_be_bytes()[0]);
            }
        }
        Ok(())
    }
}

/// A grey of 1, 2 or 4 bits, as one of 8.
fn unpack(row: &[u8], x: usize, bits: u8) -> u8 {
    let bits = usize::from(bits);
    let mask = (1_u8 << bits) - 1;
    let sample = (row[x * bits / 8] >> (8 - bits - x * bits % 8)) & mask;
    sample * (u8::MAX / mask)
}

fn divide_by_alpha(row: &mut [u8], channels: usize) {
    for pixel in row.chunks_exact_mut(channels) {
        if let [colours @ .., alpha] = pixel
            && *alpha > 0
        {
            for colour in colours {
                let divided =
                    (u32::from(*colour) * 255 + u32::from(*alpha) / 2) / u32::from(*alpha);
                *colour = u8::try_from(divided).unwrap_or(u8::MAX);
            }
        }
    }
}
