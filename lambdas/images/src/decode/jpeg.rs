//! JPEG, reduced while it is decoded: of each block of 8 x 8 pixels only as many are computed as the rendition can show.

use jpeg_decoder::{Decoder, ImageInfo, PixelFormat};

use super::{HeaderProbe, jpeg_segments::JpegSegments};
use crate::{
    decoded::DecodedImage,
    failure::RenderFailure,
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
/// the planes, the raster, and a copy of the file's head or of all of it.
fn memory_bytes(segments: &JpegSegments, file_bytes: usize, edge: u32) -> u64 {
    let scale = scale(segments.full, edge);
    let (h_max, v_max) = segments
        .sampling
        .iter()
        .fold((1, 1), |max, (h, v)| (max.0.max(*h), max.1.max(*v)));
    let units = u64::from(segments.full.width.div_ceil(8 * u32::from(h_max)))
        * u64::from(segments.full.height.div_ceil(8 * u32::from(v_max)));
    let blocks: u64 = segments
        .sampling
        .iter()
        .map(|(h, v)| units * u64::from(*h) * u64::from(*v))
        .sum();
    let planes = blocks * 64 / u64::from(scale * scale);
    let raster = segments.full.reduced(scale).pixels() * segments.sampling.len() as u64;
    blocks * 128 + planes + 2 * raster + 2 * file_bytes as u64
}

pub(super) fn decode(bytes: &[u8], edge: u32) -> Result<DecodedImage, RenderFailure> {
    let segments = JpegSegments::read(bytes)?;
    let scale = scale(segments.full, edge);
    // At an eighth, a block is one pixel, its mean. The scans of a progressive file that hold the rest are left out: nothing
    // of them would be seen, and they are most of the work.
    let shortened = (scale == 8 && segments.is_progressive).then(|| without(bytes, &segments));
    let file = shortened.as_deref().unwrap_or(&bytes[..segments.end]);

    let mut decoder = Decoder::new(file);
    let reduced = segments.full.reduced(scale);
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
    Ok(DecodedImage {
        raster: raster(info, data, reduced, segments.has_adobe_marker)?,
        full: segments.full,
        reduced_by: scale,
        icc: decoder.icc_profile(),
        orientation: decoder
            .exif_data()
            .map_or_else(Orientation::default, Orientation::from_exif),
    })
}

/// The file without its details.
fn without(bytes: &[u8], segments: &JpegSegments) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut at = 0;
    for detail in &segments.details {
        kept.extend_from_slice(&bytes[at..detail.start]);
        at = detail.end;
    }
    kept.extend_from_slice(&bytes[at..segments.end]);
    kept
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
