//! Files of other kinds, by their first bytes.

/// How a gzip file begins (RFC 1952, section 2.3.1).
pub(crate) const GZIP_MAGIC: &[u8] = b"\x1f\x8b";
/// How a zstd frame begins (RFC 8878, section 3.1.1).
pub(crate) const ZSTD_MAGIC: &[u8] = b"\x28\xb5\x2f\xfd";

/// Files of other kinds that people name by mistake, by their first bytes.
const OTHER_FILES: [(&[u8], &str, &str); 9] = [
    (
        GZIP_MAGIC,
        "a gzip file within another file",
        "compress it once",
    ),
    (
        ZSTD_MAGIC,
        "a zstd file within another file",
        "compress it once",
    ),
    (
        b"PAR1",
        "an Apache Parquet file",
        "give the format `parquet`",
    ),
    (
        b"ORC",
        "an Apache ORC file",
        "write it as Parquet, CSV or JSON lines",
    ),
    (
        b"PK\x03\x04",
        "a zip or spreadsheet file",
        "unpack it, or save it as CSV in UTF-8",
    ),
    (
        b"BZh",
        "a bzip2 file",
        "compress it with gzip or zstd, or not at all",
    ),
    (
        b"\xfd7zXZ",
        "an xz file",
        "compress it with gzip or zstd, or not at all",
    ),
    (
        b"\x04\x22\x4d\x18",
        "an LZ4 file",
        "compress it with gzip or zstd, or not at all",
    ),
    (
        b"\xff\x06\x00\x00sNaP",
        "a Snappy file",
        "compress it with gzip or zstd, or not at all",
    ),
];

/// What a file that begins so is, if it is no text in UTF-8, and what to do about it.
pub(crate) fn other_kind(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let is_utf_16 = head.starts_with(b"\xff\xfe")
        || head.starts_with(b"\xfe\xff")
        // Without a mark, too: the first characters of a list are ASCII.
        || matches!(head, [0, a, 0, b, ..] | [a, 0, b, 0, ..] if *a > 0 && *b > 0);
    if is_utf_16 || head.starts_with(b"\0\0\xfe\xff") {
        return Some(("a text in UTF-16 or UTF-32", "save it in UTF-8"));
    }
    OTHER_FILES
        .iter()
        .find(|(begin, ..)| head.starts_with(begin))
        .map(|(_, what, action)| (*what, *action))
}
