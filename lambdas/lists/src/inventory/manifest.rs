//! The `manifest.json` of an S3 Inventory
//! (docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html#storage-inventory-location-manifest).

use serde::Deserialize;
use shardlift_core::{failure::Failure, value::bucket::BucketName};

use super::file_checksum::FileChecksum;
use crate::{
    bad_line::{excerpt, library_message},
    scope::ListScope,
    text::CsvColumns,
    whole_file::{UPLOAD_AGAIN, refused},
};

/// The largest manifest: some 90,000 data files.
const MANIFEST_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What an S3 Inventory consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryManifest {
    /// The bucket in which the data files lie.
    pub destination_bucket: BucketName,
    /// When S3 began to scan the source bucket, in milliseconds since 1970, if the manifest says so.
    pub created_ms: Option<i64>,
    /// How the data files are read.
    pub format: DataFormat,
    /// The data files, in the order of the manifest.
    pub files: Vec<DataFile>,
}

/// How the data files of an inventory are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataFormat {
    /// As CSV under gzip with these columns.
    Csv(CsvColumns),
    /// As Parquet, which names its columns itself.
    Parquet,
}

/// A data file of an inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Its key in the destination bucket.
    pub key: String,
    /// Its size in bytes, if the manifest states it.
    pub size_bytes: Option<u64>,
    md5: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManifestDocument {
    source_bucket: String,
    destination_bucket: String,
    #[serde(default)]
    creation_timestamp: Option<String>,
    file_format: String,
    file_schema: String,
    files: Vec<FileDocument>,
}

#[derive(Deserialize)]
struct FileDocument {
    key: String,
    #[serde(default)]
    size: Option<u64>,
    #[serde(rename = "MD5checksum")]
    md5: String,
}

impl DataFile {
    /// The checksum that its bytes must have.
    ///
    /// # Panics
    /// Never: the manifest was read only because it states one.
    #[must_use]
    pub fn checksum(&self) -> FileChecksum {
        FileChecksum::new(&self.md5, self.size_bytes)
            .expect("a manifest is read with its checksums")
    }
}

impl InventoryManifest {
    /// Reads the manifest of an inventory of the source bucket. `checksum` is what `manifest.checksum` beside it holds, where
    /// that was read: the MD5 of the manifest.
    ///
    /// # Errors
    /// `InvalidRun` when it is no such manifest, is of another bucket, has another checksum, or names ORC files.
    pub fn read(
        file: &str,
        bytes: &[u8],
        checksum: Option<&str>,
        scope: &ListScope,
    ) -> Result<Self, Failure> {
        if bytes.len() > MANIFEST_BYTES_MAX {
            let problem = format!("the manifest is longer than {MANIFEST_BYTES_MAX} bytes");
            return Err(refused(file, problem, NAME_A_MANIFEST));
        }
        if let Some(md5) = checksum {
            let Some(mut sum) = FileChecksum::new(md5.trim(), None) else {
                let problem = "the manifest.checksum beside it holds no MD5";
                return Err(refused(file, problem, UPLOAD_AGAIN));
            };
            sum.update(bytes);
            sum.finish(file)?;
        }
        let document: ManifestDocument = serde_json::from_slice(bytes).map_err(|error| {
            let problem = format!(
                "it is no manifest.json of an S3 Inventory: {}",
                library_message(&error)
            );
            refused(file, problem, NAME_A_MANIFEST)
        })?;
        document.checked(file, scope)
    }
}

const NAME_A_MANIFEST: &str =
    "name the manifest.json of an S3 Inventory in CSV or Parquet and start a new execution";

impl ManifestDocument {
    fn checked(self, file: &str, scope: &ListScope) -> Result<InventoryManifest, Failure> {
        if self.source_bucket != scope.bucket.as_str() {
            let problem = format!(
                "it is an inventory of the bucket \"{}\", and the source is {}",
                excerpt(&self.source_bucket),
                scope.bucket
            );
            return Err(refused(
                file,
                problem,
                "name an inventory of the source bucket and start a new execution",
            ));
        }
        let format = match self.file_format.to_ascii_uppercase().as_str() {
            "CSV" => DataFormat::Csv(CsvColumns::of_inventory(file, &self.file_schema)?),
            "PARQUET" => DataFormat::Parquet,
            "ORC" => {
                let action = "configure the inventory in Apache Parquet or CSV, or convert it, and start a new execution";
                return Err(refused(
                    file,
                    "its data files are Apache ORC, which is not read",
                    action,
                ));
            }
            other => {
                let problem = format!(
                    "it has data files of the unknown format \"{}\"",
                    excerpt(other)
                );
                return Err(refused(file, problem, NAME_A_MANIFEST));
            }
        };
        // S3 writes an ARN; other writers a name.
        let bucket = self
            .destination_bucket
            .rsplit(':')
            .next()
            .unwrap_or_default();
        let destination_bucket = BucketName::new(bucket).map_err(|error| {
            refused(file, format!("destinationBucket: {error}"), NAME_A_MANIFEST)
        })?;
        let created_ms = self.creation_timestamp.and_then(|text| text.parse().ok());
        let files = self.files.into_iter().map(|data| data.checked(file));
        Ok(InventoryManifest {
            destination_bucket,
            created_ms,
            format,
            files: files.collect::<Result<_, _>>()?,
        })
    }
}

impl FileDocument {
    fn checked(self, manifest: &str) -> Result<DataFile, Failure> {
        let is_key = !self.key.is_empty() && self.key.len() <= 1024;
        if !is_key || FileChecksum::new(&self.md5, self.size).is_none() {
            let problem = format!(
                "it names the data file \"{}\" with the MD5 \"{}\"",
                excerpt(&self.key),
                excerpt(&self.md5)
            );
            return Err(refused(
                manifest,
                problem,
                "restore the manifest as S3 wrote it and start a new execution",
            ));
        }
        Ok(DataFile {
            key: self.key,
            size_bytes: self.size,
            md5: self.md5,
        })
    }
}
