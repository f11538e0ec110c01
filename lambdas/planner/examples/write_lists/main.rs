//! Writes lists of a bucket's objects, for `tests/bench/lists.py`: reads the bucket's listing from an S3 endpoint and writes
//! the same objects in each format that is asked for.
//!
//! Arguments: bucket, folder, formats. Environment as for `plan_listing`.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark stops where something is wrong"
)]

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Context as _;
use futures::{StreamExt, TryStreamExt, stream};
use parquet::{basic::Compression, file::properties::WriterProperties};
use shardlift_aws::{AwsAccounts, clients, retry::RetriedByCaller};
use shardlift_core::{
    port::{
        Accounts, BucketListing, ListRequest, ListedVersion, SourceBucket, VersionMarker,
        VersionRequest,
    },
    run::pair::Source,
    value::{bucket::BucketName, key::KeyPrefix, object::ListedObject, time::Timestamp},
};

#[expect(dead_code, reason = "the tests of lists take all of it")]
#[path = "../../../lists/tests/lists/writers.rs"]
mod writers;

use writers::{
    CSV_SCHEMA, Cells, InventoryRow, PARQUET_SCHEMA, inventory_csv, inventory_manifest,
    inventory_parquet, parquet, url_encoded,
};

/// How many data files an inventory has.
const INVENTORY_FILES: usize = 40;
/// The rows of a row group, as writers of Parquet make them.
const GROUP_ROWS: usize = 250_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bucket, folder, formats @ ..] = arguments.as_slice() else {
        anyhow::bail!("expected a bucket, a folder and formats");
    };
    let objects = listed(bucket, false).await?;
    for format in formats {
        let folder = Path::new(folder).join(format);
        fs::create_dir_all(&folder)?;
        if format == "csv-versions-shuffled" {
            let versions = listed(bucket, true).await?;
            let lines = csv_of_versions(shuffled(&versions).into_iter());
            fs::write(folder.join("list"), lines)?;
        } else {
            write(bucket, &folder, format, &objects)?;
        }
    }
    Ok(())
}

/// All objects of the bucket in key order, with their versions if asked for. Their keys begin with hexadecimal digits.
async fn listed(bucket: &str, with_versions: bool) -> anyhow::Result<Vec<ListedObject>> {
    let config = clients::sdk_config().await;
    let endpoint = std::env::var("DATA_S3_ENDPOINT_URL").context("DATA_S3_ENDPOINT_URL")?;
    let accounts =
        AwsAccounts::retried_by_caller(&config, Some(endpoint), RetriedByCaller::Listings);
    let source = Source {
        bucket: BucketName::new(bucket)?,
        prefix: KeyPrefix::default(),
        request_payer: false,
    };
    let source = &accounts.open_source(&source).await?;
    let parts = (0..16).map(|digit| async move {
        let prefix = KeyPrefix::new(format!("{digit:x}"))?;
        let (mut objects, mut after) = (Vec::new(), None);
        loop {
            let request = ListRequest {
                prefix: prefix.clone(),
                after,
            };
            let is_truncated = if with_versions {
                let after = request.after.map(|key| VersionMarker {
                    key,
                    version_id: None,
                });
                let request = VersionRequest {
                    prefix: request.prefix,
                    after,
                    versions_max: None,
                };
                let page = source.list_versions(&request).await?;
                let versions = page.versions.into_iter();
                objects.extend(versions.filter_map(|version| match version {
                    ListedVersion::Object(object) => Some(object),
                    ListedVersion::DeleteMarker { .. } => None,
                }));
                page.is_truncated
            } else {
                let page = source.list_page(&request).await?;
                objects.extend(page.objects);
                page.is_truncated
            };
            if !is_truncated {
                return anyhow::Ok(objects);
            }
            after = objects
                .last()
                .map(|object: &ListedObject| object.key.clone());
        }
    });
    let parts: Vec<Vec<ListedObject>> = stream::iter(parts).buffered(16).try_collect().await?;
    Ok(parts.into_iter().flatten().collect())
}

fn write(
    bucket: &str,
    folder: &Path,
    format: &str,
    objects: &[ListedObject],
) -> anyhow::Result<()> {
    match format {
        "csv" => fs::write(folder.join("list"), csv(objects.iter()))?,
        "csv-shuffled" => fs::write(folder.join("list"), csv(shuffled(objects).into_iter()))?,
        "csv-keys" => fs::write(folder.join("list"), keys(bucket, objects.iter()))?,
        "csv-keys-shuffled" => {
            fs::write(
                folder.join("list"),
                keys(bucket, shuffled(objects).into_iter()),
            )?;
        }
        "parquet" => fs::write(folder.join("list"), table(objects))?,
        "inventory-csv" | "inventory-parquet" => inventory(bucket, folder, format, objects)?,
        other => anyhow::bail!("{other} is no format"),
    }
    Ok(())
}

