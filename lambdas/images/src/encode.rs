//! Pixels become a file, with nothing in it but them.

use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, SamplingFactor};

use crate::{
    failure::RenderFailure,
    raster::{Channels, Raster},
};

/// A file format that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileFormat {
    Jpeg,
    Png,
    WebP,
}

impl FileFormat {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
        }
    }

    /// The file. The pixels are grey or RGB, with or without alpha.
    pub(crate) fn encode(self, raster: Raster, quality: u8) -> Result<Vec<u8>, RenderFailure> {
        match self {
            Self::Jpeg => jpeg(raster, quality),
            Self::Png => png(&raster).ok(),
            Self::WebP => webp(raster, quality),
        }
        .ok_or(RenderFailure::Unreadable("the rendition cannot be encoded"))
    }
}

/// 4:2:0 at every quality, as sharp does, and Huffman tables of its own, which cost little and save a tenth.
fn jpeg(raster: Raster, quality: u8) -> Option<Vec<u8>> {
    let raster = on_white(raster);
    let colour = if raster.channels == Channels::Grey {
        ColorType::Luma
    } else {
        ColorType::Rgb
    };
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    encoder.set_optimized_huffman_tables(true);
    let (width, height) = (
        raster.width.try_into().ok()?,
        raster.height.try_into().ok()?,
    );
    encoder.encode(&raster.data, width, height, colour).ok()?;
    Some(file)
}

fn png(raster: &Raster) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, raster.width, raster.height);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_color(match raster.channels {
        Channels::Grey => png::ColorType::Grayscale,
        Channels::GreyAlpha => png::ColorType::GrayscaleAlpha,
        Channels::Rgb => png::ColorType::Rgb,
        Channels::Rgba | Channels::Cmyk => png::ColorType::Rgba,
    });
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&raster.data)?;
    writer.finish()?;
    Ok(file)
}

fn webp(raster: Raster, quality: u8) -> Option<Vec<u8>> {
    let raster = in_colour(raster);
    let encoder = if raster.channels == Channels::Rgba {
        webp::Encoder::from_rgba(&raster.data, raster.width, raster.height)
    } else {
        webp::Encoder::from_rgb(&raster.data, raster.width, raster.height)
    };
    let encoded = encoder.encode_simple(false, f32::from(quality)).ok()?;
    Some(encoded.to_vec())
}

/// Without alpha: what is transparent lies on white.
fn on_white(raster: Raster) -> Raster {
    let channels = match raster.channels {
        Channels::GreyAlpha => Channels::Grey,
        Channels::Rgba => Channels::Rgb,
        Channels::Grey | Channels::Rgb | Channels::Cmyk => return raster,
    };
    let mut data = Vec::with_capacity(raster.data.len());
    for pixel in raster.data.chunks_exact(raster.channels.count()) {
        if let [colours @ .., alpha] = pixel {
            let alpha = u32::from(*alpha);
            data.extend(colours.iter().map(|colour| {
                let mixed = (u32::from(*colour) * alpha + 255 * (255 - alpha) + 127) / 255;
                u8::try_from(mixed).unwrap_or(u8::MAX)
            }));
        }
    }
    Raster {
        channels,
        data,
        ..raster
    }
}

/// Grey as RGB, since WebP knows no grey.
fn in_colour(raster: Raster) -> Raster {
    let (channels, data) = match raster.channels {
        Channels::Grey => (
            Channels::Rgb,
            raster.data.iter().flat_map(|grey| [*grey; 3]).collect(),
        ),
        Channels::GreyAlpha => {
            let (pixels, _) = raster.data.as_chunks::<2>();
            let data = pixels.iter().flat_map(|&[g, a]| [g, g, g, a]).collect();
            (Channels::Rgba, data)
        }
        Channels::Rgb | Channels::Rgba | Channels::Cmyk => return raster,
    };
    Raster {
        channels,
        data,
        ..raster
    }
}
