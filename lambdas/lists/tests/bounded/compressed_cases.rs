//! Compressed texts, and texts of gigabytes.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use shardlift_lists::TextFormat;

use super::{
    case::{Case, Expected, Input},
    csv_cases::{GOOD, csv},
    writers::{gzip, zstd},
};

fn endless(
    name: &'static str,
    begin: &[u8],
    piece: Vec<u8>,
    times: usize,
    end: &[u8],
    expected: Expected,
) -> Case {
    let input = Input::Endless(TextFormat::Csv, begin.to_vec(), piece, times, end.to_vec());
    Case {
        name,
        input,
        expected,
    }
}

pub(crate) fn all() -> Vec<Case> {
    let mut cases = under_gzip();
    cases.extend(under_zstd());
    cases.extend(endless_ones());
    cases
}

fn under_gzip() -> Vec<Case> {
    let text = GOOD.repeat(1000);
    let packed = gzip(text.as_bytes());
    let half = packed.len() / 2;
    let mut damaged = packed.clone();
    damaged[half] ^= 0x55;
    let mut wrong_sum = packed.clone();
    let sum = packed.len() - 8;
    wrong_sum[sum] ^= 1;
    vec![
        csv(
            "gzip, twice in one file",
            [packed.clone(), packed.clone()].concat(),
            Expected::Lines(2000, &[]),
        ),
        csv(
            "gzip cut off",
            &packed[..half],
            Expected::Refused("gzip file is cut off or damaged"),
        ),
        csv(
            "gzip cut off in its checksum",
            &packed[..packed.len() - 3],
            Expected::Refused("gzip file is cut off or damaged"),
        ),
        csv(
            "gzip cut off in its header",
            &packed[..5],
            Expected::Refused("gzip file is cut off or damaged"),
        ),
        csv(
            "gzip with a damaged byte",
            damaged,
            Expected::Refused("gzip file is cut off or damaged"),
        ),
        csv(
            "gzip with another checksum",
            wrong_sum,
            Expected::Refused("gzip file is cut off or damaged"),
        ),
        csv(
            "gzip with rubbish behind it",
            [&packed[..], b"rubbish"].concat(),
            Expected::Refused("gzip file is cut off or damaged"),
        ),
        csv(
            "gzip within gzip",
            gzip(&gzip(b"source-bucket,data/x")),
            Expected::Refused("a gzip file within another file"),
        ),
    ]
}

fn under_zstd() -> Vec<Case> {
    let text = GOOD.repeat(1000);
    let packed = zstd(text.as_bytes());
    let mut wide = zstd::Encoder::new(Vec::new(), 1).unwrap();
    wide.window_log(27).unwrap();
    wide.include_contentsize(false).unwrap();
    wide.write_all(text.as_bytes()).unwrap();
    vec![
        csv(
            "zstd, twice in one file",
            [packed.clone(), packed.clone()].concat(),
            Expected::Lines(2000, &[]),
        ),
        csv(
            "zstd cut off",
            &packed[..packed.len() - 4],
            Expected::Refused("zstd file is cut off"),
        ),
        csv(
            "zstd cut off in its header",
            &packed[..5],
            Expected::Refused("zstd file is cut off"),
        ),
        csv(
            "zstd with rubbish behind it",
            [&packed[..], b"rubbish"].concat(),
            Expected::Refused("zstd file is cut off or damaged"),
        ),
        csv(
            "zstd that asks for 128 MiB",
            wide.finish().unwrap(),
            Expected::Refused("zstd up to level 19"),
        ),
    ]
}

/// Files of gigabytes.
fn endless_ones() -> Vec<Case> {
    let mebibyte = vec![b'k'; 1 << 20];
    let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
    let mut zstd_bomb = zstd::Encoder::new(Vec::new(), 1).unwrap();
    let mut line_bomb = GzEncoder::new(Vec::new(), Compression::fast());
    let mut header_bomb = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 255];
    header_bomb.extend_from_slice(&mebibyte);
    let lines = GOOD.repeat((1 << 20) / GOOD.len());
    for _ in 0..512 {
        bomb.write_all(&mebibyte).unwrap();
        zstd_bomb.write_all(&mebibyte).unwrap();
    }
    for _ in 0..64 {
        line_bomb.write_all(lines.as_bytes()).unwrap();
    }
    let quoted = b"\"source-bucket\",\"";
    vec![
        endless(
            "a line of two gigabytes",
            GOOD.as_bytes(),
            mebibyte.clone(),
            2048,
            b"\nsource-bucket,data/x\n",
            Expected::Lines(2, &[(2, "longer than 65,536 bytes")]),
        ),
        endless(
            "a last line of a gigabyte",
            b"",
            mebibyte.clone(),
            1024,
            b"",
            Expected::Lines(0, &[(1, "longer than 65,536 bytes")]),
        ),
        endless(
            "a quoted cell of a gigabyte",
            quoted,
            mebibyte.clone(),
            1024,
            b"\"\nsource-bucket,data/x\n",
            Expected::Lines(1, &[(1, "longer than 65,536 bytes")]),
        ),
        endless(
            "a quoted cell of a million lines",
            quoted,
            b"\nsource-bucket,data/x".repeat(1000),
            1000,
            b"\"\n",
            Expected::Lines(999_999, &[(1, "quoted cell"), (1_000_001, "quoted cell")]),
        ),
        csv(
            "a gzip bomb",
            bomb.finish().unwrap(),
            Expected::Lines(0, &[(1, "longer than 65,536 bytes")]),
        ),
        csv(
            "a zstd bomb",
            zstd_bomb.finish().unwrap(),
            Expected::Lines(0, &[(1, "longer than 65,536 bytes")]),
        ),
        csv(
            "a gzip bomb of good lines",
            line_bomb.finish().unwrap(),
            Expected::Lines(64 * ((1 << 20) / GOOD.len()), &[]),
        ),
        csv(
            "a gzip file whose name has a megabyte",
            header_bomb,
            Expected::Refused("gzip file is cut off or damaged"),
        ),
    ]
}
