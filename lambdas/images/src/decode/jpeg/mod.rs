//! JPEG, reduced while it is decoded: of each block of 8 x 8 pixels only as many are computed as the rendition can show.

mod huffman;
mod means;
mod scan_bits;
mod segments;

use jpeg_decoder::{Decoder, ImageInfo, PixelFormat};

use self::segments::{JpegComponent, JpegSegments};
use super::HeaderProbe;
use crate::{
    decoded::DecodedImage,
    failure::RenderFailure,
    guard::guarded,
    orientation::Orientation,
    raster::{Channels, Raster, Size},
};

const BROKEN: RenderFailure = RenderFailure::Unreadable("the JPEG data cannot be decoded");

/// By how much decoding reduces. To an eighth as soon as that is no smaller than the rendition, as sharp does: a block is then
/// its mean. To a half only where Lanczos has a factor of two left, since fewer coefficients are less than the mean of pixels;
/// a quarter lies between the two.
fn scale(full: Size, edge: u32) -> u32 {
    match full.longest_edge() / edge {
        8.. => 8,
        4..8 => 2,
        _ => 1,
    }
}

pub(super) fn probe(bytes: &[u8], edge: u32) -> Result<HeaderProbe, RenderFailure> {
    let segments = JpegSegments::read(bytes)?;
    Ok(HeaderProbe {
        full: segments.full,
        memory_bytes: memory_bytes(&segments, bytes.len(), edge),
    })
}

/// All coefficients at 2 bytes each, for a progressive file as for a queue between the decoder's threads that nobody empties;
/// the planes, the raster, the data of a scan, and the file without its details in a list that grows.
fn memory_bytes(segments: &JpegSegments, file_bytes: usize, edge: u32) -> u64 {
    let scale = scale(segments.full, edge);
    let in_unit: u32 = segments.components.iter().map(JpegComponent::blocks).sum();
    let blocks = u64::from(segments.units()) * u64::from(in_unit);
    let planes = blocks * 64 / u64::from(scale * scale);
    let raster = segments.full.reduced(scale).pixels() * segments.components.len() as u64;
    blocks * 128 + planes + 2 * raster + 5 * file_bytes as u64
}

pub(super) fn decode(bytes: &[u8], edge: u32) -> Result<DecodedImage, RenderFailure> {
    let segments = JpegSegments::read(bytes)?;
    let scale = scale(segments.full, edge);
    // At an eighth, a block is one pixel, its mean. The rest is left out: nothing of it would be seen, and it is most of the
    // work.
    let means = means::means_only(bytes, &segments)?.filter(|_| scale == 8);
    let file = means.as_deref().unwrap_or(&bytes[..segments.end]);

    let reduced = segments.full.reduced(scale);
    let decoded = guarded(|| JpegPixels::decode(file, scale, reduced))?;
    Ok(DecodedImage {
        raster: raster(
            decoded.info,
            decoded.data,
            reduced,
            segments.has_adobe_marker,
        )?,
        full: segments.full,
        reduced_by: scale,
        icc: decoded.icc,
        orientation: decoded
            .exif
            .map_or_else(Orientation::default, |exif| Orientation::from_exif(&exif)),
    })
}

/// What the decoder returns.
struct JpegPixels {
    data: Vec<u8>,
    info: ImageInfo,
    icc: Option<Vec<u8>>,
    exif: Option<Vec<u8>>,
}

impl JpegPixels {
    fn decode(file: &[u8], scale: u32, reduced: Size) -> Result<Self, RenderFailure> {
        let mut decoder = Decoder::new(file);
        if scale > 1 {
            // The decoder takes the smallest scale at which one edge is as long as asked. Of the shorter edge, which may be but
            // a few pixels, nothing is asked that a smaller scale could give.
            let edge = u16::try_from(reduced.longest_edge()).map_err(|_| BROKEN)?;
            let (width, height) = if reduced.width >= reduced.height {
                (edge, u16::MAX)
            } else {
                (u16::MAX, edge)
            };
            decoder.scale(width, height).map_err(|_| BROKEN)?;
        }
        let data = decoder.decode().map_err(|_| BROKEN)?;
        let info = decoder.info().ok_or(BROKEN)?;
        Ok(Self {
            data,
            info,
            icc: decoder.icc_profile(),
            exif: decoder.exif_data().map(<[u8]>::to_vec),
        })
    }
}

fn raster(
    info: ImageInfo,
    mut data: Vec<u8>,
    reduced: Size,
    has_adobe_marker: bool,
) -> Result<Raster, RenderFailure> {
    let channels = match info.pixel_format {
        PixelFormat::L8 => Channels::Grey,
        PixelFormat::RGB24 => Channels::Rgb,
        PixelFormat::CMYK32 => Channels::Cmyk,
        PixelFormat::L16 => return Err(BROKEN),
    };
    // The decoder takes all CMYK for Photoshop's, which is stored inverted.
    if channels == Channels::Cmyk && !has_adobe_marker {
        data.iter_mut().for_each(|ink| *ink = 255 - *ink);
    }
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    if (width, height) != (reduced.width, reduced.height)
        || data.len() != width as usize * height as usize * channels.count()
    {
        return Err(BROKEN);
    }
    Ok(Raster {
        width,
        height,
        channels,
        data,
    })
}
