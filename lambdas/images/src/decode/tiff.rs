//! The first image of a TIFF, whole.

use std::io::Cursor;

use tiff::{
    ColorType,
    decoder::{BufferLayoutPreference, Decoder, DecodingResult, Limits},
    tags::Tag,
};

use super::Probe;
use crate::{
    failure::RenderFailure,
    options::RenderLimits,
    orientation::Orientation,
    raster::{Channels, DecodedImage, Size},
    shrink::{self, RowShrinker},
};

const BROKEN: RenderFailure = RenderFailure::Unreadable("the TIFF file is broken or cut off");
const UNSUPPORTED: RenderFailure =
    RenderFailure::Unreadable("TIFF with these samples is not supported");

/// Of one value in the directory, such as a colour profile.
const VALUE_BYTES_MAX: usize = 8 << 20;

type Source<'a> = Decoder<Cursor<&'a [u8]>>;

fn open(bytes: &[u8]) -> Result<(Source<'_>, Size), RenderFailure> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(|_| BROKEN)?;
    let (width, height) = decoder.dimensions().map_err(|_| BROKEN)?;
    Ok((decoder, Size { width, height }))
}

/// What the bytes of a sample row are.
#[derive(Clone, Copy)]
struct Samples {
    channels: Channels,
    /// Indices into the palette, which become RGB.
    is_palette: bool,
    bits: u8,
    /// Samples stored for each pixel.
    stored: usize,
}

impl Samples {
    fn of(colour: ColorType) -> Result<Self, RenderFailure> {
        let (channels, is_palette, stored, bits) = match colour {
            ColorType::Gray(bits @ (1 | 2 | 4 | 8 | 16)) => (Channels::Grey, false, 1, bits),
            ColorType::GrayA(bits @ (8 | 16)) => (Channels::GreyAlpha, false, 2, bits),
            ColorType::RGB(bits @ (8 | 16)) => (Channels::Rgb, false, 3, bits),
            ColorType::RGBA(bits @ (8 | 16)) => (Channels::Rgba, false, 4, bits),
            ColorType::CMYK(bits @ (8 | 16)) => (Channels::Cmyk, false, 4, bits),
            ColorType::CMYKA(bits @ (8 | 16)) => (Channels::Cmyk, false, 5, bits),
            ColorType::Palette(bits @ (1 | 2 | 4 | 8)) => (Channels::Rgb, true, 1, bits),
            _ => return Err(UNSUPPORTED),
        };
        Ok(Self {
            channels,
            is_palette,
            bits,
            stored,
        })
    }
}

pub(super) fn probe(bytes: &[u8], edge: u32) -> Result<Probe, RenderFailure> {
    let (mut decoder, full) = open(bytes)?;
    let samples = Samples::of(decoder.colortype().map_err(|_| BROKEN)?)?;
    let sample_bytes = samples.stored as u64 * u64::from(samples.bits.max(8) / 8);
    Ok(Probe {
        full,
        // The samples, and as much again for a strip or tile that is as large as the image.
        memory_bytes: full.pixels() * sample_bytes * 2
            + 2 * VALUE_BYTES_MAX as u64
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
    let samples = Samples::of(decoder.colortype().map_err(|_| BROKEN)?)?;
    let orientation = decoder.find_tag_unsigned(Tag::Orientation).ok().flatten();
    let icc = decoder.get_tag_u8_vec(Tag::IccProfile).ok();
    let palette = if samples.is_palette {
        decoder.get_tag_u16_vec(Tag::ColorMap).map_err(|_| BROKEN)?
    } else {
        Vec::new()
    };
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
        .map_err(|_| BROKEN)?;
    let rows = Rows::new(full, samples, &layout)?;
    let mut shrinker = RowShrinker::new(full, samples.channels, edge);
    let mut row = Vec::new();
    for y in 0..full.height as usize {
        row.clear();
        match &read {
            DecodingResult::U8(all) => rows.bytes(all, y, &palette, &mut row)?,
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
struct Rows {
    samples: Samples,
    width: usize,
    /// Samples, or bytes of packed samples, in a row of a plane.
    row: usize,
    /// The distance from one plane to the next, where each channel has a plane of its own.
    plane: Option<usize>,
}

impl Rows {
    fn new(
        full: Size,
        samples: Samples,
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

    fn bytes(
        &self,
        all: &[u8],
        y: usize,
        palette: &[u16],
        row: &mut Vec<u8>,
    ) -> Result<(), RenderFailure> {
        let stored = all.get(y * self.row..(y + 1) * self.row).ok_or(BROKEN)?;
        let channels = self.samples.channels.count();
        if self.samples.bits < 8 || self.samples.is_palette {
            let bits = self.samples.bits;
            let indices = (0..self.width).map(|x| unpack(stored, x, bits));
            if self.samples.is_palette {
                indices.for_each(|index| row.extend(colour(palette, index, bits)));
            } else {
                let scale = 255 / ((1_u16 << bits) - 1);
                row.extend(
                    indices.map(|grey| u8::try_from(u16::from(grey) * scale).unwrap_or(255)),
                );
            }
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

/// A sample of 1, 2, 4 or 8 bits.
fn unpack(row: &[u8], x: usize, bits: u8) -> u8 {
    let bits = usize::from(bits);
    let byte = row[x * bits / 8];
    let shift = 8 - bits - x * bits % 8;
    if bits == 8 {
        byte
    } else {
        (byte >> shift) & ((1 << bits) - 1)
    }
}

/// All reds come first, then all greens. Some programs wrote 8 bits where 16 are meant; libtiff guesses that, this does not.
fn colour(palette: &[u16], index: u8, bits: u8) -> [u8; 3] {
    let count = 1_usize << bits;
    [0, 1, 2].map(|channel| {
        palette
            .get(channel * count + usize::from(index))
            .map_or(0, |value| value.to_be_bytes()[0])
    })
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
