//! Every colour becomes sRGB, which is what a picture without a profile is taken for.

use moxcms::{ColorProfile, DataColorSpace, Layout, RenderingIntent, TransformOptions};

use crate::{
    failure::RenderFailure,
    guard::guarded,
    raster::{Channels, Raster},
};

/// Applies the profile that the image brings. One that is broken, or of another colour space, is left aside, as other tools
/// do: the picture is more than its profile. CMYK without one is converted by arithmetic.
pub(crate) fn to_srgb(raster: Raster, icc: Option<&[u8]>) -> Raster {
    let broken = RenderFailure::Unreadable("the colour profile cannot be applied");
    let converted = icc.and_then(|icc| guarded(|| by_profile(&raster, icc).ok_or(broken)).ok());
    match converted {
        Some(converted) => converted,
        None if raster.channels == Channels::Cmyk => by_arithmetic(&raster),
        None => raster,
    }
}

fn by_profile(raster: &Raster, icc: &[u8]) -> Option<Raster> {
    let profile = ColorProfile::new_from_slice(icc).ok()?;
    // CMYK is any four channels to the library.
    let (from, to, channels) = match (raster.channels, profile.color_space) {
        (Channels::Rgb, DataColorSpace::Rgb) => (Layout::Rgb, Layout::Rgb, Channels::Rgb),
        (Channels::Rgba, DataColorSpace::Rgb) => (Layout::Rgba, Layout::Rgba, Channels::Rgba),
        (Channels::Grey, DataColorSpace::Gray) => (Layout::Gray, Layout::Rgb, Channels::Rgb),
        (Channels::GreyAlpha, DataColorSpace::Gray) => {
            (Layout::GrayAlpha, Layout::Rgba, Channels::Rgba)
        }
        (Channels::Cmyk, DataColorSpace::Cmyk) => (Layout::Rgba, Layout::Rgb, Channels::Rgb),
        _ => return None,
    };
    let options = TransformOptions {
        rendering_intent: RenderingIntent::Perceptual,
        ..TransformOptions::default()
    };
    let transform = profile
        .create_transform_8bit(from, &ColorProfile::new_srgb(), to, options)
        .ok()?;
    let pixels = raster.width as usize * raster.height as usize;
    let mut data = vec![0; pixels * channels.count()];
    transform.transform(&raster.data, &mut data).ok()?;
    Some(Raster {
        channels,
        data,
        ..*raster
    })
}

fn by_arithmetic(raster: &Raster) -> Raster {
    let light = |ink: u8, black: u8| {
        let product = u16::from(255 - ink) * u16::from(255 - black);
        u8::try_from((product + 127) / 255).unwrap_or(u8::MAX)
    };
    let (pixels, _) = raster.data.as_chunks::<4>();
    let data = pixels
        .iter()
        .flat_map(|&[c, m, y, k]| [light(c, k), light(m, k), light(y, k)])
        .collect();
    Raster {
        channels: Channels::Rgb,
        data,
        ..*raster
    }
}
