//! Images that mean well, and files made to do harm, each with what must come of it.

use std::time::{Duration, Instant};

use jpeg_encoder::SamplingFactor;
use shardlift_images::{RenderFailure, RenderLimits, RenditionFormat};

use crate::{alone, measure, options, samples};

/// Every format to every format: its size, its type, and within the memory that the header announced.
#[test]
fn every_format_is_rendered_to_every_format() {
    let _alone = alone();
    let limits = RenderLimits::default();
    for (name, bytes) in samples::all() {
        for (format, mark) in [
            (RenditionFormat::Jpeg, &b"\xff\xd8\xff"[..]),
            (RenditionFormat::Png, b"\x89PNG"),
            (RenditionFormat::WebP, b"RIFF"),
        ] {
            for (edge, size) in [(20, (20, 14)), (64, (64, 45)), (256, (100, 70))] {
                let measured = measure(&bytes, &options(edge, format), &limits);
                measured.assert_bounded(&limits, name);
                let rendition = measured.outcome.expect(name);
                assert_eq!((rendition.width, rendition.height), size, "{name}");
                assert!(rendition.bytes.starts_with(mark), "{name}");
            }
        }
    }
}

#[test]
fn the_same_format_is_one_that_browsers_show() {
    let _alone = alone();
    for (name, bytes) in samples::all() {
        let measured = measure(
            &bytes,
            &options(32, RenditionFormat::Same),
            &RenderLimits::default(),
        );
        let expected = match name {
            "png" | "grey png of 16 bits" | "gif" => "image/png",
            "lossy webp" | "lossless webp" => "image/webp",
            _ => "image/jpeg",
        };
        assert_eq!(measured.outcome.unwrap().content_type, expected, "{name}");
    }
}

/// A PNG of these dimensions, whose pixels are all zero.
fn png_of_zeros(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().unwrap();
    let mut stream = writer.stream_writer().unwrap();
    let row = vec![0; width.div_ceil(8) as usize];
    for _ in 0..height {
        std::io::Write::write_all(&mut stream, &row).unwrap();
    }
    stream.finish().unwrap();
    drop(writer);
    file
}

/// The file with its dimensions replaced, and nothing else.
fn with_bytes(mut file: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    file[at..at + bytes.len()].copy_from_slice(bytes);
    file
}

fn jpeg_of_scans(count: usize) -> Vec<u8> {
    let file = samples::jpeg(true, SamplingFactor::F_2_2);
    let scan = file
        .windows(2)
        .position(|pair| pair == [0xff, 0xda])
        .unwrap();
    let next = scan
        + 2
        + file[scan + 2..]
            .windows(2)
            .position(|pair| pair == [0xff, 0xda])
            .unwrap();
    let mut bomb = file[..scan].to_vec();
    for _ in 0..count {
        bomb.extend_from_slice(&file[scan..next]);
    }
    bomb.extend_from_slice(&file[next..]);
    bomb
}

fn jpeg_with_exif(exif: &[u8]) -> Vec<u8> {
    let file = samples::jpeg(false, SamplingFactor::F_2_2);
    let payload = [b"Exif\0\0", exif].concat();
    let length = u16::try_from(payload.len() + 2).unwrap().to_be_bytes();
    [&file[..2], &[0xff, 0xe1], &length, &payload, &file[2..]].concat()
}

/// Directories that lead from one to the next and back, each with as many entries as fit.
fn exif_without_end() -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0".to_vec();
    exif.extend(4000_u16.to_le_bytes());
    for _ in 0..4000 {
        // An EXIF directory at the offset of this one.
        exif.extend([0x69, 0x87, 4, 0, 1, 0, 0, 0, 8, 0, 0, 0]);
    }
    exif.extend([8, 0, 0, 0]);
    exif
}

fn gif_with_frame(canvas: [u16; 2], frame: [u16; 2]) -> Vec<u8> {
    let mut file = b"GIF89a".to_vec();
    file.extend(canvas.iter().flat_map(|edge| edge.to_le_bytes()));
    file.extend([0x80, 0, 0, 0, 0, 0, 255, 255, 255]);
    file.extend([0x2c, 0, 0, 0, 0]);
    file.extend(frame.iter().flat_map(|edge| edge.to_le_bytes()));
    file.extend([0, 2, 2, 0x4c, 1, 0, 0x3b]);
    file
}

type Check = fn(&Result<shardlift_images::Rendition, RenderFailure>) -> bool;

fn is_rendered(outcome: &Result<shardlift_images::Rendition, RenderFailure>) -> bool {
    outcome.is_ok()
}

fn is_too_large(outcome: &Result<shardlift_images::Rendition, RenderFailure>) -> bool {
    matches!(outcome, Err(RenderFailure::TooLarge(_)))
}

fn is_unreadable(outcome: &Result<shardlift_images::Rendition, RenderFailure>) -> bool {
    matches!(outcome, Err(RenderFailure::Unreadable(_)))
}

fn is_no_image(outcome: &Result<shardlift_images::Rendition, RenderFailure>) -> bool {
    matches!(outcome, Err(RenderFailure::NotAnImage(_)))
}

