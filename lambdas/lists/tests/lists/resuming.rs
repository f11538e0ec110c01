//! A list that is left anywhere and gone on with gives the same items, as if nothing had happened (P5).

use bytes::Bytes;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use shardlift_lists::{ListPosition, ParquetPosition, TableKind, TextFormat};

use super::{
    support::{items_from, items_of, rows_from, rows_of, scope},
    writers::{Cells, gzip, parquet, zstd},
};

/// A CSV file with all that makes lines hard to count: a header, empty lines, broken quotes, line breaks within cells, lines
/// that are too long.
fn hard_csv(with_header: bool, with_mark: bool) -> Vec<u8> {
    let mut text = Vec::new();
    if with_mark {
        text.extend_from_slice(b"\xef\xbb\xbf");
    }
    if with_header {
        text.extend_from_slice(b"key,bucket\r\n");
    }
    for index in 0..40 {
        let line = match index % 8 {
            0 => format!("k{index},source-bucket\n"),
            1 => format!("\"k{index}\",\"source-bucket\"\r\n"),
            2 => "\n".to_owned(),
            3 => format!("k{index},\"source-\nbucket\"\n"),
            4 => format!("\"k{index}\n"),
            5 => format!("{},source-bucket\n", "k".repeat(70_000)),
            6 => format!("%{index}zz,source-bucket\n"),
            _ => format!("k{index},other-bucket\n"),
        };
        text.extend_from_slice(line.as_bytes());
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_text_goes_on_where_it_was_left(
        with_header: bool, with_mark: bool, packing in 0u8..3, cuts in proptest::collection::vec(0usize..14, 1..4),
        piece in prop_oneof![1usize..50, Just(100_000)],
    ) {
        let text = hard_csv(with_header, with_mark);
        let bytes = match packing {
            0 => text,
            1 => gzip(&text),
            _ => zstd(&text),
        };
        // Small pieces of a large file only take time.
        let piece = if packing == 0 { piece.max(500) } else { piece };
        let whole = items_of(TextFormat::Csv, scope(""), &bytes, 1 << 20).unwrap();
        prop_assert!(whole.len() > 30, "{}", whole.len());
        let mut position = ListPosition::default();
        let mut items = Vec::new();
        for cut in cuts {
            // As another invocation would find it.
            let stored = serde_json::to_string(&position).unwrap();
            position = serde_json::from_str(&stored).unwrap();
            let (more, behind) = items_from(TextFormat::Csv, scope(""), None, &bytes, piece, position, cut).unwrap();
            items.extend(more);
            position = behind;
        }
        let (rest, _) = items_from(TextFormat::Csv, scope(""), None, &bytes, piece, position, usize::MAX).unwrap();
        items.extend(rest);
        prop_assert_eq!(items, whole);
    }

    #[test]
    fn a_table_goes_on_where_it_was_left(
        rows in 1usize..4000, group_rows in prop_oneof![100usize..5000], dictionary: bool, cuts in proptest::collection::vec(0usize..2500, 1..4),
    ) {
        let bytes = table(rows, group_rows, dictionary);
        let whole = rows_of(&bytes, scope(""), TableKind::List).unwrap();
        prop_assert_eq!(whole.len(), rows);
        let mut position = ParquetPosition::default();
        let mut items = Vec::new();
        for cut in cuts.into_iter().chain([usize::MAX]) {
            let (more, behind) = rows_from(bytes.clone(), scope(""), TableKind::List, position, cut).unwrap();
            items.extend(more);
            position = behind;
        }
        prop_assert_eq!(items, whole);
    }
}

fn table(rows: usize, group_rows: usize, dictionary: bool) -> Bytes {
    let keys: Vec<String> = (0..rows).map(|row| format!("key-{row:06}")).collect();
    // Every third size is absent, every fifth key wrong.
    let sizes = (0..rows)
        .map(|row| (row % 3 > 0).then_some(row as i64))
        .collect();
    let keys = keys
        .iter()
        .enumerate()
        .map(|(row, key)| (row % 5 > 0).then(|| key.clone().into_bytes()));
    let fields = "optional binary key (UTF8); optional int64 size;";
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(dictionary)
        .set_data_page_row_count_limit(300)
        .set_write_batch_size(100)
        .build();
    parquet(
        fields,
        &[Cells::Text(keys.collect()), Cells::Long(sizes)],
        rows,
        group_rows,
        properties,
    )
}

#[test]
fn only_a_compressed_file_is_read_from_its_beginning_again() {
    let text = b"source-bucket,a\nsource-bucket,b\n";
    for (bytes, read_from) in [(text.to_vec(), 16), (gzip(text), 0), (zstd(text), 0)] {
        let (items, position) = items_from(
            TextFormat::Csv,
            scope(""),
            None,
            &bytes,
            100,
            ListPosition::default(),
            1,
        )
        .unwrap();
        assert_eq!(items.len(), 1);
        assert_eq!(position.read_from(), read_from);
        assert_eq!(position.lines(), 1);
    }
}

#[test]
fn a_list_that_became_shorter_is_refused() {
    let text = b"source-bucket,a\nsource-bucket,b\n";
    let (_, position) = items_from(
        TextFormat::Csv,
        scope(""),
        None,
        &gzip(text),
        100,
        ListPosition::default(),
        2,
    )
    .unwrap();
    let shorter = items_from(
        TextFormat::Csv,
        scope(""),
        None,
        &gzip(&text[..20]),
        100,
        position,
        1,
    );
    assert!(
        shorter
            .unwrap_err()
            .detail
            .contains("shorter than when the run began")
    );
    let (_, position) = rows_from(
        table(1000, 100, true),
        scope(""),
        TableKind::List,
        ParquetPosition::default(),
        700,
    )
    .unwrap();
    let shorter = rows_from(
        table(500, 100, true),
        scope(""),
        TableKind::List,
        position,
        1,
    );
    assert!(
        shorter
            .unwrap_err()
            .detail
            .contains("fewer rows than when the run began")
    );
}
