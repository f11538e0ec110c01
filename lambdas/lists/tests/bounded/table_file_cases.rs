//! Parquet files that are cut off, damaged, or claim too much.

use bytes::Bytes;
use parquet::{
    basic::{Compression, Encoding},
    file::properties::{WriterProperties, WriterPropertiesBuilder},
};

use super::{
    case::{Case, Expected},
    table_cases::{KEY, table},
    writers::{Cells, parquet},
};

pub(crate) fn all() -> Vec<Case> {
    let mut cases = files();
    cases.extend(claims());
    cases
}

fn good(properties: WriterPropertiesBuilder, rows: usize) -> Bytes {
    let keys: Vec<String> = (0..rows).map(|row| format!("data/{row:08}")).collect();
    parquet(KEY, &[Cells::texts(&keys)], rows, rows, properties.build())
}

#[expect(clippy::too_many_lines, reason = "a table, case by case")]
fn files() -> Vec<Case> {
    let bytes = good(WriterProperties::builder(), 1000);
    let with_footer = |length: u32| {
        let mut bytes = bytes.to_vec();
        let at = bytes.len() - 8;
        bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
        bytes
    };
    let mut encrypted = bytes.to_vec();
    let end = encrypted.len();
    encrypted[end - 4..].copy_from_slice(b"PARE");
    // The pages are gone, the footer is whole.
    let mut overwritten = bytes.to_vec();
    overwritten[4..2000].fill(0xff);
    // A list of 2^28 row groups, in a footer of nine bytes.
    let mut many = b"PAR1".to_vec();
    let footer: [u8; 9] = [0x15, 0x02, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x00];
    many.extend_from_slice(&footer);
    many.extend_from_slice(&9u32.to_le_bytes());
    many.extend_from_slice(b"PAR1");
    // As many elements as the largest footer has bytes.
    let mut claims = b"PAR1\x15\x02\x19".to_vec();
    claims.extend_from_slice(&[0xfc, 0xf0, 0xff, 0xff, 0x01]);
    claims.resize(4 + (4 << 20), 0);
    claims.extend_from_slice(&(4u32 << 20).to_le_bytes());
    claims.extend_from_slice(b"PAR1");
    vec![
        table("an empty table file", "", Expected::Refused("too short")),
        table(
            "a table file of magic bytes",
            "PAR1PAR1",
            Expected::Refused("too short"),
        ),
        table(
            "a CSV file as a table",
            "source-bucket,data/x\n",
            Expected::Refused("it is a text: give the format `csv`"),
        ),
        table(
            "an ORC file as a table",
            "ORC\u{3}\u{0}\u{12}\u{3}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{3}ORC",
            Expected::Refused("it is an Apache ORC file: write it as Parquet"),
        ),
        table(
            "a table under gzip",
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x03\x00\x00\x00\x00\x00".as_slice(),
            Expected::Refused("it is compressed as a whole"),
        ),
        table(
            "a table cut off",
            bytes.slice(..bytes.len() - 20),
            Expected::Refused("cannot be read as Apache Parquet"),
        ),
        table(
            "a table without its beginning",
            bytes.slice(500..),
            Expected::Refused("cannot be read as Apache Parquet"),
        ),
        table(
            "a footer longer than the file",
            with_footer(1 << 20),
            Expected::Refused("claims a footer of 1048576 bytes"),
        ),
        table(
            "a footer of gigabytes",
            with_footer(u32::MAX),
            Expected::Refused("claims a footer of 4294967295 bytes"),
        ),
        table(
            "a footer of nothing",
            with_footer(0),
            Expected::Refused("cannot be read as Apache Parquet"),
        ),
        table(
            "an encrypted footer",
            encrypted,
            Expected::Refused("encrypted"),
        ),
        table(
            "pages of rubbish",
            overwritten,
            Expected::Refused("no readable header"),
        ),
        table(
            "a footer of millions of row groups",
            many,
            Expected::Refused("cannot be read as Apache Parquet"),
        ),
        table(
            "a footer of as many elements as bytes",
            claims,
            Expected::Refused("claims a list of 4194288 elements"),
        ),
    ]
}

