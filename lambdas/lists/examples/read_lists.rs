//! How fast lists are read: `cargo run --release --locked --workspace --example read_lists [keys]`.
//!
//! Each format holds the same keys, 1,000,000 unless told otherwise, and comes in pieces of one megabyte from memory.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops where something is wrong"
)]

use std::time::Instant;

use bytes::Bytes;
use parquet::{
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};
use shardlift_core::value::{bucket::BucketName, key::KeyPrefix};
use shardlift_lists::{
    DataFormat, InventoryManifest, KeyOrder, ListItem, ListScope, ParquetList, ParquetPosition,
    Step, TableKind, TextFormat, TextList,
};

#[path = "../tests/lists/writers.rs"]
mod writers;

use writers::{
    Cells, InventoryRow, gzip, inventory_csv, inventory_manifest, inventory_parquet, parquet, zstd,
};

const BUCKET: &str = "source-bucket";
const PIECE_BYTES: usize = 1 << 20;

fn main() {
    let count = std::env::args()
        .nth(1)
        .map_or(1_000_000, |count| count.parse().unwrap());
    let keys: Vec<String> = (0..count)
        .map(|index| format!("data/year=2026/month=11/part-{index:08}/events.snappy.parquet"))
        .collect();
    println!("{count} keys in order; resident memory grows with the files, which lie in memory");
    texts(&keys);
    tables(&keys);
    inventories(&keys);
}

fn texts(keys: &[String]) {
    let csv: String = keys
        .iter()
        .map(|key| format!("{BUCKET},{}\n", writers::url_encoded(key)))
        .collect();
    let versions: String = keys
        .iter()
        .map(|key| {
            format!(
                "\"{BUCKET}\",\"{}\",\"3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY\"\r\n",
                writers::url_encoded(key)
            )
        })
        .collect();
    let json: String = keys
        .iter()
        .map(|key| {
            format!(
                "{{\"bucket\":\"{BUCKET}\",\"key\":\"{key}\",\"size\":1048576,\"e_tag\":\"d41d8cd98f00b204e9800998ecf8427e\",\
                 \"last_modified_date\":\"2026-11-22T01:02:03.004Z\",\"storage_class\":\"STANDARD\"}}\n"
            )
        })
        .collect();
    let receipts: String = keys
        .iter()
        .map(|key| {
            let key = key.strip_prefix("data/").unwrap();
            format!("{{\"key\":\"{key}\",\"outcome\":\"copied\",\"etag\":\"d41d8cd98f00b204e9800998ecf8427e\",\"size\":7}}\n")
        })
        .collect();
    for (name, format, bytes) in [
        ("csv", TextFormat::Csv, csv.clone().into_bytes()),
        ("csv, gzip", TextFormat::Csv, gzip(csv.as_bytes())),
        (
            "csv, quoted, with versions",
            TextFormat::Csv,
            versions.into_bytes(),
        ),
        ("jsonl", TextFormat::Jsonl, json.into_bytes()),
        (
            "receipts (zstd)",
            TextFormat::Receipts,
            zstd(receipts.as_bytes()),
        ),
    ] {
        timed(name, bytes.len(), || read_text(format, &bytes));
    }
}

fn tables(keys: &[String]) {
    let columns = [
        Cells::texts(keys),
        Cells::Long(vec![Some(1 << 20); keys.len()]),
        Cells::texts(&vec!["d41d8cd98f00b204e9800998ecf8427e"; keys.len()]),
    ];
    let fields = "required binary key (UTF8); optional int64 size; optional binary e_tag (UTF8);";
    for (name, compression) in [
        ("parquet, snappy", Compression::SNAPPY),
        ("parquet, zstd", Compression::ZSTD(ZstdLevel::default())),
    ] {
        let properties = WriterProperties::builder()
            .set_compression(compression)
            .build();
        let bytes = parquet(fields, &columns, keys.len(), 500_000, properties);
        timed(name, bytes.len(), || read_table(&bytes, TableKind::List));
    }
}

fn inventories(keys: &[String]) {
    let rows: Vec<_> = keys
        .iter()
        .map(|key| InventoryRow {
            key: key.clone(),
            version_id: "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY".to_owned(),
            is_latest: true,
            is_delete_marker: false,
            size: 1 << 20,
            modified_ms: 1_795_309_323_000,
            etag: "d41d8cd98f00b204e9800998ecf8427e".to_owned(),
            storage_class: "STANDARD".to_owned(),
        })
        .collect();
    let bytes = inventory_csv(BUCKET, &rows);
    let manifest = inventory_manifest(
        BUCKET,
        "CSV",
        writers::CSV_SCHEMA,
        &[("data/1.csv.gz", &bytes)],
    );
    let manifest = InventoryManifest::read("manifest.json", &manifest, None, &scope()).unwrap();
    let DataFormat::Csv(columns) = manifest.format else {
        unreachable!("it is CSV");
    };
    timed("inventory, CSV.gz", bytes.len(), || {
        read_text(TextFormat::InventoryCsv(columns), &bytes)
    });
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .build();
    let bytes = inventory_parquet(BUCKET, &rows, 500_000, properties);
    timed("inventory, Parquet", bytes.len(), || {
        read_table(&bytes, TableKind::Inventory)
    });
}

fn timed(name: &str, bytes: usize, read: impl FnOnce() -> (u64, bool)) {
    let begin = Instant::now();
    let (keys, is_increasing) = read();
    let seconds = begin.elapsed().as_secs_f64();
    let order = if is_increasing {
        "in order"
    } else {
        "out of order"
    };
    println!(
        "{name:28} {:10.0} keys/s {:7.1} MB/s of the file  {keys} keys {order}",
        keys as f64 / seconds,
        bytes as f64 / seconds / 1e6
    );
}

fn scope() -> ListScope {
    ListScope {
        bucket: BucketName::new(BUCKET).unwrap(),
        prefix: KeyPrefix::new("data/").unwrap(),
    }
}

fn read_text(format: TextFormat, bytes: &[u8]) -> (u64, bool) {
    let mut list = TextList::new(format, "list", scope(), None);
    let mut pieces = bytes.chunks(PIECE_BYTES);
    let (mut count, mut order) = (0, KeyOrder::default());
    loop {
        match list.next().unwrap() {
            Step::Item(item) => counted(&item, &mut count, &mut order),
            Step::NeedsBytes => match pieces.next() {
                Some(piece) => list.feed(piece.to_vec()),
                None => list.end(),
            },
            Step::End => return (count, order.is_increasing()),
        }
    }
}

fn read_table(bytes: &Bytes, kind: TableKind) -> (u64, bool) {
    let mut list = ParquetList::open(
        bytes.clone(),
        "list",
        scope(),
        kind,
        ParquetPosition::default(),
    )
    .unwrap();
    let (mut count, mut order) = (0, KeyOrder::default());
    while let Some(item) = list.next().unwrap() {
        counted(&item, &mut count, &mut order);
    }
    (count, order.is_increasing())
}

fn counted(item: &ListItem, count: &mut u64, order: &mut KeyOrder) {
    if let ListItem::Entry(entry) = item {
        *count += 1;
        order.observe(&entry.key);
    }
}
