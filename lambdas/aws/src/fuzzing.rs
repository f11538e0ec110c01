//! The fuzz targets of what AWS answers: any bytes go in, and a promise that they break panics.

use crate::{
    fault_mapping::{ErrorDocument, refusal_reason},
    s3::{read_page_twice, read_version_page},
};

/// A page of ListObjectsV2. Its two readers never read it differently.
pub fn listing_page(body: &[u8]) {
    read_page_twice(body);
}

/// A page of ListObjectVersions.
pub fn version_page(body: &[u8]) {
    read_version_page(body);
}

/// An error document of S3.
pub fn error_document(body: &[u8]) {
    let _ = ErrorDocument::parse(body);
}

/// The message of a refused call. What is read from it stands in it.
pub fn refusal_text(message: &[u8]) {
    let Ok(message) = std::str::from_utf8(message) else {
        return;
    };
    if let Some(reason) = refusal_reason(message) {
        assert!(message.contains(reason.action.name()));
        if let Some(resource) = reason.resource {
            assert!(message.contains(resource.as_str()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn the_corpus_cut_off_anywhere_breaks_no_promise() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus");
        type Target = fn(&[u8]);
        for (name, run) in [
            ("listing_page", listing_page as Target),
            ("version_page", version_page),
            ("error_document", error_document),
            ("refusal_text", refusal_text),
        ] {
            let files = fs::read_dir(corpus.join(name)).unwrap();
            let files: Vec<_> = files
                .map(|file| fs::read(file.unwrap().path()).unwrap())
                .collect();
            assert!(files.len() >= 3, "{name}: a corpus of {}", files.len());
            for bytes in files {
                (0..=bytes.len()).for_each(|length| run(&bytes[..length]));
            }
        }
    }
}
