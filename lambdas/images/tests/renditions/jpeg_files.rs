//! JPEG files that were cut off and closed again, so that they look whole.

use fastrand::Rng;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use shardlift_images::{RenderFailure, RenderLimits, RenditionFormat};

use crate::{Measured, alone, measure, options};

const WIDTH: u16 = 403;
const HEIGHT: u16 = 301;
/// Edges at which the decoder reduces to an eighth, to a half and not at all.
const EDGES: [u32; 3] = [40, 100, 256];
const END: &[u8] = b"\xff\xd9";

/// A file with noise, so that each block has details.
fn jpeg(set: fn(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut random = Rng::with_seed(3);
    let pixels: Vec<u8> = (0..usize::from(WIDTH) * usize::from(HEIGHT) * 3)
        .map(|at| u8::try_from(at / 2000 % 200).unwrap() + random.u8(..40))
        .collect();
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 85);
    set(&mut encoder);
    encoder
        .encode(&pixels, WIDTH, HEIGHT, ColorType::Rgb)
        .unwrap();
    file
}

fn baseline() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        (
            "4:2:0",
            jpeg(|e| e.set_sampling_factor(SamplingFactor::F_2_2)),
        ),
        (
            "4:2:2",
            jpeg(|e| e.set_sampling_factor(SamplingFactor::F_2_1)),
        ),
        (
            "4:4:4",
            jpeg(|e| e.set_sampling_factor(SamplingFactor::F_1_1)),
        ),
        (
            "a scan for each colour, with tables of its own",
            jpeg(|e| {
                e.set_sampling_factor(SamplingFactor::F_2_2);
                e.set_optimized_huffman_tables(true);
            }),
        ),
        (
            "with restart markers",
            jpeg(|e| {
                e.set_sampling_factor(SamplingFactor::F_2_2);
                e.set_restart_interval(5);
            }),
        ),
    ]
}

fn progressive() -> Vec<u8> {
    jpeg(|e| e.set_progressive(true))
}

/// Where scans begin, from the first one.
fn scans(file: &[u8]) -> Vec<usize> {
    memchr::memmem::find_iter(file, b"\xff\xda").collect()
}

fn rendered(bytes: &[u8], edge: u32) -> Measured {
    let limits = RenderLimits::default();
    let measured = measure(bytes, &options(edge, RenditionFormat::Same), &limits);
    measured.assert_bounded(&limits, "JPEG");
    measured
}

fn assert_unreadable(name: &str, bytes: &[u8], edge: u32) {
    let outcome = rendered(bytes, edge).outcome;
    assert!(
        matches!(outcome, Err(RenderFailure::Unreadable(_))),
        "{name} at {edge}: {:?}",
        outcome.map(|_| ())
    );
}

#[test]
fn a_file_that_was_cut_off_and_closed_again_is_unreadable() {
    let _alone = alone();
    for (name, file) in baseline() {
        for edge in EDGES {
            assert!(rendered(&file, edge).outcome.is_ok(), "{name} at {edge}");
            let first = scans(&file)[0];
            // Up to a block before the end; the padding of the last byte is no loss.
            for cut in (first + 40..file.len() - 64).step_by(file.len() / 20) {
                let closed = [&file[..cut], END].concat();
                assert_unreadable(&format!("{name} cut off at {cut}"), &closed, edge);
            }
        }
    }
}

/// The means of a progressive file come first, in scans of their own. What only lacks details is as it was sent.
#[test]
fn a_progressive_file_whose_means_are_cut_off_is_unreadable() {
    let _alone = alone();
    let file = progressive();
    let scans = scans(&file);
    for edge in EDGES {
        assert!(rendered(&file, edge).outcome.is_ok(), "{edge}");
        for cut in (scans[0] + 40..scans[1] - 64).step_by(500) {
            let closed = [&file[..cut], END].concat();
            assert_unreadable(&format!("cut off at {cut}"), &closed, edge);
        }
    }
}

#[test]
fn a_file_without_one_of_its_intervals_is_unreadable() {
    let _alone = alone();
    let (_, file) = baseline().pop().unwrap();
    let is_restart = |pair: &[u8]| pair[0] == 0xff && (0xd0..=0xd7).contains(&pair[1]);
    let restarts: Vec<usize> = (0..file.len() - 1)
        .filter(|at| is_restart(&file[*at..at + 2]))
        .collect();
    assert!(restarts.len() > 20, "{} intervals", restarts.len());
    for edge in EDGES {
        let removed = [&file[..restarts[4]], &file[restarts[5]..]].concat();
        assert_unreadable("without an interval", &removed, edge);
        let eight = [&file[..restarts[4]], &file[restarts[12]..]].concat();
        assert_unreadable("without eight intervals", &eight, edge);
        let half = (restarts[4] + restarts[5]) / 2;
        let shortened = [&file[..half], &file[restarts[5]..]].concat();
        assert_unreadable("with half an interval", &shortened, edge);
    }
}
