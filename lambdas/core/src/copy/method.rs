//! Which calls copy an object.

use crate::copy::part_layout::{LayoutError, PartLayout};

/// How an object is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyMethod {
    /// One CopyObject.
    Single,
    /// A multipart upload of UploadPartCopy calls.
    Multipart {
        /// The parts.
        layout: PartLayout,
    },
}

impl CopyMethod {
    /// One call up to and including the threshold, parts above it.
    ///
    /// # Errors
    /// [`LayoutError::TooLarge`] when no number of parts can hold the object.
    pub fn choose(
        size_bytes: u64,
        multipart_threshold_bytes: u64,
        part_bytes: u64,
    ) -> Result<Self, LayoutError> {
        if size_bytes <= multipart_threshold_bytes {
            Ok(Self::Single)
        } else {
            PartLayout::new(size_bytes, part_bytes).map(|layout| Self::Multipart { layout })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::part_layout::{PART_BYTES_DEFAULT, SINGLE_COPY_BYTES_MAX};

    #[test]
    fn five_gib_is_the_last_size_of_a_single_copy() {
        let choose =
            |size| CopyMethod::choose(size, SINGLE_COPY_BYTES_MAX, PART_BYTES_DEFAULT).unwrap();
        assert_eq!(choose(0), CopyMethod::Single);
        assert_eq!(choose(SINGLE_COPY_BYTES_MAX), CopyMethod::Single);
        assert!(matches!(
            choose(SINGLE_COPY_BYTES_MAX + 1),
            CopyMethod::Multipart { .. }
        ));
    }
}
