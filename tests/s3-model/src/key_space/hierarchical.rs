//! Files in directories of directories.

use super::keys::{InvalidKeySpace, Keys, push_decimal, width};

/// `directory-003/subdirectory-014/file-000042`. All directories are filled evenly.
#[derive(Debug)]
pub(super) struct Hierarchical {
    subdirectories: u64,
    files: u64,
    directory_width: usize,
    subdirectory_width: usize,
    file_width: usize,
}

impl Hierarchical {
    pub(super) fn new(
        objects: u64,
        directories: u64,
        subdirectories: u64,
    ) -> Result<Self, InvalidKeySpace> {
        let leaves = directories
            .checked_mul(subdirectories)
            .filter(|leaves| *leaves > 0);
        let Some(leaves) = leaves else {
            return Err(InvalidKeySpace(
                "directories and subdirectories must be at least 1".to_owned(),
            ));
        };
        let files = objects.div_ceil(leaves).max(1);
        Ok(Self {
            subdirectories,
            files,
            directory_width: width(directories),
            subdirectory_width: width(subdirectories),
            file_width: width(files),
        })
    }
}

impl Keys for Hierarchical {
    fn write(&self, index: u64, out: &mut Vec<u8>) {
        let leaf = index / self.files;
        out.extend_from_slice(b"directory-");
        push_decimal(out, leaf / self.subdirectories, self.directory_width);
        out.extend_from_slice(b"/subdirectory-");
        push_decimal(out, leaf % self.subdirectories, self.subdirectory_width);
        out.extend_from_slice(b"/file-");
        push_decimal(out, index % self.files, self.file_width);
    }
}
