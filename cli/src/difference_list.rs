//! The differences that `shardlift verify` found: the first ones in memory, all of them in a file.

use std::{
    fs::File,
    io::{BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
};

use shardlift_core::{
    failure::{Failure, FailureCode},
    verify::Difference,
};
use shardlift_proof::{
    DifferenceSink,
    csv_row::{DIFFERENCE_COLUMNS, write_difference, write_record},
};

use crate::error::CommandError;

/// How many are shown.
pub(crate) const DIFFERENCES_SHOWN_MAX: usize = 100;

/// The file that gets them all.
struct CsvFile {
    path: PathBuf,
    out: BufWriter<File>,
}

/// The differences.
pub(crate) struct DifferenceList {
    first: Vec<Difference>,
    file: Option<CsvFile>,
}

impl DifferenceList {
    /// Begins it. The file gets its header now, so that nobody waits for a listing that cannot be kept. A file that is there
    /// already stays as it is, and no link is followed.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, CommandError> {
        let mut list = Self {
            first: Vec::new(),
            file: None,
        };
        if let Some(path) = path {
            let file = File::create_new(path).map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => CommandError::usage(format!(
                    "{} already exists and was not overwritten; choose another file for --csv",
                    path.display()
                )),
                _ => CommandError::usage(format!("{} cannot be written: {error}", path.display())),
            })?;
            let mut header = Vec::new();
            write_record(&mut header, &DIFFERENCE_COLUMNS)?;
            let mut out = BufWriter::new(file);
            out.write_all(&header)?;
            list.file = Some(CsvFile {
                path: path.to_owned(),
                out,
            });
        }
        Ok(list)
    }

    /// The first [`DIFFERENCES_SHOWN_MAX`].
    pub(crate) fn first(&self) -> &[Difference] {
        &self.first
    }

    /// The file with all of them, if one was asked for.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.path.as_path())
    }

    /// Brings everything into the file.
    pub(crate) fn finish(&mut self) -> Result<(), CommandError> {
        match &mut self.file {
            Some(file) => Ok(file.out.flush()?),
            None => Ok(()),
        }
    }

    /// Removes the file, which would be taken for a whole one.
    pub(crate) fn abandon(self) {
        if let Some(file) = self.file {
            let _left_behind = std::fs::remove_file(file.path);
        }
    }
}

impl DifferenceSink for DifferenceList {
    async fn add(&mut self, difference: &Difference) -> Result<(), Failure> {
        if self.first.len() < DIFFERENCES_SHOWN_MAX {
            self.first.push(difference.clone());
        }
        if let Some(file) = &mut self.file {
            let mut row = Vec::new();
            write_difference(&mut row, difference)?;
            file.out.write_all(&row).map_err(|error| {
                Failure::new(
                    FailureCode::ServiceFault,
                    format!("{} cannot be written: {error}", file.path.display()),
                )
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use shardlift_core::{value::key::RelativeKey, verify::DifferenceKind};

    use super::*;

    #[tokio::test]
    async fn all_are_in_the_file_and_the_first_hundred_are_shown() {
        let folder = std::env::temp_dir().join(format!("shardlift-verify-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("differences.csv");
        let mut list = DifferenceList::open(Some(&path)).unwrap();
        for number in 0..250 {
            let difference = Difference {
                key: RelativeKey::new(format!("=k;{number}")).unwrap(),
                kind: DifferenceKind::Missing,
                expected: None,
                found: None,
            };
            list.add(&difference).await.unwrap();
        }
        list.finish().unwrap();
        assert_eq!(list.first().len(), DIFFERENCES_SHOWN_MAX);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 251);
        assert!(text.contains("\"'=k;249\",\"missing\",\"\",\"\""), "{text}");
        assert!(DifferenceList::open(Some(&path)).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        list.abandon();
        assert!(!path.exists());
        std::os::unix::fs::symlink("no-such-file", &path).unwrap();
        assert!(DifferenceList::open(Some(&path)).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
