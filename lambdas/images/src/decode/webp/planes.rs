//! A lossy picture that becomes smaller: its planes of 4:2:0 are reduced before they become colours, so that few pixels are
//! converted, and none is held in full size beside the planes.

use rusty_webp::Yuv420Frame;

use crate::{
    raster::{Channels, Raster, Size},
    shrink::RowShrinker,
};

/// The largest even factor that is no larger: squares of luma then lie on squares of chroma, which has half the size.
/// None where nothing is reduced.
pub(super) fn even_factor(factor: u32) -> Option<u32> {
    (factor > 1).then_some(factor - factor % 2)
}

/// The picture, each square of `factor` pixels as one. `factor` is even.
pub(super) fn reduced(planes: &Yuv420Frame, full: Size, factor: u32) -> Raster {
    let luma = plane(&planes.y, planes.y_stride, full, factor);
    let halves = full.reduced(2);
    let chroma = |samples| plane(samples, planes.uv_stride, halves, factor / 2);
    let (u, v) = (chroma(&planes.u), chroma(&planes.v));
    let mut data = Vec::with_capacity(3 * luma.data.len());
    for (&y, (&u, &v)) in luma.data.iter().zip(u.data.iter().zip(&v.data)) {
        data.extend(rgb(y.into(), u.into(), v.into()));
    }
    Raster {
        channels: Channels::Rgb,
        data,
        ..luma
    }
}

fn plane(samples: &[u8], stride: usize, size: Size, factor: u32) -> Raster {
    let mut shrinker = RowShrinker::by(factor, size, Channels::Grey);
    let rows = samples.chunks_exact(stride).take(size.height as usize);
    rows.for_each(|row| shrinker.push(&row[..size.width as usize]));
    shrinker.finish()
}

/// A colour of BT.601 with 16 to 235 as its range, as libwebp and the decoder compute it: in 1/64, from factors in 1/16,384.
fn rgb(y: i32, u: i32, v: i32) -> [u8; 3] {
    let part = |sample: i32, factor: i32| (sample * factor) >> 8;
    let luma = part(y, 19_077);
    [
        luma + part(v, 26_149) - 14_234,
        luma - part(u, 6_419) - part(v, 13_320) + 8_708,
        luma + part(u, 33_050) - 17_685,
    ]
    .map(|value| u8::try_from((value >> 6).clamp(0, 255)).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_of_luma_lie_on_squares_of_chroma() {
        let factors = [1, 2, 3, 4, 5, 63, 64].map(even_factor);
        let even = [None, Some(2), Some(2), Some(4), Some(4), Some(62), Some(64)];
        assert_eq!(factors, even);
    }

    #[test]
    fn black_white_and_the_primaries_are_those_of_the_standard() {
        for ((y, u, v), expected) in [
            ((16, 128, 128), [0, 0, 0]),
            ((235, 128, 128), [255, 255, 255]),
            ((126, 128, 128), [128, 128, 128]),
            ((81, 90, 240), [254, 0, 0]),
            ((145, 54, 34), [0, 255, 1]),
            ((41, 240, 110), [0, 0, 255]),
        ] {
            let found = rgb(y, u, v);
            let differs = found
                .iter()
                .zip(expected)
                .any(|(one, other): (&u8, u8)| one.abs_diff(other) > 1);
            assert!(!differs, "{found:?} instead of {expected:?}");
        }
    }

    #[test]
    fn padding_of_the_planes_is_left_out() {
        let planes = Yuv420Frame {
            width: 5,
            height: 3,
            y_stride: 16,
            uv_stride: 8,
            y: (0..16 * 16)
                .map(|at| if at % 16 < 5 && at / 16 < 3 { 126 } else { 235 })
                .collect(),
            u: vec![128; 64],
            v: vec![128; 64],
        };
        let full = Size {
            width: 5,
            height: 3,
        };
        let raster = reduced(&planes, full, 2);
        assert_eq!((raster.width, raster.height), (3, 2));
        assert!(raster.data.iter().all(|value| value.abs_diff(128) <= 1));
        assert_eq!(raster.data.len(), 18);
    }
}
