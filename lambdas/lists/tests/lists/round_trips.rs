//! What a writer writes comes back, whatever the keys are (P6).

use parquet::{
    basic::{Compression, ZstdLevel},
    data_type::Int96,
    file::properties::{WriterProperties, WriterVersion},
};
use proptest::prelude::*;
use shardlift_core::{
    failure::{Failure, FailureCode},
    value::{cell::to_cell, id::VersionId, storage::StorageClass, time::Timestamp},
};
use shardlift_lists::{KeyOrder, ListItem, TableKind, TextFormat, WhyLeftOut};
use shardlift_testkit::key_strategies::any_key;

use super::{
    support::{SOURCE, Unreadable, bad_lines, entries, items_of, rows_from, rows_of, scope},
    writers::{Cells, gzip, parquet, url_encoded, zstd},
};

fn keys() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(any_key(), 1..12)
}

fn keys_of(items: &[ListItem]) -> Vec<&str> {
    assert_eq!(bad_lines(items), Vec::<&shardlift_lists::BadLine>::new());
    entries(items)
        .iter()
        .map(|entry| entry.key.as_str())
        .collect()
}

/// A text as it is, under gzip, and under zstd.
fn packed(text: &[u8], packing: u8) -> Vec<u8> {
    match packing {
        0 => text.to_vec(),
        1 => gzip(text),
        _ => zstd(text),
    }
}

proptest! {
    #[test]
    fn a_manifest_of_batch_operations_comes_back(
        keys in keys(), versioned: bool, quoted: bool, crlf: bool, mark: bool, header: bool,
        packing in 0u8..3, piece in 1usize..300,
    ) {
        let mut text = if mark { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
        let mut writer = csv::WriterBuilder::new()
            .quote_style(if quoted { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary })
            .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .from_writer(&mut text);
        let width = if versioned { 3 } else { 2 };
        if header {
            writer.write_record(&["Bucket", "Key", "VersionId"][..width]).unwrap();
        }
        for key in &keys {
            writer.write_record(&[SOURCE, &url_encoded(key), "v.1_x"][..width]).unwrap();
        }
        drop(writer);
        let items = items_of(TextFormat::Csv, scope(""), &packed(&text, packing), piece).unwrap();
        prop_assert_eq!(keys_of(&items), keys.iter().map(String::as_str).collect::<Vec<_>>());
        for (index, entry) in entries(&items).iter().enumerate() {
            prop_assert_eq!(entry.version_id.as_ref().map(VersionId::as_str), versioned.then_some("v.1_x"));
            prop_assert_eq!(entry.place.line, index as u64 + 1 + u64::from(header));
        }
    }

    #[test]
    fn the_failures_of_a_run_come_back(keys in keys(), piece in 1usize..300) {
        // As the reporter writes them.
        let mut text = Vec::new();
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .quote_style(csv::QuoteStyle::Always)
            .from_writer(&mut text);
        writer.write_record(["key", "size", "reason", "detail", "shard"]).unwrap();
        for key in &keys {
            writer.write_record([to_cell(key).as_ref(), "7", "AccessDenied", "a\n\"detail\"", "1-0"]).unwrap();
        }
        drop(writer);
        let items = items_of(TextFormat::Csv, scope(""), &text, piece).unwrap();
        prop_assert_eq!(keys_of(&items), keys.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert!(entries(&items).iter().all(|entry| entry.size_bytes == Some(7)));
    }

    #[test]
    fn json_lines_come_back(keys in keys(), metadata_names: bool, packing in 0u8..3, piece in 1usize..300) {
        let mut text = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let etag = if metadata_names { "e_tag" } else { "etag" };
            let line = serde_json::json!({
                "bucket": SOURCE, "key": key, "size": index, etag: "abc-2", "version_id": null,
                "last_modified_date": "2026-11-22 01:02:03.004", "storage_class": "GLACIER",
                "object_tags": { "a": ["b"] },
            });
            text.extend_from_slice(line.to_string().as_bytes());
            text.push(b'\n');
        }
        let items = items_of(TextFormat::Jsonl, scope(""), &packed(&text, packing), piece).unwrap();
        prop_assert_eq!(keys_of(&items), keys.iter().map(String::as_str).collect::<Vec<_>>());
        for (index, entry) in entries(&items).iter().enumerate() {
            prop_assert_eq!(entry.size_bytes, Some(index as u64));
            prop_assert_eq!(entry.etag.as_ref().unwrap().as_str(), "abc-2");
            prop_assert_eq!(entry.modified_at, Some(Timestamp::parse("2026-11-22T01:02:03.004Z").unwrap()));
            prop_assert_eq!(entry.storage.unwrap().class, Some(StorageClass::Glacier));
            prop_assert_eq!(&entry.version_id, &None);
        }
    }

    #[test]
    fn receipts_come_back_if_the_run_vouches_for_them(keys in keys(), piece in 1usize..300) {
        let outcomes = ["copied", "same", "beside", "deleted", "skipped", "failed"];
        let mut text = Vec::new();
        let mut vouched = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let Some(relative) = key.get(..key.len().min(1000)).map(|key| format!("x{key}")) else { continue };
            let outcome = outcomes[index % outcomes.len()];
            let line = serde_json::json!({
                "key": relative, "outcome": outcome, "etag": "abc", "size": 5, "version_id": "target", "source_version_id": "v", "index": index,
            });
            text.extend_from_slice(format!("{line}\n").as_bytes());
            if index % outcomes.len() < 2 {
                vouched.push(format!("data/{relative}"));
            }
        }
        let items = items_of(TextFormat::Receipts, scope("data/"), &zstd(&text), piece).unwrap();
        prop_assert_eq!(keys_of(&items), vouched.iter().map(String::as_str).collect::<Vec<_>>());
        let left_out = items.iter().filter(|item| matches!(item, ListItem::LeftOut(left) if left.why == WhyLeftOut::NotVouched));
        prop_assert_eq!(left_out.count() + vouched.len(), items.len());
    }

    #[test]
    fn a_table_comes_back(
        keys in keys(), compression in 0usize..4, dictionary: bool, version_2: bool, group_rows in 1usize..9, page_rows in 1usize..5,
    ) {
        let compression = [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::GZIP(parquet::basic::GzipLevel::default()),
            Compression::ZSTD(ZstdLevel::default()),
        ][compression];
        let properties = WriterProperties::builder()
            .set_compression(compression)
            .set_dictionary_enabled(dictionary)
            .set_writer_version(if version_2 { WriterVersion::PARQUET_2_0 } else { WriterVersion::PARQUET_1_0 })
            .set_encoding(parquet::basic::Encoding::PLAIN)
            .set_data_page_row_count_limit(page_rows)
            .set_write_batch_size(1)
            .build();
        let texts = Cells::texts(&keys);
        let some = |index: usize| index.is_multiple_of(2);
        let sizes = (0..keys.len()).map(|index| some(index).then_some(index as i64 * 1_000_000_007)).collect();
        let fields = "required binary key (UTF8); optional int64 size; optional binary note (UTF8);";
        let notes = Cells::Text(vec![None; keys.len()]);
        let bytes = parquet(fields, &[texts, Cells::Long(sizes), notes], keys.len(), group_rows, properties);
        let items = rows_of(&bytes, scope(""), TableKind::List).unwrap();
        prop_assert_eq!(keys_of(&items), keys.iter().map(String::as_str).collect::<Vec<_>>());
        for (index, entry) in entries(&items).iter().enumerate() {
            prop_assert_eq!(entry.size_bytes, some(index).then_some(index as u64 * 1_000_000_007));
            prop_assert_eq!(entry.place.line, index as u64 + 1);
        }
    }
}

