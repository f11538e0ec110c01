//! Small images of every format, made here.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use tiff::{
    encoder::{Compression, TiffEncoder, colortype},
    tags::Predictor,
};

pub(crate) const WIDTH: u16 = 100;
pub(crate) const HEIGHT: u16 = 70;

/// Gradients, so that a picture that lies wrongly is seen.
pub(crate) fn rgb() -> Vec<u8> {
    let pixel = |x: u16, y: u16| {
        let byte = |value: u16| u8::try_from(value).unwrap();
        [byte(x * 2), byte(y * 3), byte(x + y)]
    };
    (0..HEIGHT)
        .flat_map(|y| (0..WIDTH).flat_map(move |x| pixel(x, y)))
        .collect()
}

pub(crate) fn rgba() -> Vec<u8> {
    let (pixels, _) = rgb().as_chunks::<3>().0.to_vec().into_iter().fold(
        (Vec::new(), 0_usize),
        |(mut all, at), [r, g, b]| {
            all.extend([r, g, b, if at % 7 == 0 { 0 } else { 255 }]);
            (all, at + 1)
        },
    );
    pixels
}

pub(crate) fn jpeg(is_progressive: bool, sampling: SamplingFactor) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 90);
    encoder.set_progressive(is_progressive);
    encoder.set_sampling_factor(sampling);
    encoder
        .encode(&rgb(), WIDTH, HEIGHT, ColorType::Rgb)
        .unwrap();
    file
}

pub(crate) fn jpeg_in_cmyk() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 90);
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    encoder
        .encode(&rgba(), WIDTH, HEIGHT, ColorType::CmykAsYcck)
        .unwrap();
    file
}

pub(crate) fn png(is_grey: bool) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, WIDTH.into(), HEIGHT.into());
    let data: Vec<u8> = if is_grey {
        // 16 bits: two bytes a sample.
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Sixteen);
        rgb()
            .chunks_exact(3)
            .flat_map(|pixel| [pixel[0], pixel[1]])
            .collect()
    } else {
        encoder.set_color(png::ColorType::Rgba);
        rgba()
    };
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&data).unwrap();
    writer.finish().unwrap();
    file
}

pub(crate) fn webp(is_lossless: bool) -> Vec<u8> {
    let pixels = rgba();
    let encoder = webp::Encoder::from_rgba(&pixels, WIDTH.into(), HEIGHT.into());
    if is_lossless {
        encoder.encode_lossless().to_vec()
    } else {
        encoder.encode(80.0).to_vec()
    }
}

pub(crate) fn gif() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = gif::Encoder::new(&mut file, WIDTH, HEIGHT, &[]).unwrap();
    for _ in 0..3 {
        let frame = gif::Frame::from_rgb(WIDTH, HEIGHT, &rgb());
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    file
}

pub(crate) fn tiff(compression: Compression) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let predictor = match compression {
        Compression::Lzw => Predictor::Horizontal,
        _ => Predictor::None,
    };
    let mut encoder = TiffEncoder::new(&mut file)
        .unwrap()
        .with_compression(compression)
        .with_predictor(predictor);
    encoder
        .write_image::<colortype::RGB8>(WIDTH.into(), HEIGHT.into(), &rgb())
        .unwrap();
    file.into_inner()
}

/// All of them, by name.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("jpeg", jpeg(false, SamplingFactor::F_2_2)),
        ("jpeg 4:4:4", jpeg(false, SamplingFactor::F_1_1)),
        ("progressive jpeg", jpeg(true, SamplingFactor::F_2_2)),
        ("jpeg in cmyk", jpeg_in_cmyk()),
        ("png", png(false)),
        ("grey png of 16 bits", png(true)),
        ("lossy webp", webp(false)),
        ("lossless webp", webp(true)),
        ("gif", gif()),
        ("tiff", tiff(Compression::Uncompressed)),
        ("tiff with lzw", tiff(Compression::Lzw)),
        (
            "tiff with deflate",
            tiff(Compression::Deflate(Default::default())),
        ),
    ]
}
