//! Files with random damage, the same in every run.

use std::time::{Duration, Instant};

use fastrand::Rng;
use shardlift_images::{RenderFailure, RenderLimits, RenditionFormat};

use crate::{alone, measure, options, samples};

const MUTATIONS_OF_EACH: usize = 1000;
const SMALL: RenderLimits = RenderLimits {
    pixels_max: 4_000_000,
    memory_bytes_max: 128 << 20,
};

pub(crate) fn mutated(random: &mut Rng, original: &[u8]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..random.usize(1..6) {
        let at = random.usize(..bytes.len());
        match random.u8(..6) {
            0 => bytes[at] ^= 1 << random.u8(..8),
            1 => bytes[at] = random.u8(..),
            // Headers decide the most.
            2 => {
                let at = at % bytes.len().min(64);
                bytes[at] = *random.choice(&[0, 1, 0x7f, 0x80, 0xff]).unwrap_or(&0);
            }
            3 => bytes.truncate((at + 1).max(16)),
            4 => {
                let end = (at + random.usize(1..64)).min(bytes.len());
                bytes[at..end].fill(*random.choice(&[0, 0xff]).unwrap_or(&0));
            }
            _ => {
                let end = (at + random.usize(1..64)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = random.usize(..bytes.len());
                bytes.splice(to..to, piece);
            }
        }
    }
    bytes
}

/// However a file is damaged: it ends, in time, within the memory that its header announced.
#[test]
fn damaged_files_are_bounded_and_take_nothing_down() {
    let _alone = alone();
    let mut panicked = 0;
    for (name, original) in samples::all() {
        let mut random = Rng::with_seed(19);
        let (mut rendered, mut refused) = (0, 0);
        for number in 0..MUTATIONS_OF_EACH {
            let bytes = mutated(&mut random, &original);
            let started = Instant::now();
            let measured = measure(&bytes, &options(32, RenditionFormat::Same), &SMALL);
            let name = format!("{name}, mutation {number}");
            assert!(started.elapsed() < Duration::from_secs(20), "{name}");
            measured.assert_bounded(&SMALL, &name);
            match measured.outcome {
                Ok(_) => rendered += 1,
                Err(failure) => {
                    refused += 1;
                    let is_panic = matches!(failure, RenderFailure::Unreadable(reason) if reason.contains("its decoder"));
                    panicked += usize::from(is_panic);
                }
            }
        }
        println!("{name}: {rendered} rendered, {refused} refused");
        assert!(refused > 0, "{name}: no damage was seen");
    }
    println!("{panicked} decoders panicked and were caught");
}

/// A picture that is not whole is no rendition. The ends of files that hold no pixels may be missing.
#[test]
fn files_that_are_cut_off_are_unreadable() {
    let _alone = alone();
    for (name, original) in samples::all() {
        // The first of three frames is all that is read of the GIF.
        let needed = if name == "gif" {
            original.len() / 4
        } else {
            original.len() * 3 / 4
        };
        let cuts = (16..needed).step_by(original.len() / 100 + 1);
        for length in cuts {
            let measured = measure(
                &original[..length],
                &options(32, RenditionFormat::Same),
                &RenderLimits::default(),
            );
            assert!(
                matches!(measured.outcome, Err(RenderFailure::Unreadable(_))),
                "{name} cut off at {length} of {}: {:?}",
                original.len(),
                measured.outcome.map(|_| ())
            );
        }
    }
}
