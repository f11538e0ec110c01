//! From the reduced raster to the size of the rendition, by Lanczos.

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};

use crate::{
    decoded::DecodedImage,
    failure::RenderFailure,
    raster::{Channels, Raster, Size},
};

/// Resizes, in the values as they are stored, which is not linear in light: as sharp and Pillow do, and as people know it.
/// Colours are multiplied by their alpha meanwhile.
pub(crate) fn resize(image: &DecodedImage, target: Size) -> Result<Raster, RenderFailure> {
    const FAILED: RenderFailure = RenderFailure::Unreadable("the image cannot be resized");
    let raster = &image.raster;
    let channels = raster.channels;
    let pixels = match channels {
        Channels::Grey => PixelType::U8,
        Channels::GreyAlpha => PixelType::U8x2,
        Channels::Rgb => PixelType::U8x3,
        Channels::Rgba | Channels::Cmyk => PixelType::U8x4,
    };
    let source =
        ImageRef::new(raster.width, raster.height, &raster.data, pixels).map_err(|_| FAILED)?;
    let mut resized = Image::new(target.width, target.height, pixels);
    // The last column and row of the raster may stand for less than a pixel.
    let part = |full: u32, length: u32| {
        (f64::from(full) / f64::from(image.reduced_by)).min(f64::from(length))
    };
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        .crop(
            0.0,
            0.0,
            part(image.full.width, raster.width),
            part(image.full.height, raster.height),
        )
        .use_alpha(channels.has_alpha());
    Resizer::new()
        .resize(&source, &mut resized, &options)
        .map_err(|_| FAILED)?;
    Ok(Raster {
        width: target.width,
        height: target.height,
        channels,
        data: resized.into_vec(),
    })
}
