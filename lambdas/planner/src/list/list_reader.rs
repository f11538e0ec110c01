//! Reads a list through all of its files.

use serde::{Deserialize, Serialize};
use shardlift_core::{
    access::ceilings::Ceilings,
    failure::{Failure, fault::FaultKind},
    port::ListFiles,
    run::list::{ListFormat, SourceList},
    value::{bucket::BucketName, object::ETag},
};
use shardlift_lists::{
    DataFile, DataFormat, InventoryManifest, ListItem, ListPosition, ListScope, ParquetPosition,
    TableKind, TextFormat,
};

use super::{list_file::ListFile, table_file::TableFile, text_file::TextFile};

/// One byte more than the largest manifest: the reader of manifests refuses what is longer.
const MANIFEST_BYTES_MAX: u64 = (16 << 20) + 1;
/// A checksum has 32 digits.
const CHECKSUM_BYTES_MAX: u64 = 1024;

/// How far a list is read. It can be stored, and resumed by another invocation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ListReaderPosition {
    /// Which file, by its place in the manifest; 0 in a list of one file.
    file: usize,
    /// The version of that file.
    etag: Option<ETag>,
    at: FilePosition,
}

/// How far a file is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FilePosition {
    #[default]
    Begin,
    Text(ListPosition),
    Table(ParquetPosition),
}

/// What is to be read where.
pub(super) struct ListPlace<'a, F> {
    pub(super) files: &'a F,
    pub(super) list: &'a SourceList,
    pub(super) scope: ListScope,
    pub(super) ceilings: &'a Ceilings,
}

/// Reads a list through all of its files.
pub(super) struct ListReader<'a, F> {
    place: ListPlace<'a, F>,
    /// The version of the list itself, which is the manifest of an inventory.
    etag: ETag,
    manifest: Option<InventoryManifest>,
    file: usize,
    open: Option<OpenFile<'a, F>>,
    /// The calls so far, beside the ranges of the open file.
    finds: u64,
    reads: u64,
}

enum OpenFile<'a, F> {
    Text(Box<TextFile<'a, F>>),
    Table(TableFile<'a, F>),
}

impl<'a, F: ListFiles> OpenFile<'a, F> {
    async fn next(&mut self) -> Result<Option<ListItem>, Failure> {
        match self {
            Self::Text(text) => text.next().await,
            Self::Table(table) => table.next().await,
        }
    }

    fn position(&self) -> FilePosition {
        match self {
            Self::Text(text) => FilePosition::Text(text.position()),
            Self::Table(table) => FilePosition::Table(table.position()),
        }
    }

    fn file(&self) -> &ListFile<'a, F> {
        match self {
            Self::Text(text) => text.file(),
            Self::Table(table) => table.file(),
        }
    }
}

impl<'a, F: ListFiles> ListReader<'a, F> {
    /// Opens the list behind `position`. `etag` is the version that an invocation before this one read.
    ///
    /// # Errors
    /// `InvalidRun` when there is no such list, or it is another version now, or no manifest of an inventory.
    pub(super) async fn open(
        place: ListPlace<'a, F>,
        etag: Option<&ETag>,
        position: ListReaderPosition,
    ) -> Result<Self, Failure> {
        let list = place.list;
        let file = ListFile::open(place.files, &list.bucket, list.key.as_str(), etag).await?;
        let mut reader = Self {
            etag: file.version().etag.clone(),
            manifest: None,
            file: position.file,
            open: None,
            finds: 1,
            reads: 0,
            place,
        };
        if list.format == ListFormat::Inventory {
            reader.manifest = Some(reader.read_manifest(file).await?);
            reader
                .open_data(position.etag.as_ref(), position.at)
                .await?;
        } else {
            let opened = open_file(&reader.place, file, None, position.at).await?;
            reader.open = Some(opened);
        }
        Ok(reader)
    }

