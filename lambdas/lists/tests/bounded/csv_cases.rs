//! CSV files.

use shardlift_lists::TextFormat;

use super::{
    case::{Case, Expected, Input},
    writers::gzip,
};

/// A good line.
pub(crate) const GOOD: &str = "source-bucket,data/good\n";

/// A CSV file.
pub(crate) fn csv(name: &'static str, text: impl AsRef<[u8]>, expected: Expected) -> Case {
    let input = Input::Text(TextFormat::Csv, text.as_ref().to_vec());
    Case {
        name,
        input,
        expected,
    }
}

/// A CSV file of a good line, a wrong one and another good one.
fn csv_line(
    name: &'static str,
    line: impl AsRef<[u8]>,
    problem: &'static [(u64, &'static str)],
) -> Case {
    let text = [GOOD.as_bytes(), line.as_ref(), b"\n", GOOD.as_bytes()].concat();
    csv(name, text, Expected::Lines(2, problem))
}

fn utf_16(text: &str, mark: bool, big: bool) -> Vec<u8> {
    let units = mark
        .then_some(0xfeff)
        .into_iter()
        .chain(text.encode_utf16());
    units
        .flat_map(|unit: u16| {
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        })
        .collect()
}

pub(crate) fn all() -> Vec<Case> {
    let mut cases = csv_lines();
    cases.extend(csv_files());
    cases
}

