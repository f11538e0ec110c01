//! WebP files of an encoder, lossless and with alpha, and of somebody who means to do harm.

use std::time::{Duration, Instant};

use fastrand::Rng;
use shardlift_images::{RenderFailure, RenderLimits, RenditionFormat};
use webp::{AnimEncoder, AnimFrame, Encoder, WebPConfig};

use crate::{
    alone, measure, mutations, options,
    vp8l::{self, Place},
};

const PLACES: [(&str, Place); 4] = [
    ("simple", Place::Simple),
    ("extended", Place::Extended),
    ("alpha", Place::Alpha),
    ("animation", Place::Animation),
];

/// Each block as a picture of its own, so that the encoder has reason for many groups of codes.
fn patchwork(width: u32, height: u32, colours: Option<u32>) -> Vec<u8> {
    let mut random = Rng::with_seed(7);
    let blocks: Vec<[u8; 8]> = (0..1024)
        .map(|_| std::array::from_fn(|_| random.u8(..)))
        .collect();
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let block = blocks[((y / 32) * 61 + x / 32) as usize % blocks.len()];
            let mut pixel: [u8; 4] = std::array::from_fn(|channel| {
                let (base, spread) = (block[channel], block[channel + 4] >> (x / 32 % 8));
                base.wrapping_add(random.u8(..=spread))
            });
            if let Some(colours) = colours {
                let colour = u32::from(pixel[0]) % colours;
                pixel = (colour.wrapping_mul(0x9e37_79b9) | 0xff00_0000).to_le_bytes();
            }
            pixels.extend(pixel);
        }
    }
    pixels
}

fn config(is_lossless: bool, method: i32, quality: f32) -> WebPConfig {
    let mut config = WebPConfig::new().unwrap();
    config.lossless = i32::from(is_lossless);
    config.method = method;
    config.quality = quality;
    config
}

/// What libwebp writes, on which sharp and Pillow rest, too: by name, with its size.
fn encoded() -> Vec<(String, [u32; 2], Vec<u8>)> {
    let mut files = Vec::new();
    let sizes = [[1, 1], [3, 200], [300, 5], [255, 257], [600, 400]];
    for size in sizes {
        let [width, height] = size;
        for colours in [None, Some(1), Some(2), Some(4), Some(16), Some(200)] {
            let pixels = patchwork(width, height, colours);
            let encoder = Encoder::from_rgba(&pixels, width, height);
            for (is_lossless, method, quality) in [
                (true, 0, 0.0),
                (true, 4, 75.0),
                (true, 6, 90.0),
                (false, 4, 80.0),
            ] {
                // The slowest of it is left to small pictures.
                if method == 6 && width == 600 && colours.is_some() {
                    continue;
                }
                let config = config(is_lossless, method, quality);
                let file = encoder.encode_advanced(&config).unwrap().to_vec();
                let name = format!("{width}x{height}, {colours:?}, {is_lossless}, {method}");
                files.push((name, size, file));
            }
        }
    }
    files
}

fn animation(size: [u32; 2], is_lossless: bool) -> Vec<u8> {
    let [width, height] = size;
    let config = config(is_lossless, 2, 75.0);
    let frames: Vec<Vec<u8>> = [None, Some(3), Some(40)]
        .map(|colours| patchwork(width, height, colours))
        .into();
    let mut encoder = AnimEncoder::new(width, height, &config);
    for (time, frame) in (0..).step_by(100).zip(&frames) {
        encoder.add_frame(AnimFrame::from_rgba(frame, width, height, time));
    }
    encoder.encode().to_vec()
}

#[test]
fn what_an_encoder_writes_is_rendered_within_its_estimate() {
    let _alone = alone();
    let limits = RenderLimits::default();
    let animations = [[50, 70], [400, 300]].into_iter().flat_map(|size| {
        [true, false]
            .map(|is_lossless| ("animation".to_owned(), size, animation(size, is_lossless)))
    });
    for (name, [width, height], bytes) in encoded().into_iter().chain(animations) {
        let measured = measure(&bytes, &options(64, RenditionFormat::Same), &limits);
        measured.assert_bounded(&limits, &name);
        let rendition = measured.outcome.expect(&name);
        let edge = width.max(height).min(64);
        assert_eq!(rendition.width.max(rendition.height), edge, "{name}");
        // The estimate does not refuse pictures for what they do not take: beside pixels and file, 64 MiB.
        let pixels = u64::from(width) * u64::from(height);
        let estimate = measured.estimate_bytes.unwrap();
        assert!(
            estimate < pixels * 24 + 3 * bytes.len() as u64 + (64 << 20),
            "{name}: {estimate} bytes"
        );
    }
}

