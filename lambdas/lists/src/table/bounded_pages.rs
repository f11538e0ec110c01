//! The pages of a column, held to what they can contain before they are decoded.

use parquet::{
    basic::Encoding,
    column::page::{Page, PageMetadata, PageReader},
    errors::{ParquetError, Result},
};

/// Passes pages on if decoding them takes no more memory than they have bytes, some times over.
pub(super) struct BoundedPages<P> {
    pages: P,
}

impl<P: PageReader> BoundedPages<P> {
    pub(super) fn new(pages: P) -> Self {
        Self { pages }
    }
}

impl<P: PageReader> Iterator for BoundedPages<P> {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl<P: PageReader> PageReader for BoundedPages<P> {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        if let Some(page) = &page {
            check(page)?;
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}

fn check(page: &Page) -> Result<()> {
    match page {
        // A place is reserved for each value that the header claims, and a value has at least four bytes: the length of a
        // text, or a number.
        Page::DictionaryPage {
            buf, num_values, ..
        } if u64::from(*num_values) * 4 > buf.len() as u64 => {
            let problem = format!(
                "a dictionary of {} bytes claims {num_values} values",
                buf.len()
            );
            Err(ParquetError::General(problem))
        }
        Page::DictionaryPage { .. } => Ok(()),
        Page::DataPage { encoding, .. } | Page::DataPageV2 { encoding, .. } => {
            check_encoding(*encoding)
        }
    }
}

/// DELTA_BYTE_ARRAY repeats the beginning of the value before, so some kilobytes can stand for gigabytes; it and
/// DELTA_LENGTH_BYTE_ARRAY reserve a place for as many values as the page claims. Neither S3 nor Athena writes them.
fn check_encoding(encoding: Encoding) -> Result<()> {
    let is_read = matches!(
        encoding,
        Encoding::PLAIN
            | Encoding::PLAIN_DICTIONARY
            | Encoding::RLE_DICTIONARY
            | Encoding::RLE
            | Encoding::DELTA_BINARY_PACKED
    );
    if is_read {
        return Ok(());
    }
    let problem = format!(
        "a page has the encoding {encoding}, which is not read; write it as PLAIN or with a dictionary"
    );
    Err(ParquetError::General(problem))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// A dictionary of 16 bytes that claims so many values.
    fn dictionary(num_values: u32) -> Page {
        Page::DictionaryPage {
            buf: Bytes::from(vec![0; 16]),
            num_values,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        }
    }

    #[test]
    fn a_dictionary_has_no_more_values_than_its_bytes_can_hold() {
        assert!(check(&dictionary(4)).is_ok());
        assert!(check(&dictionary(5)).is_err());
        let problem = check(&dictionary(u32::MAX)).unwrap_err().to_string();
        assert!(problem.contains("claims 4294967295 values"), "{problem}");
    }

    #[test]
    fn encodings_that_multiply_are_named() {
        for encoding in [
            Encoding::PLAIN,
            Encoding::RLE_DICTIONARY,
            Encoding::DELTA_BINARY_PACKED,
        ] {
            assert!(check_encoding(encoding).is_ok(), "{encoding}");
        }
        for encoding in [
            Encoding::DELTA_BYTE_ARRAY,
            Encoding::DELTA_LENGTH_BYTE_ARRAY,
            Encoding::BYTE_STREAM_SPLIT,
        ] {
            let problem = check_encoding(encoding).unwrap_err().to_string();
            assert!(problem.contains(&encoding.to_string()), "{problem}");
        }
    }
}
