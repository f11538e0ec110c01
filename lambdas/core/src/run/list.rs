//! A list of objects that takes the place of the source's listing, as the input of a run names it.

use serde::{Deserialize, Serialize};

use crate::value::{bucket::BucketName, key::ObjectKey};

/// The folder of the control bucket in which lists lie. Nothing else there can be named as a list.
pub const LISTS_FOLDER: &str = "lists/";

/// A list of objects in a bucket of the stack's own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceList {
    /// The bucket: the control bucket, or one that the stack names.
    pub bucket: BucketName,
    /// Its key; in the control bucket below [`LISTS_FOLDER`].
    pub key: ObjectKey,
    /// How it is read.
    pub format: ListFormat,
}

/// The format of a list, as the input of a run names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListFormat {
    /// Comma-separated values: a manifest of S3 Batch Operations, or the `failures.csv` of a run.
    Csv,
    /// A JSON object a line.
    Jsonl,
    /// An Apache Parquet file.
    Parquet,
    /// The `manifest.json` of an S3 Inventory.
    Inventory,
    /// The receipts of a run.
    Receipts,
}

impl ListFormat {
    /// Every format, in the order of their declaration.
    pub const ALL: [Self; 5] = [
        Self::Csv,
        Self::Jsonl,
        Self::Parquet,
        Self::Inventory,
        Self::Receipts,
    ];

    /// The name in the input of a run.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
            Self::Inventory => "inventory",
            Self::Receipts => "receipts",
        }
    }

    /// Whether its lines may name versions of the source. An inventory is read for the newest ones.
    #[must_use]
    pub const fn may_name_versions(self) -> bool {
        !matches!(self, Self::Inventory)
    }

    /// The format of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_serde_agree() {
        for format in ListFormat::ALL {
            assert_eq!(serde_json::to_value(format).unwrap(), format.name());
            assert_eq!(ListFormat::named(format.name()), Some(format));
        }
        assert_eq!(ListFormat::named("orc"), None);
    }
}