#[test]
fn each_form_of_an_instant_is_read() {
    let expected = Timestamp::parse("2026-11-22T01:02:03.004Z").unwrap();
    let ms = expected.as_millis();
    // Days since the beginning of the Julian period, and the nanoseconds of the day.
    let nanos = u64::try_from(ms.rem_euclid(86_400_000)).unwrap() * 1_000_000;
    let mut int96 = Int96::new();
    let low = u32::try_from(nanos & 0xffff_ffff).unwrap();
    let high = u32::try_from(nanos >> 32).unwrap();
    int96.set_data(
        low,
        high,
        u32::try_from(ms.div_euclid(86_400_000) + 2_440_588).unwrap(),
    );
    for (field, cells) in [
        (
            "int64 last_modified_date (TIMESTAMP_MILLIS)",
            Cells::Long(vec![Some(ms)]),
        ),
        (
            "int64 last_modified_date (TIMESTAMP(MILLIS,true))",
            Cells::Long(vec![Some(ms)]),
        ),
        (
            "int64 last_modified_date (TIMESTAMP(MICROS,true))",
            Cells::Long(vec![Some(ms * 1_000 + 999)]),
        ),
        (
            "int64 last_modified_date (TIMESTAMP(NANOS,false))",
            Cells::Long(vec![Some(ms * 1_000_000)]),
        ),
        ("int96 last_modified_date", Cells::Int96(vec![Some(int96)])),
        (
            "binary last_modified_date (UTF8)",
            Cells::texts(&["2026-11-22T01:02:03.004Z"]),
        ),
    ] {
        let fields = format!("required binary key; optional {field};");
        let bytes = parquet(
            &fields,
            &[Cells::texts(&["k"]), cells],
            1,
            1,
            WriterProperties::default(),
        );
        let items = rows_of(&bytes, scope(""), TableKind::List).unwrap();
        assert_eq!(entries(&items)[0].modified_at, Some(expected), "{field}");
    }
}

#[test]
fn the_failure_of_a_range_is_returned_as_it_is() {
    let keys: Vec<String> = (0..2000).map(|index| format!("key-{index}")).collect();
    let bytes = parquet(
        "required binary key;",
        &[Cells::texts(&keys)],
        2000,
        2000,
        WriterProperties::default(),
    );
    let throttled = Failure::new(FailureCode::Throttled, "s3:GetObject failed: slow down");
    let source = Unreadable(bytes, throttled.clone());
    let read = rows_from(source, scope(""), TableKind::List, Default::default(), 10);
    assert_eq!(read.unwrap_err(), throttled);
}

#[test]
fn the_order_of_a_list_is_seen_as_it_is_read() {
    let order_of = |text: &str| {
        let items = items_of(TextFormat::Csv, scope(""), text.as_bytes(), 7).unwrap();
        let mut order = KeyOrder::default();
        entries(&items).iter().for_each(|entry| {
            order.observe(&entry.key);
        });
        order.is_increasing()
    };
    // Encoded, the second key would come first: a + stands before a hyphen, and a space before both.
    assert!(order_of(
        "source-bucket,a+b\nsource-bucket,a%2Bb\nsource-bucket,a-b\n"
    ));
    assert!(!order_of("source-bucket,b\nsource-bucket,a\n"));
}
