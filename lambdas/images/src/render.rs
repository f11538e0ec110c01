//! From the bytes of an object to its rendition.

use crate::{
    colour, decode,
    decoded::DecodedImage,
    encode::FileFormat,
    failure::RenderFailure,
    format::ImageFormat,
    options::{RenderLimits, RenderOptions, RenditionFormat},
    raster::Size,
    resize::resize,
};

/// A smaller picture of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendition {
    /// The file: pixels in sRGB, and no metadata.
    pub bytes: Vec<u8>,
    /// Its content type.
    pub content_type: &'static str,
    /// The width that people see, in pixels.
    pub width: u32,
    /// The height that people see, in pixels.
    pub height: u32,
}

/// What an image will take, from its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageHeader {
    /// Its format.
    pub format: ImageFormat,
    /// The width as it is stored, in pixels.
    pub width: u32,
    /// The height as it is stored, in pixels.
    pub height: u32,
    /// The memory that rendering it takes at most, beside the object's bytes.
    pub memory_bytes: u64,
}

impl ImageHeader {
    /// Reads a header, and decodes nothing. So that a caller knows how many images it can hold at once.
    pub fn read(bytes: &[u8], options: &RenderOptions) -> Result<Self, RenderFailure> {
        /// Raster, colours, orientation and file of a rendition, and the encoders' tables; at most, for each of its pixels.
        const RENDITION_PIXEL_BYTES: u64 = 32;
        const FIXED_BYTES: u64 = 4 << 20;

        let format = ImageFormat::of(bytes)?;
        let edge = options.longest_edge_px();
        let probe = decode::probe(bytes, format, edge)?;
        let target = probe.full.within(edge);
        // Lanczos holds the rows of the reduced raster at the rendition's width, and with alpha a copy of the raster.
        let resizing = u64::from(edge) * 4 * u64::from(target.longest_edge()) * 4;
        Ok(Self {
            format,
            width: probe.full.width,
            height: probe.full.height,
            memory_bytes: probe.memory_bytes
                + resizing
                + target.pixels() * RENDITION_PIXEL_BYTES
                + FIXED_BYTES,
        })
    }

    fn check(&self, limits: &RenderLimits) -> Result<(), RenderFailure> {
        let full = Size {
            width: self.width,
            height: self.height,
        };
        if full.pixels() > limits.pixels_max {
            let reason = "the image has more pixels than pixels_max allows";
            return Err(RenderFailure::TooLarge(reason));
        }
        if self.memory_bytes > limits.memory_bytes_max {
            let reason = "decoding the image takes more memory than one image may have";
            return Err(RenderFailure::TooLarge(reason));
        }
        Ok(())
    }
}

/// Renders an image: never larger than it is, its proportion kept, upright, in sRGB, and without the metadata of people.
pub fn render(
    bytes: &[u8],
    options: &RenderOptions,
    limits: &RenderLimits,
) -> Result<Rendition, RenderFailure> {
    let header = ImageHeader::read(bytes, options)?;
    header.check(limits)?;
    let edge = options.longest_edge_px();
    let image = decode::decode(bytes, header.format, edge, limits)?;
    let format = file_format(options.format(), header.format, &image);
    let target = image.full.within(edge);
    let resized = resize(&image, target)?;
    let DecodedImage {
        icc, orientation, ..
    } = image;
    let upright = orientation.apply(colour::to_srgb(resized, icc.as_deref()));
    let (width, height) = (upright.width, upright.height);
    Ok(Rendition {
        bytes: format.encode(upright, options.quality())?,
        content_type: format.content_type(),
        width,
        height,
    })
}

fn file_format(wanted: RenditionFormat, found: ImageFormat, image: &DecodedImage) -> FileFormat {
    match (wanted, found) {
        (RenditionFormat::Jpeg, _) | (RenditionFormat::Same, ImageFormat::Jpeg) => FileFormat::Jpeg,
        (RenditionFormat::WebP, _) | (RenditionFormat::Same, ImageFormat::WebP) => FileFormat::WebP,
        (RenditionFormat::Same, ImageFormat::Tiff) if !image.raster.channels.has_alpha() => {
            FileFormat::Jpeg
        }
        (RenditionFormat::Png, _)
        | (RenditionFormat::Same, ImageFormat::Png | ImageFormat::Gif | ImageFormat::Tiff) => {
            FileFormat::Png
        }
    }
}
