//! Inventories as S3 writes them: a manifest, and data files in CSV or Parquet.

use bytes::Bytes;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use shardlift_core::value::{object::ETag, storage::StorageClass, time::Timestamp};
use shardlift_lists::{
    DataFormat, InventoryManifest, ListItem, ListPosition, TableKind, TextFormat, WhyLeftOut,
};
use shardlift_testkit::key_strategies::any_key;

use super::{
    support::{SOURCE, bad_lines, entries, items_from, items_of, rows_of, scope},
    writers::{
        CSV_SCHEMA, InventoryRow, PARQUET_SCHEMA, inventory_csv, inventory_manifest,
        inventory_parquet,
    },
};

fn rows() -> impl Strategy<Value = Vec<InventoryRow>> {
    let row = (
        any_key(),
        any::<bool>(),
        any::<bool>(),
        0..=i64::MAX,
        0..4_000_000_000_000i64,
    )
        .prop_map(
            |(key, is_latest, is_delete_marker, size, modified_ms)| InventoryRow {
                key,
                version_id: "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY".to_owned(),
                is_latest,
                is_delete_marker,
                size,
                modified_ms,
                etag: "d41d8cd98f00b204e9800998ecf8427e-7".to_owned(),
                storage_class: "STANDARD_IA".to_owned(),
            },
        );
    proptest::collection::vec(row, 1..250)
}

