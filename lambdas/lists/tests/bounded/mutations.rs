//! Good files with some bytes changed: whatever comes of them, no reader panics, goes on for ever or holds much.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use parquet::{
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};
use shardlift_core::failure::{Failure, FailureCode};
use shardlift_lists::TextFormat;

use super::{
    HELD_MIB_MAX,
    case::{Counted, read_table, read_text},
    held_by,
    writers::{Cells, gzip, parquet, zstd},
};

/// For each file.
const MUTATIONS: u64 = 400;

/// A sequence of numbers that looks random and is always the same (Knuth's MMIX generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % bound as u64).unwrap()
    }
}

fn mutated(good: &[u8], seed: u64) -> Vec<u8> {
    let mut numbers = Numbers(seed);
    let mut bytes = good.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len());
        match numbers.below(4) {
            0 => bytes[at] ^= 1 << numbers.below(8),
            1 => bytes[at] = [0, 0x7f, 0x80, 0xff, b'"', b'\n'][numbers.below(6)],
            2 => {
                bytes.remove(at);
            }
            _ => bytes.insert(at, 0xff),
        }
    }
    bytes
}

/// Notes what is wrong, and tells how many of each file were refused.
pub(crate) fn run(wrong: &mut Vec<String>) -> Vec<String> {
    let mut told = Vec::new();
    // The library's panics are caught, and need no trace.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for (name, read, good) in subjects() {
        let mut refused = 0;
        for seed in 0..MUTATIONS {
            let bytes = mutated(&good, seed);
            let (outcome, held) = held_by(|| catch_unwind(AssertUnwindSafe(|| read(&bytes))));
            match outcome {
                Err(_) => wrong.push(format!("{name}, seed {seed}: panics")),
                Ok(Err(failure)) if failure.code != FailureCode::InvalidRun => {
                    wrong.push(format!("{name}, seed {seed}: {failure}"));
                }
                Ok(Err(_)) => refused += 1,
                Ok(Ok(())) => {}
            }
            if held > HELD_MIB_MAX << 20 {
                wrong.push(format!("{name}, seed {seed}: held {} MiB", held >> 20));
            }
        }
        told.push(format!(
            "{name}: {refused} of {MUTATIONS} mutations were refused"
        ));
    }
    std::panic::set_hook(hook);
    told
}

type Reader = fn(&[u8]) -> Result<(), Failure>;

fn subjects() -> Vec<(&'static str, Reader, Vec<u8>)> {
    let csv: Reader = |bytes| text(&TextFormat::Csv, bytes);
    let jsonl: Reader = |bytes| text(&TextFormat::Jsonl, bytes);
    let table: Reader = |bytes| read_table(&Bytes::copy_from_slice(bytes), &mut Counted::default());
    let rows = b"\"source-bucket\",\"data/x\",\"v1\"\nsource-bucket,data/y,\n".repeat(50);
    let json = b"{\"key\":\"data/x\",\"size\":7,\"etag\":\"abc\"}\n".repeat(50);
    let keys: Vec<String> = (0..500).map(|row| format!("data/{}", row % 90)).collect();
    let sizes = (0..500).map(|row| (row % 3 > 0).then_some(row)).collect();
    let flags = (0..500).map(|row| Some(row % 7 == 0)).collect();
    let fields = "required binary key (UTF8); optional int64 size; optional boolean is_latest;";
    let columns = [Cells::texts(&keys), Cells::Long(sizes), Cells::Flag(flags)];
    let of = |compression, dictionary| {
        let properties = WriterProperties::builder()
            .set_compression(compression)
            .set_dictionary_enabled(dictionary);
        parquet(fields, &columns, 500, 200, properties.build()).to_vec()
    };
    vec![
        ("CSV", csv, rows.clone()),
        ("CSV under gzip", csv, gzip(&rows)),
        ("CSV under zstd", csv, zstd(&rows)),
        ("JSON lines", jsonl, json),
        ("a table", table, of(Compression::UNCOMPRESSED, false)),
        (
            "a table with dictionaries",
            table,
            of(Compression::UNCOMPRESSED, true),
        ),
        ("a table under snappy", table, of(Compression::SNAPPY, true)),
        (
            "a table under zstd",
            table,
            of(Compression::ZSTD(ZstdLevel::default()), true),
        ),
    ]
}

fn text(format: &TextFormat, bytes: &[u8]) -> Result<(), Failure> {
    read_text(
        format,
        bytes.chunks(100).map(<[u8]>::to_vec),
        &mut Counted::default(),
    )
}