type Case = (&'static str, Vec<u8>, Check);

fn no_images_and_false_sizes() -> Vec<Case> {
    let jpeg = samples::jpeg(false, SamplingFactor::F_2_2);
    let frame = jpeg
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    let huge_jpeg = with_bytes(jpeg.clone(), frame + 5, &[0xff, 0xff, 0xff, 0xff]);
    let large_jpeg = with_bytes(jpeg.clone(), frame + 5, &[0x30, 0, 0x30, 0]);
    vec![
        ("nothing", Vec::new(), is_no_image),
        ("text", b"{\"an\": \"object\"}".to_vec(), is_no_image),
        (
            "an archive with an image in it",
            [b"PK\x03\x04", &jpeg[..]].concat(),
            is_no_image,
        ),
        ("only a mark", b"\x89PNG\r\n\x1a\n".to_vec(), is_unreadable),
        (
            "60,000 x 60,000 zeros",
            png_of_zeros(60_000, 60_000),
            is_too_large,
        ),
        // Beyond the memory, were it held whole.
        (
            "15,000 x 15,000 zeros",
            png_of_zeros(15_000, 15_000),
            is_rendered,
        ),
        (
            "a line of 200 million pixels",
            png_of_zeros(200_000_000, 1),
            is_too_large,
        ),
        (
            "a column of 10 million pixels",
            png_of_zeros(1, 10_000_000),
            is_rendered,
        ),
        ("a JPEG that says 65,535 x 65,535", huge_jpeg, is_unreadable),
        (
            "a JPEG that says 12,288 x 12,288",
            large_jpeg,
            is_unreadable,
        ),
        (
            "a WebP whose frame is larger than its canvas",
            webp_in_webp(),
            is_unreadable,
        ),
    ]
}

fn bombs_and_what_lies_around_images() -> Vec<Case> {
    let jpeg = samples::jpeg(false, SamplingFactor::F_2_2);
    let tiff = samples::tiff(tiff::encoder::Compression::Uncompressed);
    vec![
        ("a JPEG of 1,000 scans", jpeg_of_scans(1000), is_too_large),
        (
            "EXIF without end",
            jpeg_with_exif(&exif_without_end()),
            is_rendered,
        ),
        (
            "EXIF of nothing but ones",
            jpeg_with_exif(&[255; 60_000]),
            is_rendered,
        ),
        (
            "a GIF with a canvas of 65,535 x 65,535",
            gif_with_frame([65_535; 2], [1; 2]),
            is_too_large,
        ),
        (
            "a GIF with a frame of 65,535 x 65,535",
            gif_with_frame([1; 2], [65_535; 2]),
            is_too_large,
        ),
        (
            "a GIF of nothing",
            gif_with_frame([0; 2], [0; 2]),
            is_unreadable,
        ),
        (
            "a WebP that says 16,384 x 16,384",
            webp_that_says([0xff, 0x3f, 0xff, 0x3f]),
            is_too_large,
        ),
        (
            "a TIFF with its directory missing",
            with_bytes(tiff, 4, &[0xff; 4]),
            is_unreadable,
        ),
        (
            "trailing garbage",
            [&jpeg[..], &[0xa5; 100_000]].concat(),
            is_rendered,
        ),
        (
            "two images in one file",
            [&jpeg[..], &jpeg[..]].concat(),
            is_rendered,
        ),
        (
            "a script behind an image",
            [&samples::gif()[..], b"<script>"].concat(),
            is_rendered,
        ),
    ]
}

/// The head of a lossy WebP, with these dimensions.
fn webp_that_says(size: [u8; 4]) -> Vec<u8> {
    let mut file = b"RIFF\x64\0\0\0WEBPVP8 \x58\0\0\0".to_vec();
    file.extend([0x30, 1, 0, 0x9d, 1, 0x2a]);
    file.extend(size);
    file.resize(108, 0);
    file
}

/// A canvas of 16 x 16, and a frame that says 16,383 x 16,383.
fn webp_in_webp() -> Vec<u8> {
    let frame = webp_that_says([0xff, 0x3f, 0xff, 0x3f]);
    let mut file = b"RIFF\x76\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x0f\0\0\x0f\0\0".to_vec();
    file.extend_from_slice(&frame[12..]);
    file
}

/// Turned by a quarter, with a text as people's programs write it.
fn exif_of_a_person() -> Vec<u8> {
    let mut exif = b"MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    exif.extend(b"\x01\x0e\0\x02\0\0\0\x10\0\0\0\x26");
    exif.extend(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
    exif.extend(b"home of A Person");
    exif
}

#[test]
fn a_picture_is_turned_upright_and_tells_nothing_of_people() {
    let _alone = alone();
    let bytes = jpeg_with_exif(&exif_of_a_person());
    for format in [
        RenditionFormat::Jpeg,
        RenditionFormat::Png,
        RenditionFormat::WebP,
    ] {
        let measured = measure(&bytes, &options(50, format), &RenderLimits::default());
        let rendition = measured.outcome.unwrap();
        assert_eq!((rendition.width, rendition.height), (35, 50));
        for trace in [&b"Exif"[..], b"EXIF", b"eXIf", b"Person"] {
            let found = memchr::memmem::find(&rendition.bytes, trace);
            assert_eq!(found, None, "{format:?}");
        }
    }
}

#[test]
fn what_would_do_harm_ends_as_said() {
    let _alone = alone();
    let limits = RenderLimits::default();
    for (name, bytes, check) in no_images_and_false_sizes()
        .into_iter()
        .chain(bombs_and_what_lies_around_images())
    {
        let started = Instant::now();
        let measured = measure(&bytes, &options(256, RenditionFormat::Same), &limits);
        let took = started.elapsed();
        println!(
            "{name}: {:?}, {} KiB, {took:?}",
            measured.outcome.as_ref().map(|_| "rendered"),
            measured.peak_bytes / 1024,
        );
        assert!(
            check(&measured.outcome),
            "{name}: {:?}",
            measured.outcome.map(|_| ())
        );
        measured.assert_bounded(&limits, name);
        assert!(took < Duration::from_secs(30), "{name}: {took:?}");
    }
}