fn shuffled(objects: &[ListedObject]) -> Vec<&ListedObject> {
    let mut objects: Vec<&ListedObject> = objects.iter().collect();
    fastrand::Rng::with_seed(1).shuffle(&mut objects);
    objects
}

/// All that a list can tell, with a header.
fn csv<'a>(objects: impl Iterator<Item = &'a ListedObject>) -> String {
    let mut text = "key,size,etag,last_modified_date,storage_class\n".to_owned();
    for object in objects {
        let (key, size) = (url_encoded(object.key.as_str()), object.size_bytes);
        let (etag, modified) = (&object.etag, object.modified_at);
        writeln!(text, "{key},{size},{etag},{modified},STANDARD").unwrap();
    }
    text
}

/// The same, and the version of each.
fn csv_of_versions<'a>(objects: impl Iterator<Item = &'a ListedObject>) -> String {
    let mut text = "key,version_id,size,etag,last_modified_date,storage_class\n".to_owned();
    for object in objects {
        let (key, size) = (url_encoded(object.key.as_str()), object.size_bytes);
        let version = object.version_id.as_ref().unwrap();
        let (etag, modified) = (&object.etag, object.modified_at);
        writeln!(text, "{key},{version},{size},{etag},{modified},STANDARD").unwrap();
    }
    text
}

/// A manifest of S3 Batch Operations.
fn keys<'a>(bucket: &str, objects: impl Iterator<Item = &'a ListedObject>) -> String {
    let line = |object: &ListedObject| format!("{bucket},{}\n", url_encoded(object.key.as_str()));
    objects.map(line).collect()
}

fn table(objects: &[ListedObject]) -> Vec<u8> {
    let texts = |text: fn(&ListedObject) -> String| {
        Cells::texts(&objects.iter().map(text).collect::<Vec<String>>())
    };
    let longs = |number: fn(&ListedObject) -> i64| {
        Cells::Long(objects.iter().map(|object| Some(number(object))).collect())
    };
    let columns = [
        texts(|object| object.key.to_string()),
        longs(|object| i64::try_from(object.size_bytes).unwrap()),
        texts(|object| object.etag.to_string()),
        longs(|object| millis(object.modified_at)),
        texts(|_| "STANDARD".to_owned()),
    ];
    let fields = "required binary key (UTF8); required int64 size; required binary e_tag (UTF8); \
        required int64 last_modified_date (TIMESTAMP_MILLIS); required binary storage_class (UTF8);";
    parquet(fields, &columns, objects.len(), GROUP_ROWS, properties()).to_vec()
}

fn inventory(
    bucket: &str,
    folder: &Path,
    format: &str,
    objects: &[ListedObject],
) -> anyhow::Result<()> {
    let (format, schema, ending) = match format {
        "inventory-csv" => ("CSV", CSV_SCHEMA, "csv.gz"),
        _ => ("Parquet", PARQUET_SCHEMA, "parquet"),
    };
    fs::create_dir_all(folder.join("data"))?;
    let mut files = Vec::new();
    let per_file = objects.len().div_ceil(INVENTORY_FILES).max(1);
    for (number, objects) in objects.chunks(per_file).enumerate() {
        let rows: Vec<InventoryRow> = objects.iter().map(row).collect();
        let body = match format {
            "CSV" => inventory_csv(bucket, &rows),
            _ => inventory_parquet(bucket, &rows, GROUP_ROWS, properties()).to_vec(),
        };
        let name = format!("data/{number:02}.{ending}");
        fs::write(folder.join(&name), &body)?;
        files.push((name, body));
    }
    // S3 states no order of the files.
    files.reverse();
    let named: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, body)| (name.as_str(), body.as_slice()))
        .collect();
    let manifest = inventory_manifest(bucket, format, schema, &named);
    fs::write(folder.join("manifest.checksum"), writers::md5_of(&manifest))?;
    fs::write(folder.join("manifest.json"), manifest)?;
    Ok(())
}

fn row(object: &ListedObject) -> InventoryRow {
    InventoryRow {
        key: object.key.to_string(),
        version_id: "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY".to_owned(),
        is_latest: true,
        is_delete_marker: false,
        size: i64::try_from(object.size_bytes).unwrap(),
        modified_ms: millis(object.modified_at),
        etag: object.etag.to_string(),
        storage_class: "STANDARD".to_owned(),
    }
}

fn millis(instant: Timestamp) -> i64 {
    instant.as_epoch_seconds() * 1_000
}

fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .build()
}
