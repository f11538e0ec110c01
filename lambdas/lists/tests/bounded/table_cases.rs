//! Tables with other columns or values than expected.

use bytes::Bytes;
use parquet::file::properties::WriterProperties;

use super::{
    case::{Case, Expected, Input},
    writers::{Cells, parquet},
};

/// The column of the keys.
pub(crate) const KEY: &str = "required binary key (UTF8);";

pub(crate) fn table(name: &'static str, bytes: impl Into<Bytes>, expected: Expected) -> Case {
    let input = Input::Table(bytes.into());
    Case {
        name,
        input,
        expected,
    }
}

/// A table of these columns and of a row for each value.
fn columns(
    name: &'static str,
    fields: &str,
    cells: &[Cells],
    rows: usize,
    expected: Expected,
) -> Case {
    table(
        name,
        parquet(fields, cells, rows, 1000, WriterProperties::default()),
        expected,
    )
}

fn of_key(name: &'static str, field: &str, cells: Cells, expected: Expected) -> Case {
    columns(
        name,
        &format!("{KEY} {field};"),
        &[Cells::texts(&["data/x"]), cells],
        1,
        expected,
    )
}

pub(crate) fn all() -> Vec<Case> {
    let mut cases = rows();
    cases.extend(schemas());
    cases.extend(nested_columns());
    cases
}

#[expect(clippy::too_many_lines, reason = "a table, case by case")]
fn rows() -> Vec<Case> {
    let bad: Vec<Option<Vec<u8>>> = [
        Some(&b"data/good"[..]),
        None,
        Some(b""),
        Some(b"data/\xfc"),
        Some(b"other/x"),
        Some(b"data/\0"),
        Some(&[b'k'; 2000]),
    ]
    .map(|key| key.map(<[u8]>::to_vec))
    .to_vec();
    let keys = Cells::texts(&["data/x", "data/y"]);
    vec![
        columns(
            "rows with wrong keys",
            "optional binary key;",
            &[Cells::Text(bad)],
            7,
            Expected::Lines(
                1,
                &[
                    (2, "no key"),
                    (3, "no key"),
                    (4, "not UTF-8"),
                    (5, "lies outside"),
                    (6, "NUL"),
                    (7, "longer than 1,024 bytes"),
                ],
            ),
        ),
        columns(
            "a table of nothing but absent keys",
            "optional binary key;",
            &[Cells::Text(vec![None; 3])],
            3,
            Expected::Lines(0, &[(1, "no key"), (2, "no key"), (3, "no key")]),
        ),
        columns(
            "a row of another bucket",
            &format!("{KEY} optional binary bucket;"),
            &[keys.clone(), Cells::texts(&["source-bucket", "b"])],
            2,
            Expected::Lines(1, &[(2, "the bucket is \"b\"")]),
        ),
        columns(
            "a negative size",
            &format!("{KEY} optional int64 size;"),
            &[keys.clone(), Cells::Long(vec![Some(-1), None])],
            2,
            Expected::Lines(1, &[(1, "\"-1\" is no size")]),
        ),
        columns(
            "a negative size of 32 bits",
            &format!("{KEY} optional int32 size;"),
            &[keys.clone(), Cells::Int(vec![Some(7), Some(-7)])],
            2,
            Expected::Lines(1, &[(2, "\"-7\" is no size")]),
        ),
        columns(
            "an ETag that is none",
            &format!("{KEY} optional binary e_tag;"),
            &[keys.clone(), Cells::texts(&["a\"b", ""])],
            2,
            Expected::Lines(1, &[(1, "is no etag")]),
        ),
        columns(
            "an instant of text that is none",
            &format!("{KEY} optional binary last_modified_date;"),
            &[keys, Cells::texts(&["now", ""])],
            2,
            Expected::Lines(1, &[(1, "is no last_modified_date")]),
        ),
        of_key(
            "a delete marker",
            "optional boolean is_delete_marker",
            Cells::Flag(vec![Some(true)]),
            Expected::Lines(0, &[]),
        ),
        of_key(
            "a value of a megabyte",
            "optional binary storage_class",
            Cells::texts(&["K".repeat(1 << 20)]),
            Expected::Lines(0, &[(1, "is no storage_class")]),
        ),
        columns(
            "no rows",
            KEY,
            &[Cells::Text(vec![])],
            0,
            Expected::Lines(0, &[]),
        ),
    ]
}

fn schemas() -> Vec<Case> {
    let number = || Cells::Long(vec![Some(1)]);
    vec![
        columns(
            "no column of keys",
            "required binary name;",
            &[Cells::texts(&["data/x"])],
            1,
            Expected::Refused("no column `key`"),
        ),
        columns(
            "keys that are numbers",
            "optional int64 key;",
            &[number()],
            1,
            Expected::Refused("`key` has the type INT64"),
        ),
        of_key(
            "two columns of keys",
            "optional binary Key",
            Cells::texts(&["data/y"]),
            Expected::Refused("column `key` twice"),
        ),
        columns(
            "ETags under both names",
            &format!("{KEY} optional binary etag; optional binary e_tag;"),
            &[
                Cells::texts(&["data/x"]),
                Cells::texts(&["a"]),
                Cells::texts(&["b"]),
            ],
            1,
            Expected::Refused("column `etag` twice"),
        ),
        of_key(
            "a size that is a text",
            "optional binary size",
            Cells::texts(&["1"]),
            Expected::Refused("`size` has the type BYTE_ARRAY"),
        ),
        of_key(
            "an instant without a unit",
            "optional int64 last_modified_date",
            number(),
            Expected::Refused("`last_modified_date` has the type INT64"),
        ),
        of_key(
            "a flag that is a number",
            "optional int64 is_delete_marker",
            number(),
            Expected::Refused("`is_delete_marker` has the type INT64"),
        ),
    ]
}

fn nested_columns() -> Vec<Case> {
    vec![
        columns(
            "keys that are lists",
            "repeated binary key (UTF8);",
            &[],
            0,
            Expected::Refused("several values a row"),
        ),
        columns(
            "keys that are lists, as query engines write them",
            "optional group key (LIST) { repeated group list { optional binary element (UTF8); } }",
            &[],
            0,
            Expected::Refused("its column `key` has several values a row"),
        ),
        columns(
            "tags in a column of their own",
            &format!(
                "{KEY} optional group object_tags (MAP) {{ repeated group key_value {{ required binary key (UTF8); optional binary value (UTF8); }} }}"
            ),
            &[],
            0,
            Expected::Lines(0, &[]),
        ),
    ]
}
