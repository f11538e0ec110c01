//! The files that a list consists of.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shardlift_core::{
    access::ceilings::Ceilings,
    documents::receipt_index,
    failure::{Failure, fault::FaultKind},
    port::{FileVersion, ListFiles},
    run::list::{ListFormat, SourceList},
    value::{bucket::BucketName, key::ObjectKey, object::ETag, printable::Printable},
};
use shardlift_lists::{
    DataFormat, FileChecksum, InventoryManifest, LineSurvey, ListItem, ListPosition, ListScope,
    ParquetPosition, TableKind, TextFormat,
};

use super::{
    list_file::{FileRole, ListFile, ListRequests},
    list_rules::LineRules,
    receipt_files::{self, ReceiptFile},
    table_file::{TableFile, TableReading},
    text_file::TextFile,
};

/// One byte more than the largest manifest: the reader of manifests refuses what is longer.
const MANIFEST_BYTES_MAX: u64 = (16 << 20) + 1;
/// A checksum has 32 digits.
const CHECKSUM_BYTES_MAX: u64 = 1024;

/// How far a file is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FilePosition {
    #[default]
    Begin,
    Text(ListPosition),
    Table(ParquetPosition),
}

impl FilePosition {
    /// Whether reading on from here reads nothing before it again.
    pub(super) fn is_direct(&self) -> bool {
        match self {
            Self::Begin | Self::Table(_) => true,
            Self::Text(position) => position.lines() == 0 || position.read_from() > 0,
        }
    }
}

/// What is to be read where.
pub(super) struct ListPlace<'a, F> {
    pub(super) files: &'a F,
    pub(super) list: &'a SourceList,
    pub(super) scope: ListScope,
    pub(super) ceilings: &'a Ceilings,
}

/// Which version of a file is read.
pub(super) enum WantedVersion<'v> {
    /// The one that stands there.
    Any,
    /// The one that was read before, or none.
    Tagged(&'v ETag),
    /// The same, without asking for its size.
    Known(FileVersion),
}

/// What a file is read for.
pub(super) enum ReadFor {
    /// Its lines, for the first time: its checksum is compared at its end.
    Lines,
    /// Its lines, behind a survey, which compared its checksum; whether it found that each names an object.
    SurveyedLines { is_clean: bool },
    /// A survey, with the last key before the position. The checksum is compared.
    Survey(Option<ObjectKey>),
}

/// A list, and the files that it consists of.
pub(super) struct ListCatalog<'a, F> {
    place: ListPlace<'a, F>,
    /// The version of the list itself, which may only name its files.
    version: FileVersion,
    parts: ListParts,
    requests: ListRequests,
}

/// What a list consists of.
enum ListParts {
    /// The list itself.
    One,
    /// The data files of an inventory.
    Inventory(InventoryManifest),
    /// The receipts of a run.
    Receipts(Vec<ReceiptFile>),
}

/// A file of a list while it is read.
pub(super) enum OpenFile<'a, F> {
    Text(Box<TextFile<'a, F>>),
    Table(TableFile<'a, F>),
}

impl<F: ListFiles> OpenFile<'_, F> {
    /// The next line; nothing behind the last one.
    pub(super) async fn next(&mut self) -> Result<Option<ListItem>, Failure> {
        match self {
            Self::Text(text) => text.next().await,
            Self::Table(table) => table.next().await,
        }
    }

    /// The next lines, decoded beside this thread; none behind the last one.
    pub(super) async fn next_batch(&mut self, max: usize) -> Result<Vec<ListItem>, Failure> {
        match self {
            Self::Text(text) => text.next_batch(max).await,
            Self::Table(table) => table.next_batch(max).await,
        }
    }

    /// What the next lines are, up to `max`; none behind the last one. Of a file that is read for a survey.
    pub(super) async fn survey_batch(&mut self, max: u64) -> Result<LineSurvey, Failure> {
        match self {
            Self::Text(text) => text.survey_batch(max).await,
            Self::Table(table) => table.survey_batch().await,
        }
    }

    /// Where the file can be resumed: behind the line that was given out last.
    pub(super) fn position(&self) -> FilePosition {
        match self {
            Self::Text(text) => FilePosition::Text(text.position()),
            Self::Table(table) => FilePosition::Table(table.position()),
        }
    }

    pub(super) fn version(&self) -> &FileVersion {
        match self {
            Self::Text(text) => text.file().version(),
            Self::Table(table) => table.file().version(),
        }
    }
}

