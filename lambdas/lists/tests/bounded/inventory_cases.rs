//! Inventories: manifests, and data files that are not theirs.

use super::{
    case::{Case, Expected, Input, SOURCE},
    writers::{CSV_SCHEMA, PARQUET_SCHEMA, gzip, inventory_manifest},
};

fn manifest(name: &'static str, bytes: impl AsRef<[u8]>, words: &'static str) -> Case {
    let input = Input::Manifest(bytes.as_ref().to_vec(), None);
    Case {
        name,
        input,
        expected: Expected::Refused(words),
    }
}

/// A manifest as S3 writes it, with one text in place of another.
fn changed(name: &'static str, from: &str, to: &str, words: &'static str) -> Case {
    let bytes = inventory_manifest(SOURCE, "CSV", CSV_SCHEMA, &[("inventory/data/1", b"abc")]);
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    manifest(name, text.replace(from, to), words)
}

fn data(name: &'static str, schema: &str, stated: &[u8], found: &[u8], expected: Expected) -> Case {
    let manifest = inventory_manifest(SOURCE, "CSV", schema, &[("inventory/data/1", stated)]);
    Case {
        name,
        input: Input::Inventory(manifest, found.to_vec()),
        expected,
    }
}

#[expect(clippy::too_many_lines, reason = "a table, case by case")]
pub(crate) fn all() -> Vec<Case> {
    let good = gzip(b"\"source-bucket\",\"data/x\"\n");
    let other = gzip(b"\"source-bucket\",\"data/y\"\n");
    let md5 = "900150983cd24fb0d6963f7d28e17f72";
    let orc = "struct<bucket:string,key:string,size:bigint>";
    let wrong_sum = inventory_manifest(
        SOURCE,
        "Parquet",
        PARQUET_SCHEMA,
        &[("inventory/data/1", b"abc")],
    );
    vec![
        manifest("no manifest", "", "no manifest.json of an S3 Inventory"),
        manifest(
            "a manifest that is a list",
            "source-bucket,data/x\n",
            "no manifest.json of an S3 Inventory",
        ),
        manifest(
            "a manifest of another service",
            "{\"entries\":[]}",
            "missing field",
        ),
        manifest("a manifest of 17 MiB", vec![b' '; 17 << 20], "longer than"),
        manifest(
            "a manifest as deep as it is long",
            "[".repeat(1 << 20),
            "no manifest.json of an S3 Inventory",
        ),
        manifest(
            "an inventory in ORC",
            inventory_manifest(SOURCE, "ORC", orc, &[]),
            "Apache ORC, which is not read",
        ),
        manifest(
            "an inventory of another bucket",
            inventory_manifest("other", "CSV", CSV_SCHEMA, &[]),
            "inventory of the bucket \"other\"",
        ),
        changed(
            "an unknown format",
            "\"CSV\"",
            "\"Avro\"",
            "unknown format \"AVRO\"",
        ),
        changed(
            "a schema without keys",
            "Bucket, Key,",
            "Bucket,",
            "fileSchema names no column `key`",
        ),
        changed(
            "a schema with two keys",
            "Bucket, Key,",
            "Key, Key,",
            "`key` twice",
        ),
        changed(
            "an MD5 that is none",
            md5,
            "f11166069f1990abeb9c97ace9cdEXAMPLE",
            "EXAMPLE",
        ),
        changed(
            "no MD5",
            "MD5checksum",
            "md5",
            "missing field `MD5checksum`",
        ),
        changed(
            "a data file without a key",
            "inventory/data/1",
            "",
            "the data file \"\"",
        ),
        changed(
            "a negative size",
            "\"size\": 3",
            "\"size\": -3",
            "no manifest.json of an S3 Inventory",
        ),
        changed(
            "a destination that is none",
            "inventory-bucket",
            "?",
            "destinationBucket",
        ),
        Case {
            name: "a manifest with another checksum",
            input: Input::Manifest(
                wrong_sum.clone(),
                Some("900150983cd24fb0d6963f7d28e17f72\n"),
            ),
            expected: Expected::Refused("its MD5 is"),
        },
        Case {
            name: "a checksum that is none",
            input: Input::Manifest(wrong_sum, Some("<html>")),
            expected: Expected::Refused("holds no MD5"),
        },
        data(
            "a data file with another MD5",
            "Bucket, Key",
            &good,
            &other,
            Expected::Refused("its MD5 is"),
        ),
        data(
            "a data file with other cells",
            "Bucket, Key, Size",
            &good,
            &good,
            Expected::Lines(0, &[(1, "2 cells instead of 3")]),
        ),
        data(
            "a data file cut off",
            "Bucket, Key",
            &good,
            &good[..good.len() - 1],
            Expected::Refused("gzip file is cut off or damaged"),
        ),
        data(
            "a data file of nothing",
            "Bucket, Key",
            &good,
            b"",
            Expected::Refused("it has 0 bytes"),
        ),
    ]
}
