//! Replays the corpus, and each of its files with some bytes changed.

use std::{fs, path::Path};

use peak_alloc::PeakAlloc;
use shardlift_fuzz::{TARGETS, Target};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// For each file.
const MUTATIONS: usize = 20;
/// What any target takes: an image up to the 64 MiB that its target allows, the others far less. One test runs in this
/// process, so the memory is its own.
const MEMORY_BYTES_MAX: usize = 65 << 20;

fn run(target: &Target, bytes: &[u8]) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    (target.run)(bytes);
    let taken = MEMORY.peak_usage().saturating_sub(before);
    assert!(
        taken <= MEMORY_BYTES_MAX,
        "{}: {taken} bytes of memory",
        target.name
    );
}

#[test]
fn the_corpus_and_its_mutations_break_no_promise() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for target in TARGETS {
        let folder = corpus.join(target.name);
        let mut files: Vec<_> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.expect("a file of the corpus").path())
            .collect();
        files.sort();
        assert!(
            files.len() >= 3,
            "{}: a corpus of {}",
            target.name,
            files.len()
        );
        for file in files {
            let bytes = fs::read(&file).expect("a file of the corpus");
            println!("{}", file.display());
            run(target, &bytes);
            let mut random = fastrand::Rng::with_seed(21);
            for _ in 0..MUTATIONS {
                run(target, &mutated(&mut random, &bytes));
            }
        }
    }
}

fn mutated(random: &mut fastrand::Rng, original: &[u8]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..random.usize(1..4) {
        if bytes.is_empty() {
            break;
        }
        let at = random.usize(..bytes.len());
        match random.u8(..4) {
            0 => bytes[at] ^= 1 << random.u8(..8),
            1 => bytes[at] = random.u8(..),
            2 => bytes.truncate(at),
            _ => bytes.insert(at, *random.choice(b"\"\\{}[],\n\r\0\xff0-").unwrap_or(&0)),
        }
    }
    bytes
}