    /// The list.
    pub(super) fn list(&self) -> &'a SourceList {
        self.place.list
    }

    /// What a run may ask for.
    pub(super) fn ceilings(&self) -> &'a Ceilings {
        self.place.ceilings
    }

    /// The version of the list.
    pub(super) fn etag(&self) -> &ETag {
        &self.etag
    }

    /// How many HEADs and how many GETs were sent.
    pub(super) fn requests(&self) -> (u64, u64) {
        let open = self.open.as_ref().map_or(0, |open| open.file().reads());
        (self.finds, self.reads + open)
    }

    /// Where the list can be resumed: behind the line that was given out last.
    pub(super) fn position(&self) -> ListReaderPosition {
        let open = self.open.as_ref();
        ListReaderPosition {
            file: self.file,
            etag: open.map(|open| open.file().version().etag.clone()),
            at: open.map_or(FilePosition::Begin, OpenFile::position),
        }
    }

    /// The next line; nothing behind the last one of the last file.
    pub(super) async fn next(&mut self) -> Result<Option<ListItem>, Failure> {
        while let Some(open) = &mut self.open {
            if let Some(item) = open.next().await? {
                return Ok(Some(item));
            }
            self.reads += open.file().reads();
            self.open = None;
            self.file += 1;
            if self.manifest.is_some() {
                self.open_data(None, FilePosition::Begin).await?;
            }
        }
        Ok(None)
    }

    async fn read_manifest(
        &mut self,
        mut file: ListFile<'a, F>,
    ) -> Result<InventoryManifest, Failure> {
        let bytes = file.read(0..MANIFEST_BYTES_MAX).await?;
        self.reads += file.reads();
        let (bucket, key) = (&self.place.list.bucket, self.place.list.key.as_str());
        // S3 writes it beside the manifest, as its last file.
        let checksum = match key.strip_suffix("manifest.json") {
            Some(folder) => {
                let key = format!("{folder}manifest.checksum");
                self.finds += 1;
                let text = read_small(self.place.files, bucket, &key).await?;
                self.reads += u64::from(text.is_some());
                text
            }
            None => None,
        };
        InventoryManifest::read(key, &bytes, checksum.as_deref(), &self.place.scope)
    }

    /// Opens the data file whose turn it is, if one is left.
    async fn open_data(&mut self, etag: Option<&ETag>, at: FilePosition) -> Result<(), Failure> {
        let Some(manifest) = &self.manifest else {
            return Ok(());
        };
        let Some(data) = manifest.files.get(self.file) else {
            return Ok(());
        };
        let bucket = &manifest.destination_bucket;
        self.place.ceilings.check_list_file(bucket, &data.key)?;
        self.finds += 1;
        let file = ListFile::open(self.place.files, bucket, &data.key, etag).await?;
        let data = Some((data, &manifest.format));
        self.open = Some(open_file(&self.place, file, data, at).await?);
        Ok(())
    }
}

async fn open_file<'a, F: ListFiles>(
    place: &ListPlace<'a, F>,
    file: ListFile<'a, F>,
    data: Option<(&DataFile, &DataFormat)>,
    at: FilePosition,
) -> Result<OpenFile<'a, F>, Failure> {
    let format = match (data, place.list.format) {
        (Some((_, DataFormat::Csv(columns))), _) => TextFormat::InventoryCsv(columns.clone()),
        (Some((_, DataFormat::Parquet)), _) | (None, ListFormat::Parquet) => {
            let position = match at {
                FilePosition::Table(position) => position,
                FilePosition::Begin | FilePosition::Text(_) => ParquetPosition::default(),
            };
            let kind = if data.is_some() {
                TableKind::Inventory
            } else {
                TableKind::List
            };
            // An invocation before this one read all of it already, in this version.
            let checksum = data.filter(|_| position.rows() == 0);
            let checksum = checksum.map(|(data, _)| data.checksum());
            let scope = place.scope.clone();
            let table = TableFile::resume(file, scope, kind, checksum, position).await?;
            return Ok(OpenFile::Table(table));
        }
        (None, ListFormat::Csv) => TextFormat::Csv,
        (None, ListFormat::Jsonl) => TextFormat::Jsonl,
        (None, ListFormat::Receipts) => TextFormat::Receipts,
        (None, ListFormat::Inventory) => {
            return Err(Failure::invariant("an inventory consists of data files"));
        }
    };
    let position = match at {
        FilePosition::Text(position) => position,
        FilePosition::Begin | FilePosition::Table(_) => ListPosition::default(),
    };
    let checksum = data.map(|(data, _)| data.checksum());
    let text = TextFile::resume(file, format, place.scope.clone(), checksum, position);
    Ok(OpenFile::Text(Box::new(text)))
}

/// A small file that need not exist. A bucket that may not be listed refuses what does not exist.
async fn read_small(
    files: &impl ListFiles,
    bucket: &BucketName,
    key: &str,
) -> Result<Option<String>, Failure> {
    let version = match files.find(bucket, key).await {
        Ok(Some(version)) if version.size_bytes > 0 => version,
        Ok(_) => return Ok(None),
        Err(fault) if fault.kind == FaultKind::AccessDenied => return Ok(None),
        Err(fault) => return Err(Failure::from(fault).within(format!("s3://{bucket}/{key}"))),
    };
    let end = version.size_bytes.min(CHECKSUM_BYTES_MAX);
    let bytes = files.read(bucket, key, &version, 0..end).await;
    let bytes =
        bytes.map_err(|fault| Failure::from(fault).within(format!("s3://{bucket}/{key}")))?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}