/// All items of the inventory with this manifest, whose one data file this is.
fn read(manifest: &[u8], data: &Bytes) -> Vec<ListItem> {
    let manifest = InventoryManifest::read("manifest.json", manifest, None, &scope("")).unwrap();
    assert_eq!(manifest.destination_bucket.as_str(), "inventory-bucket");
    assert_eq!(manifest.created_ms, Some(1_514_944_800_000));
    assert_eq!(manifest.files.len(), 1);
    let file = &manifest.files[0];
    assert_eq!(
        (file.key.as_str(), file.size_bytes),
        ("inventory/data/1", Some(data.len() as u64))
    );
    match manifest.format {
        DataFormat::Csv(columns) => {
            let format = TextFormat::InventoryCsv(columns);
            let position = ListPosition::default();
            items_from(
                format,
                scope(""),
                Some(file.checksum()),
                data,
                100,
                position,
                usize::MAX,
            )
            .unwrap()
            .0
        }
        DataFormat::Parquet => {
            let mut checksum = file.checksum();
            data.chunks(1000).for_each(|piece| checksum.update(piece));
            checksum.finish(&file.key).unwrap();
            rows_of(data, scope(""), TableKind::Inventory).unwrap()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_inventory_of_all_versions_gives_the_newest_that_are_no_delete_markers(rows in rows(), as_parquet: bool) {
        let (format, schema, data) = if as_parquet {
            let data = inventory_parquet(SOURCE, &rows, 100, WriterProperties::default());
            ("Parquet", PARQUET_SCHEMA, data)
        } else {
            ("CSV", CSV_SCHEMA, inventory_csv(SOURCE, &rows).into())
        };
        let manifest = inventory_manifest(SOURCE, format, schema, &[("inventory/data/1", &data)]);
        let items = read(&manifest, &data);
        prop_assert!(bad_lines(&items).is_empty(), "{:?}", bad_lines(&items));
        prop_assert_eq!(items.len(), rows.len());
        for (item, row) in items.iter().zip(&rows) {
            let left_out = match item {
                ListItem::LeftOut(left_out) => Some(left_out.why),
                _ => None,
            };
            let expected = match row {
                InventoryRow { is_delete_marker: true, .. } => Some(WhyLeftOut::DeleteMarker),
                InventoryRow { is_latest: false, .. } => Some(WhyLeftOut::OldVersion),
                _ => None,
            };
            prop_assert_eq!(left_out, expected);
        }
        let listed: Vec<_> = rows.iter().filter(|row| row.is_latest && !row.is_delete_marker).collect();
        prop_assert_eq!(entries(&items).len(), listed.len());
        for (entry, row) in entries(&items).into_iter().zip(listed) {
            prop_assert_eq!(entry.key.as_str(), &row.key);
            prop_assert_eq!(entry.size_bytes, u64::try_from(row.size).ok());
            prop_assert_eq!(&entry.etag, &ETag::new(row.etag.as_str()).ok());
            prop_assert_eq!(entry.modified_at, Some(Timestamp::from_millis(row.modified_ms)));
            prop_assert_eq!(entry.storage.unwrap().class, Some(StorageClass::StandardIa));
            prop_assert_eq!(&entry.version_id, &None, "the newest version is meant, whichever that is");
        }
    }
}

#[test]
fn the_order_of_the_columns_is_that_of_the_schema() {
    let text = super::writers::gzip(b"\"17\",\"a+b\",\"x\",\"source-bucket\"\n");
    let manifest = inventory_manifest(
        SOURCE,
        "CSV",
        "Size, Key, ReplicationStatus, Bucket",
        &[("inventory/data/1", &text)],
    );
    let items = read(&manifest, &text.into());
    assert_eq!(entries(&items)[0].key.as_str(), "a b");
    assert_eq!(entries(&items)[0].size_bytes, Some(17));
}

#[test]
fn an_inventory_may_hold_more_than_the_source_prefix() {
    let row = |key: &str| InventoryRow {
        key: key.to_owned(),
        version_id: "null".to_owned(),
        is_latest: true,
        is_delete_marker: false,
        size: 1,
        modified_ms: 0,
        etag: "abc".to_owned(),
        storage_class: "STANDARD".to_owned(),
    };
    let rows = [row("a"), row("data/b"), row("data2/c")];
    let table = inventory_parquet(SOURCE, &rows, 100, WriterProperties::default());
    let text = inventory_csv(SOURCE, &rows);
    let manifest = inventory_manifest(SOURCE, "CSV", CSV_SCHEMA, &[("d", &text)]);
    let manifest =
        InventoryManifest::read("manifest.json", &manifest, None, &scope("data/")).unwrap();
    let DataFormat::Csv(columns) = manifest.format else {
        panic!("it is CSV");
    };
    let format = TextFormat::InventoryCsv(columns);
    for items in [
        rows_of(&table, scope("data/"), TableKind::Inventory).unwrap(),
        items_of(format, scope("data/"), &text, 100).unwrap(),
    ] {
        assert_eq!(entries(&items)[0].key.as_str(), "data/b");
        let left_out = items.iter().filter(
            |item| matches!(item, ListItem::LeftOut(left) if left.why == WhyLeftOut::OutsidePrefix),
        );
        assert_eq!((items.len(), left_out.count()), (3, 2));
    }
    // In a list that somebody made, such a key is a mistake.
    let items = rows_of(&table, scope("data/"), TableKind::List).unwrap();
    assert_eq!(bad_lines(&items).len(), 2);
}

#[test]
fn a_resumed_data_file_is_held_to_its_checksum_too() {
    let text = super::writers::gzip(b"\"source-bucket\",\"a\"\n\"source-bucket\",\"b\"\n");
    let manifest = inventory_manifest(SOURCE, "CSV", "Bucket, Key", &[("d", &text)]);
    let manifest = InventoryManifest::read("manifest.json", &manifest, None, &scope("")).unwrap();
    let DataFormat::Csv(columns) = manifest.format else {
        panic!("it is CSV");
    };
    let format = TextFormat::InventoryCsv(columns);
    let checksum = || Some(manifest.files[0].checksum());
    let (_, position) = items_from(
        format.clone(),
        scope(""),
        checksum(),
        &text,
        9,
        ListPosition::default(),
        1,
    )
    .unwrap();
    assert_eq!(position.read_from(), 0);
    let (rest, _) = items_from(
        format.clone(),
        scope(""),
        checksum(),
        &text,
        9,
        position.clone(),
        usize::MAX,
    )
    .unwrap();
    assert_eq!(entries(&rest)[0].key.as_str(), "b");
    let other = super::writers::gzip(b"\"source-bucket\",\"a\"\n\"source-bucket\",\"c\"\n");
    let failure = items_from(
        format,
        scope(""),
        checksum(),
        &other,
        9,
        position,
        usize::MAX,
    )
    .unwrap_err();
    assert!(failure.detail.contains("the manifest says"), "{failure}");
}