/// A table whose first page is larger than a megabyte uncompressed, so that its claim has four bytes.
fn large_page(compression: Compression) -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_dictionary_enabled(false)
        .set_data_page_size_limit(4 << 20)
        .set_data_page_row_count_limit(usize::MAX);
    good(properties, 100_000).to_vec()
}

fn claims() -> Vec<Case> {
    // Behind the magic bytes: the type of the page, then its size uncompressed, as a zigzag number of 7 bits a byte.
    let claiming = |compression, claim: [u8; 4]| {
        let mut bytes = large_page(compression);
        assert_eq!((bytes[4], bytes[6]), (0x15, 0x15));
        assert!(bytes[7..10].iter().all(|byte| byte & 0x80 != 0) && bytes[10] & 0x80 == 0);
        bytes[7..11].copy_from_slice(&claim);
        bytes
    };
    let huge = [0xfe, 0xff, 0xff, 0x7f];
    let other = [0x80, 0x80, 0x80, 0x01];
    let zstd = Compression::ZSTD(parquet::basic::ZstdLevel::default());
    let gzip = Compression::GZIP(parquet::basic::GzipLevel::default());
    let plain = WriterProperties::builder().set_dictionary_enabled(false);
    let of_16_mib = plain
        .clone()
        .set_data_page_size_limit(32 << 20)
        .set_data_page_row_count_limit(usize::MAX)
        .set_write_batch_size(4_000_000);
    vec![
        table(
            "a snappy page of 128 MiB",
            claiming(Compression::SNAPPY, huge),
            Expected::Refused("a page claims 134217727 bytes"),
        ),
        table(
            "a zstd page of 128 MiB",
            claiming(zstd, huge),
            Expected::Refused("a page claims 134217727 bytes"),
        ),
        table(
            "a gzip page of 128 MiB",
            claiming(gzip, huge),
            Expected::Refused("a page claims 134217727 bytes"),
        ),
        table(
            "a snappy page of another size",
            claiming(Compression::SNAPPY, other),
            Expected::Refused("cannot be read as Apache Parquet"),
        ),
        table(
            "a zstd page of another size",
            claiming(zstd, other),
            Expected::Refused("cannot be read as Apache Parquet"),
        ),
        table(
            "a gzip page of another size",
            claiming(gzip, other),
            Expected::Refused("cannot be read as Apache Parquet"),
        ),
        table(
            "a page of 17 MiB that is one",
            good(of_16_mib, 1_000_000),
            Expected::Refused("a page claims 17000000 bytes"),
        ),
        table(
            "keys that repeat their beginnings",
            good(plain.clone().set_encoding(Encoding::DELTA_BYTE_ARRAY), 1000),
            Expected::Refused("DELTA_BYTE_ARRAY, which is not read"),
        ),
        table(
            "keys whose lengths stand together",
            good(plain.set_encoding(Encoding::DELTA_LENGTH_BYTE_ARRAY), 1000),
            Expected::Refused("DELTA_LENGTH_BYTE_ARRAY, which is not read"),
        ),
        table(
            "a page under LZ4 and other codecs that are not read",
            brotli(),
            Expected::Refused("cannot be read as Apache Parquet"),
        ),
    ]
}

/// A table that says its pages are under Brotli.
fn brotli() -> Vec<u8> {
    let snappy = good(
        WriterProperties::builder().set_compression(Compression::SNAPPY),
        1000,
    );
    let plain = good(WriterProperties::builder(), 1000);
    // The only difference of the two footers in front of the sizes is the codec: zigzag 2 for Snappy, 8 for Brotli.
    let footer = snappy.len() - 400;
    let mut bytes = snappy.to_vec();
    let name = b"\x19\x18\x03key\x15";
    let at = bytes[footer..]
        .windows(name.len())
        .position(|window| window == name)
        .unwrap()
        + footer
        + name.len();
    assert_eq!(bytes[at], 2, "Snappy");
    assert!(plain.len() > snappy.len());
    bytes[at] = 8;
    bytes
}