#[expect(clippy::too_many_lines, reason = "a table, case by case")]
fn csv_lines() -> Vec<Case> {
    let too_long = format!("source-bucket,data/{}", "k".repeat(1020));
    vec![
        csv_line(
            "another bucket",
            "other-bucket,data/x",
            &[(2, "the bucket is \"other-bucket\"")],
        ),
        csv_line("no bucket", ",data/x", &[(2, "the bucket is \"\"")]),
        csv_line(
            "a key outside the prefix",
            "source-bucket,dat/x",
            &[(2, "\"dat/x\" lies outside")],
        ),
        csv_line(
            "an empty key",
            "source-bucket,",
            &[(2, "the line has no key")],
        ),
        csv_line(
            "a key that is too long",
            &too_long,
            &[(2, "longer than 1,024 bytes")],
        ),
        csv_line(
            "a percent sign alone",
            "source-bucket,data/100%",
            &[(2, "not URL-encoded")],
        ),
        csv_line(
            "a percent sign before no digits",
            "source-bucket,data/%zz",
            &[(2, "not URL-encoded")],
        ),
        csv_line(
            "an encoded NUL",
            "source-bucket,data/%00",
            &[(2, "NUL character in the key")],
        ),
        csv_line(
            "a NUL",
            "source-bucket,data/\0",
            &[(
                2,
                "a control character, or a % without two hexadecimal digits behind it in \"data/\\u{0}\"",
            )],
        ),
        csv_line(
            "a key in Latin-1",
            b"source-bucket,data/\xfc",
            &[(2, "the key is not UTF-8")],
        ),
        csv_line(
            "an encoded key in Latin-1",
            "source-bucket,data/%FC",
            &[(2, "the key is not UTF-8")],
        ),
        csv_line(
            "half of an emoji",
            "source-bucket,data/%F0%9F%9A",
            &[(2, "the key is not UTF-8")],
        ),
        csv_line(
            "an encoded surrogate",
            "source-bucket,data/%ED%A0%80",
            &[(2, "the key is not UTF-8")],
        ),
        csv_line("one cell", "source-bucket", &[(2, "1 cells instead of 2")]),
        csv_line(
            "a version in one line alone",
            "source-bucket,data/x,v1",
            &[(2, "3 cells instead of 2")],
        ),
        csv_line(
            "a comma that is not encoded",
            "source-bucket,data/a,b,c",
            &[(2, "4 cells instead of 2")],
        ),
        csv_line(
            "65,000 cells",
            ",".repeat(65_000),
            &[(2, "65001 cells instead of 2")],
        ),
        csv_line(
            "a quote within a cell",
            "source-bucket,data/\"x\"",
            &[(2, "quoted cell")],
        ),
        csv_line(
            "text behind a quote",
            "\"source-bucket\"x,data/x",
            &[(2, "quoted cell")],
        ),
        csv_line(
            "a quote that never ends",
            "\"source-bucket,data/x",
            &[(2, "quoted cell")],
        ),
        csv_line(
            "a space before a quote",
            "source-bucket, \"data/x\"",
            &[(2, "quoted cell")],
        ),
        csv_line(
            "semicolons",
            "source-bucket;data/x",
            &[(2, "1 cells instead of 2")],
        ),
        csv_line(
            "tabs",
            "source-bucket\tdata/x",
            &[(2, "1 cells instead of 2")],
        ),
        csv_line("white space alone", "   ", &[(2, "1 cells instead of 2")]),
        csv_line(
            "a terminal's escapes",
            "\u{1b}[2J,data/x",
            &[(2, "\\u{1b}[2J")],
        ),
        csv_line(
            "the header again",
            "bucket,key",
            &[(2, "the bucket is \"bucket\"")],
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table, case by case")]
fn csv_files() -> Vec<Case> {
    let header = |header: &str, line: &str| format!("{header}\n{line}\n");
    let values = "size,etag,last_modified_date,storage_class,version_id,is_delete_marker,key";
    vec![
        csv("nothing", "", Expected::Lines(0, &[])),
        csv("a mark alone", b"\xef\xbb\xbf", Expected::Lines(0, &[])),
        csv("line breaks alone", "\n\r\n\n", Expected::Lines(0, &[])),
        csv(
            "a mark and CRLF",
            b"\xef\xbb\xbfsource-bucket,data/x\r\nsource-bucket,data/y\r\n",
            Expected::Lines(2, &[]),
        ),
        csv(
            "no line break at the end",
            "source-bucket,data/x",
            Expected::Lines(1, &[]),
        ),
        csv(
            "CR alone",
            "source-bucket,data/x\rsource-bucket,data/y\r",
            Expected::Lines(0, &[(1, "not URL-encoded")]),
        ),
        csv(
            "a header without a key",
            header("bucket,name", "source-bucket,data/x"),
            Expected::Refused("names no column `key`"),
        ),
        csv(
            "a header with two keys",
            header("key,size,Key", "data/x,1,data/y"),
            Expected::Refused("`key` twice"),
        ),
        csv(
            "a header with semicolons",
            header("key;size", "data/x;1"),
            Expected::Refused("semicolons stand between its cells"),
        ),
        csv(
            "a manifest with tabs",
            "source-bucket\tdata/x\n",
            Expected::Refused("tabs stand between its cells"),
        ),
        csv(
            "a semicolon in a key",
            header("key", "data/x;1"),
            Expected::Lines(1, &[]),
        ),
        csv(
            "keys alone",
            "data/x\ndata/y\n",
            Expected::Lines(0, &[(1, "two or three"), (2, "two or three")]),
        ),
        csv(
            "a size that is none",
            header(values, "x,,,,,,data/x"),
            Expected::Lines(0, &[(2, "\"x\" is no size")]),
        ),
        csv(
            "a negative size",
            header(values, "-1,,,,,,data/x"),
            Expected::Lines(0, &[(2, "\"-1\" is no size")]),
        ),
        csv(
            "an instant that is none",
            header(values, "1,,22.11.2026,,,,data/x"),
            Expected::Lines(0, &[(2, "is no last_modified_date")]),
        ),
        csv(
            "a class that is none",
            header(values, "1,,,cold,,,data/x"),
            Expected::Lines(0, &[(2, "\"cold\" is no storage_class")]),
        ),
        csv(
            "a version that is none",
            header(values, "1,,,,a b,,data/x"),
            Expected::Lines(0, &[(2, "\"a b\" is no version_id")]),
        ),
        csv(
            "a flag that is none",
            header(values, "1,,,,,2,data/x"),
            Expected::Lines(0, &[(2, "\"2\" is no is_delete_marker")]),
        ),
        csv(
            "an ETag in Latin-1",
            [
                header(values, "1,").as_bytes().trim_ascii_end(),
                b"\xfc,,,,,data/x",
            ]
            .concat(),
            Expected::Lines(0, &[(2, "etag is not UTF-8")]),
        ),
        csv(
            "UTF-16 with a mark",
            utf_16(GOOD, true, false),
            Expected::Refused("UTF-16"),
        ),
        csv(
            "UTF-16, big-endian, with a mark",
            utf_16(GOOD, true, true),
            Expected::Refused("UTF-16"),
        ),
        csv(
            "UTF-16 without a mark",
            utf_16(GOOD, false, false),
            Expected::Refused("UTF-16"),
        ),
        csv(
            "UTF-16, big-endian, without a mark",
            utf_16(GOOD, false, true),
            Expected::Refused("UTF-16"),
        ),
        csv(
            "UTF-16 under gzip",
            gzip(&utf_16(GOOD, true, false)),
            Expected::Refused("UTF-16"),
        ),
        csv(
            "a spreadsheet",
            b"PK\x03\x04\x14\x00\x06\x00",
            Expected::Refused("a zip or spreadsheet file"),
        ),
        csv(
            "a Parquet file",
            b"PAR1\x15\x04\x15",
            Expected::Refused("format `parquet`"),
        ),
        csv(
            "an ORC file",
            b"ORC\x08\x03",
            Expected::Refused("an Apache ORC file"),
        ),
        csv(
            "a bzip2 file",
            b"BZh91AY&SY",
            Expected::Refused("a bzip2 file"),
        ),
        csv(
            "an xz file",
            b"\xfd7zXZ\x00\x00",
            Expected::Refused("an xz file"),
        ),
    ]
}