impl<'a, F: ListFiles> ListCatalog<'a, F> {
    /// Opens the list. `etag` is the version that an invocation before this one read.
    ///
    /// # Errors
    /// `InvalidRun` when there is no such list, or it is another version now, or no manifest of an inventory.
    pub(super) async fn open(
        place: ListPlace<'a, F>,
        etag: Option<&ETag>,
    ) -> Result<Self, Failure> {
        let requests = ListRequests::default();
        let list = place.list;
        let key = list.key.as_str();
        let file = ListFile::open(
            place.files,
            (FileRole::List, &list.bucket, key),
            etag,
            &requests,
        )
        .await?;
        let mut catalog = Self {
            version: file.version().clone(),
            parts: ListParts::One,
            requests,
            place,
        };
        if list.format == ListFormat::Inventory {
            catalog.parts = ListParts::Inventory(catalog.read_manifest(file).await?);
        } else if list.format == ListFormat::Receipts && receipt_index::is_index(key) {
            let index = file.read(0..MANIFEST_BYTES_MAX).await?;
            let files = receipt_files::read(list, &index, MANIFEST_BYTES_MAX)?;
            catalog.parts = ListParts::Receipts(files);
        }
        Ok(catalog)
    }

    /// What its lines may say.
    pub(super) fn line_rules(&self) -> LineRules<'a> {
        LineRules {
            format: self.place.list.format,
            ceilings: self.place.ceilings,
        }
    }

    /// The list.
    pub(super) fn list(&self) -> &'a SourceList {
        self.place.list
    }

    /// The version of the list.
    pub(super) fn etag(&self) -> &ETag {
        &self.version.etag
    }

    /// How many files there are.
    pub(super) fn files(&self) -> usize {
        match &self.parts {
            ListParts::One => 1,
            ListParts::Inventory(manifest) => manifest.files.len(),
            ListParts::Receipts(files) => files.len(),
        }
    }

    /// The names of the files, as messages use them.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        match &self.parts {
            ListParts::One => vec![self.place.list.key.as_str().into()],
            ListParts::Inventory(manifest) => {
                let files = manifest.files.iter();
                files.map(|file| file.key.as_str().into()).collect()
            }
            ListParts::Receipts(files) => {
                files.iter().map(|file| file.key.as_str().into()).collect()
            }
        }
    }

    /// What was sent so far.
    pub(super) fn requests(&self) -> &ListRequests {
        &self.requests
    }

    /// Opens a file behind `at`.
    pub(super) async fn open_file(
        &self,
        index: usize,
        version: WantedVersion<'_>,
        at: FilePosition,
        read_for: ReadFor,
    ) -> Result<OpenFile<'a, F>, Failure> {
        match &self.parts {
            ListParts::One => {
                let list = self.place.list;
                let name = (FileRole::List, &list.bucket, list.key.as_str());
                let version = self.version.clone();
                let file = ListFile::of(self.place.files, name, version, &self.requests);
                let kind = match list.format {
                    ListFormat::Csv => DataKind::Text(TextFormat::Csv),
                    ListFormat::Jsonl => DataKind::Text(TextFormat::Jsonl),
                    ListFormat::Receipts => DataKind::Text(TextFormat::Receipts),
                    ListFormat::Parquet => DataKind::Table(TableKind::List),
                    ListFormat::Inventory => {
                        return Err(Failure::invariant("an inventory consists of data files"));
                    }
                };
                self.open_as(file, kind, None, at, read_for).await
            }
            ListParts::Inventory(manifest) => {
                let data = manifest.files.get(index).ok_or_else(no_such_file)?;
                let name = (&manifest.destination_bucket, data.key.as_str());
                let file = self.part(name, version).await?;
                let kind = match &manifest.format {
                    DataFormat::Csv(columns) => {
                        DataKind::Text(TextFormat::InventoryCsv(columns.clone()))
                    }
                    DataFormat::Parquet => DataKind::Table(TableKind::Inventory),
                };
                let is_checked = matches!(read_for, ReadFor::SurveyedLines { .. });
                let checksum = (!is_checked).then(|| data.checksum());
                self.open_as(file, kind, checksum, at, read_for).await
            }
            ListParts::Receipts(files) => {
                let list = files.get(index).ok_or_else(no_such_file)?;
                let file = self.part((&list.bucket, &list.key), version).await?;
                let kind = DataKind::Text(TextFormat::Receipts);
                self.open_as(file, kind, None, at, read_for).await
            }
        }
    }

    /// A file that the list names.
    async fn part(
        &self,
        name: (&BucketName, &str),
        version: WantedVersion<'_>,
    ) -> Result<ListFile<'a, F>, Failure> {
        let (files, requests) = (self.place.files, &self.requests);
        let format = self.place.list.format;
        let (bucket, key) = name;
        let allowed = self.place.ceilings.check_list_file(bucket, key, format);
        allowed.map_err(|refused| {
            let list = self.place.list;
            refused.within(format!(
                "the list s3://{}/{} names s3://{bucket}/{}",
                list.bucket,
                Printable(list.key.as_str()),
                Printable(key)
            ))
        })?;
        let name = (FileRole::Part, bucket, key);
        match version {
            WantedVersion::Any => ListFile::open(files, name, None, requests).await,
            WantedVersion::Tagged(etag) => ListFile::open(files, name, Some(etag), requests).await,
            WantedVersion::Known(version) => Ok(ListFile::of(files, name, version, requests)),
        }
    }

    async fn open_as(
        &self,
        file: ListFile<'a, F>,
        kind: DataKind,
        checksum: Option<FileChecksum>,
        at: FilePosition,
        read_for: ReadFor,
    ) -> Result<OpenFile<'a, F>, Failure> {
        let is_clean = matches!(read_for, ReadFor::SurveyedLines { is_clean: true });
        let survey = match read_for {
            ReadFor::Lines | ReadFor::SurveyedLines { .. } => None,
            ReadFor::Survey(last) => Some(LineSurvey::behind(last.as_ref())),
        };
        let scope = self.place.scope.clone();
        match kind {
            DataKind::Text(mut format) => {
                if let TextFormat::InventoryCsv(columns) = &mut format
                    && is_clean
                {
                    *columns = columns.clone().of_clean_file();
                }
                let position = match at {
                    FilePosition::Text(position) => position,
                    FilePosition::Begin | FilePosition::Table(_) => ListPosition::default(),
                };
                let text =
                    TextFile::resume(file, format, scope, checksum, position).for_survey(survey);
                Ok(OpenFile::Text(Box::new(text)))
            }
            DataKind::Table(kind) => {
                let position = match at {
                    FilePosition::Table(position) => position,
                    FilePosition::Begin | FilePosition::Text(_) => ParquetPosition::default(),
                };
                // An invocation before this one read all of it already, in this version.
                let checksum = checksum.filter(|_| position.rows() == 0);
                let reading = TableReading {
                    scope,
                    kind,
                    survey,
                    is_clean,
                };
                let table = TableFile::resume(file, reading, checksum, position).await?;
                Ok(OpenFile::Table(table))
            }
        }
    }

    async fn read_manifest(&self, file: ListFile<'a, F>) -> Result<InventoryManifest, Failure> {
        let bytes = file.read(0..MANIFEST_BYTES_MAX).await?;
        let (bucket, key) = (&self.place.list.bucket, self.place.list.key.as_str());
        // S3 writes it beside the manifest, as its last file.
        let checksum = match key.strip_suffix("manifest.json") {
            Some(folder) => {
                let key = format!("{folder}manifest.checksum");
                read_small(self.place.files, bucket, &key, &self.requests).await?
            }
            None => None,
        };
        InventoryManifest::read(key, &bytes, checksum.as_deref(), &self.place.scope)
    }
}

fn no_such_file() -> Failure {
    Failure::invariant("the list names no such file")
}

/// How a file is read.
enum DataKind {
    Text(TextFormat),
    Table(TableKind),
}

/// A small file that need not exist. A bucket that may not be listed refuses what does not exist.
async fn read_small(
    files: &impl ListFiles,
    bucket: &BucketName,
    key: &str,
    requests: &ListRequests,
) -> Result<Option<String>, Failure> {
    requests.note_find();
    let version = match files.find(bucket, key).await {
        Ok(Some(version)) if version.size_bytes > 0 => version,
        Ok(_) => return Ok(None),
        Err(fault) if fault.kind == FaultKind::AccessDenied => return Ok(None),
        Err(fault) => return Err(Failure::from(fault).within(format!("s3://{bucket}/{key}"))),
    };
    let end = version.size_bytes.min(CHECKSUM_BYTES_MAX);
    requests.note_read();
    let bytes = files.read(bucket, key, &version, 0..end).await;
    let bytes =
        bytes.map_err(|fault| Failure::from(fault).within(format!("s3://{bucket}/{key}")))?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}
