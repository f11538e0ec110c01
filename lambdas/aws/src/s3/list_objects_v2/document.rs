//! Parses the document of a page without building a tree.
//!
//! The SDK's own parser takes many times as long for each key (the example `listing_cost` measures both), and a planner
//! spends most of its time reading listings. It also accepts a truncated document as a shorter one, whereas this parser
//! requires the closing tag (P11). Everything else in a call stays with the SDK.
//!
//! Two readers find the elements: [`plain_reader`] knows the one form that S3 writes, and [`xml_reader`] everything that
//! XML allows.

use shardlift_core::port::ObjectPage;

use super::{page_draft::DocumentProblem, plain_reader, xml_reader};

/// Parses a complete document.
pub(super) fn parse(body: &[u8]) -> Result<ObjectPage, DocumentProblem> {
    match plain_reader::read(body) {
        Some(page) => page.finish(),
        None => xml_reader::read(body)?.finish(),
    }
}

#[cfg(test)]
mod tests {
    use shardlift_core::value::storage::{ObjectStorage, StorageClass};

    use super::*;

    fn document(objects: &str, rest: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix/>\
             <KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>{rest}{objects}\
             </ListBucketResult>"
        )
    }

    fn object(key: &str) -> String {
        format!(
            "<Contents><Key>{key}</Key><LastModified>2026-11-22T01:02:03.000Z</LastModified>\
             <ETag>&quot;abc-2&quot;</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass>\
             <Owner><ID>Key</ID><DisplayName>Size</DisplayName></Owner></Contents>"
        )
    }

    /// Parses with both readers: with a comment in it, the document is left to the XML reader.
    fn parse_with_both(text: &str) -> ObjectPage {
        let page = parse(text.as_bytes()).unwrap();
        let commented = format!("{text}<!-- -->");
        assert_eq!(parse(commented.as_bytes()).unwrap(), page);
        page
    }

    #[test]
    fn an_object_is_read_completely() {
        let text = document(&object("a+b%2Bc"), "<IsTruncated>true</IsTruncated>");
        let page = parse_with_both(&text);
        assert!(page.is_truncated);
        let object = &page.objects[0];
        assert_eq!(object.key.as_str(), "a b+c");
        assert_eq!((object.size_bytes, object.etag.as_str()), (7, "abc-2"));
        assert_eq!(object.modified_at.to_string(), "2026-11-22T01:02:03.000Z");
    }

    #[test]
    fn the_class_and_a_finished_restore_are_read() {
        let restore = |state: &str| format!("<RestoreStatus>{state}</RestoreStatus>");
        let going = "<IsRestoreInProgress>true</IsRestoreInProgress>";
        let over = "<IsRestoreInProgress>false</IsRestoreInProgress>";
        let expiry = "<RestoreExpiryDate>2026-12-21T00:00:00.000Z</RestoreExpiryDate>";
        for (class, state, is_archived) in [
            ("GLACIER", String::new(), true),
            ("GLACIER", restore(going), true),
            ("GLACIER", restore(&format!("{going}{expiry}")), true),
            ("GLACIER", restore(over), true),
            ("GLACIER", restore(""), true),
            ("GLACIER", "<RestoreStatus/>".to_owned(), true),
            ("DEEP_ARCHIVE", restore(&format!("{over}{expiry}")), false),
            ("GLACIER_IR", String::new(), false),
            ("TOMORROW", String::new(), false),
        ] {
            let whole = "<StorageClass>STANDARD</StorageClass>";
            let other = format!("<StorageClass>{class}</StorageClass>{state}");
            let text = document(&object("k"), "<IsTruncated>false</IsTruncated>");
            let page = parse_with_both(&text.replace(whole, &other));
            let storage = page.objects[0].storage;
            assert_eq!(storage.is_archived, is_archived, "{class} {state}");
            assert_eq!(storage.class, StorageClass::named(class));
            let unnamed = parse_with_both(&text.replace(whole, ""));
            assert_eq!(unnamed.objects[0].storage, ObjectStorage::default());
        }
    }

    #[test]
    fn entities_are_resolved() {
        let text = document(
            &object("a&amp;&#x1F680;&#10;%2B"),
            "<IsTruncated>false</IsTruncated>",
        );
        let page = parse(text.as_bytes()).unwrap();
        assert_eq!(page.objects[0].key.as_str(), "a&\u{1f680}\n+");
    }

    #[test]
    fn a_truncated_document_is_never_a_page() {
        let text = document(&object("k"), "<IsTruncated>false</IsTruncated>");
        for length in 0..text.len() {
            assert!(parse(&text.as_bytes()[..length]).is_err(), "{length}");
        }
    }

    /// Both readers must refuse the document.
    fn assert_refused(text: &str) {
        for text in [text.to_owned(), format!("{text}<!-- -->")] {
            let read = parse(text.as_bytes());
            assert!(read.is_err(), "{text}: {read:?}");
        }
    }

    #[test]
    fn a_document_with_missing_or_misplaced_elements_is_refused() {
        let complete = document(&object("k"), "<IsTruncated>false</IsTruncated>");
        parse_with_both(&complete);
        for wrong in [
            complete.replace("<IsTruncated>false</IsTruncated>", ""),
            complete.replace("<IsTruncated>false</IsTruncated>", "<IsTruncated/>"),
            complete.replace("<KeyCount>1</KeyCount>", ""),
            complete.replace("<KeyCount>1<", "<KeyCount>2<"),
            complete.replace("<EncodingType>url</EncodingType>", ""),
            complete.replace("<EncodingType>url<", "<EncodingType><"),
            complete.replace("<EncodingType>url<", "<EncodingType>none<"),
            complete.replace("<Size>7</Size>", ""),
            complete.replace("<Size>7<", "<Size>-7<"),
            complete.replace("<ETag>&quot;abc-2&quot;</ETag>", "<ETag/>"),
            complete.replace("<Key>k</Key>", "<Key></Key>"),
            complete.replace("<Key>k</Key>", "<Key/>"),
            complete.replace("<Key>k<", "<Key>%FF<"),
            complete.replace("ListBucketResult", "Error"),
            complete.replace("<Name>", "<Key>k</Key><Name>"),
            complete.replace("<Size>", "<IsTruncated>false</IsTruncated><Size>"),
            format!("{complete}<more/>"),
            String::new(),
        ] {
            assert_refused(&wrong);
        }
    }

    #[test]
    fn an_element_that_occurs_twice_is_refused() {
        let complete = document(&object("k"), "<IsTruncated>true</IsTruncated>");
        for element in [
            "<IsTruncated>true</IsTruncated>",
            "<KeyCount>1</KeyCount>",
            "<EncodingType>url</EncodingType>",
            "<Key>k</Key>",
            "<Size>7</Size>",
            "<ETag>&quot;abc-2&quot;</ETag>",
            "<LastModified>2026-11-22T01:02:03.000Z</LastModified>",
            "<StorageClass>STANDARD</StorageClass>",
        ] {
            assert!(complete.contains(element), "{element}");
            assert_refused(&complete.replace(element, &element.repeat(2)));
            let name = &element[1..element.find('>').unwrap()];
            let empty = format!("<{name}/>{element}");
            assert_refused(&complete.replace(element, &empty));
        }
        let token = "<NextContinuationToken>t</NextContinuationToken>";
        let once = complete.replace("<Prefix/>", token);
        parse_with_both(&once);
        assert_refused(&once.replace(token, &token.repeat(2)));
    }

    #[test]
    fn an_element_within_a_text_is_refused_but_within_an_owner_it_is_not() {
        let complete = document(&object("ac"), "<IsTruncated>false</IsTruncated>");
        for (whole, broken) in [
            ("<Key>ac<", "<Key>a<b/>c<"),
            ("<Key>ac<", "<Key>a<b>x</b>c<"),
            ("<Key>ac<", "<Key>ac<Key>d</Key><"),
            ("<Size>7<", "<Size>7<b/><"),
            ("<IsTruncated>false<", "<IsTruncated>false<b/><"),
            ("<KeyCount>1<", "<KeyCount><b/>1<"),
            ("<EncodingType>url<", "<EncodingType>url<b></b><"),
        ] {
            assert!(complete.contains(whole), "{whole}");
            assert_refused(&complete.replace(whole, broken));
        }
        let owned = complete.replace("<ID>Key</ID>", "<ID/>");
        assert_eq!(parse_with_both(&owned).objects[0].key.as_str(), "ac");
    }

    #[test]
    fn an_object_without_elements_is_refused() {
        for empty in ["<Contents/>", "<Contents></Contents>"] {
            let alone = document(empty, "<IsTruncated>false</IsTruncated>");
            assert_refused(&alone);
            assert_refused(&alone.replace("<KeyCount>1<", "<KeyCount>0<"));
            let objects = format!("{}{empty}", object("k"));
            assert_refused(&document(&objects, "<IsTruncated>false</IsTruncated>"));
        }
    }

    #[test]
    fn a_continuation_token_on_the_last_page_is_refused() {
        let token = "<NextContinuationToken>t</NextContinuationToken>";
        for (is_truncated, is_refused) in [(true, false), (false, true)] {
            let flag = format!("<IsTruncated>{is_truncated}</IsTruncated>");
            for rest in [format!("{flag}{token}"), format!("{token}{flag}")] {
                let text = document(&object("k"), &rest);
                if is_refused {
                    assert_refused(&text);
                } else {
                    assert!(parse_with_both(&text).is_truncated);
                }
            }
        }
    }

    #[test]
    fn a_key_that_no_encoder_produces_is_refused() {
        let page = |key: &str| document(&object(key), "<IsTruncated>false</IsTruncated>");
        for wrong in ["100%", "%zz", "a%4", "%%41", "%4g", "%+1"] {
            assert_refused(&page(wrong));
        }
        for (encoded, key) in [
            ("%252F", "%2F"),
            ("100%25", "100%"),
            ("%e9%95%BF", "\u{957f}"),
        ] {
            let read = parse_with_both(&page(encoded));
            assert_eq!(read.objects[0].key.as_str(), key);
        }
    }
}