#[test]
fn codes_that_would_fill_the_memory_are_refused_before_they_are_built() {
    let _alone = alone();
    let limits = RenderLimits::default();
    for (name, place) in PLACES {
        let bytes = vp8l::webp_of_groups(65_536, place);
        assert!(bytes.len() < 4 << 20, "{name}: {} bytes", bytes.len());
        let started = Instant::now();
        let measured = measure(&bytes, &options(64, RenditionFormat::Same), &limits);
        let took = started.elapsed();
        println!(
            "{name}: {} bytes, {} KiB, {took:?}",
            bytes.len(),
            measured.peak_bytes / 1024
        );
        assert!(
            matches!(measured.outcome, Err(RenderFailure::TooLarge(_))),
            "{name}: {:?}",
            measured.outcome.map(|_| ())
        );
        assert!(
            measured.peak_bytes < 1 << 20,
            "{name}: {} bytes",
            measured.peak_bytes
        );
        assert!(took < Duration::from_secs(30), "{name}: {took:?}");
    }
}

/// As many as encoders write, and more than they would: where the limit allows it, they are built, and take what was said.
#[test]
fn codes_take_what_the_header_says() {
    let _alone = alone();
    let limits = RenderLimits::default();
    for (name, place) in PLACES {
        for groups in [1, 2, 255, 256, 257, 3000] {
            let bytes = vp8l::webp_of_groups(groups, place);
            let name = format!("{name} of {groups} groups");
            let measured = measure(&bytes, &options(64, RenditionFormat::Same), &limits);
            measured.assert_bounded(&limits, &name);
            assert!(
                measured.outcome.is_ok(),
                "{name}: {:?}",
                measured.outcome.map(|_| ())
            );
            let peak = measured.peak_bytes as u64;
            let estimate = measured.estimate_bytes.unwrap();
            assert!(
                peak * 2 + (64 << 20) > estimate,
                "{name}: {peak} of {estimate} bytes"
            );
        }
    }
}

/// A directory as long as one can be, each entry with a value of its own.
fn exif_of_entries() -> Vec<u8> {
    let mut exif = b"MM\0\x2a\0\0\0\x08\xff\xff".to_vec();
    for tag in 0..u16::MAX {
        exif.extend(tag.to_be_bytes());
        exif.extend(b"\0\x02\0\0\0\x04word");
    }
    exif
}

#[test]
fn what_lies_beside_a_picture_takes_no_more_than_the_header_says() {
    let _alone = alone();
    let limits = RenderLimits::default();
    for (name, bytes) in [
        ("parts of 16 MiB", vp8l::webp_of_long_parts()),
        ("a tail of 40 MiB", vp8l::webp_with_tail(40 << 20)),
        (
            "a profile of 3 MiB",
            vp8l::webp_with(b"ICCP", &[0; 3 << 20]),
        ),
        (
            "a profile of 40 MiB",
            vp8l::webp_with(b"ICCP", &[1; 40 << 20]),
        ),
        (
            "EXIF of 65,535 entries",
            vp8l::webp_with(b"EXIF", &exif_of_entries()),
        ),
        ("EXIF of 40 MiB", vp8l::webp_with(b"EXIF", &[1; 40 << 20])),
    ] {
        let measured = measure(&bytes, &options(64, RenditionFormat::Same), &limits);
        measured.assert_bounded(&limits, name);
        println!(
            "{name}: {:?}, {} KiB",
            measured.outcome.map(|_| ()),
            measured.peak_bytes / 1024
        );
    }
}

#[test]
fn damaged_codes_are_bounded() {
    let _alone = alone();
    let limits = RenderLimits {
        pixels_max: 4_000_000,
        memory_bytes_max: 128 << 20,
    };
    let mut random = Rng::with_seed(31);
    for (name, place) in PLACES {
        for number in 0..300 {
            let groups = random.usize(1..400);
            let mut bytes = vp8l::webp_of_groups(groups, place);
            for _ in 0..random.usize(1..4) {
                bytes = mutations::mutated(&mut random, &bytes);
            }
            let name = format!("{name}, mutation {number}");
            let measured = measure(&bytes, &options(32, RenditionFormat::Same), &limits);
            measured.assert_bounded(&limits, &name);
        }
    }
    for (name, _, original) in encoded() {
        for number in 0..4 {
            let bytes = mutations::mutated(&mut random, &original);
            let name = format!("{name}, mutation {number}");
            let measured = measure(&bytes, &options(32, RenditionFormat::Same), &limits);
            measured.assert_bounded(&limits, &name);
        }
    }
}
