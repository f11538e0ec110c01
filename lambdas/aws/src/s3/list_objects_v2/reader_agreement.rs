//! The plain reader never reads a document differently from the XML reader.

use proptest::prelude::*;

use super::{document, plain_reader, xml_reader};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
const TAIL: &str = "</ListBucketResult>";

const RESTORES: &[&str] = &[
    "",
    "<RestoreStatus/>",
    "<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>",
    "<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress>\
     <RestoreExpiryDate>2026-12-21T00:00:00.000Z</RestoreExpiryDate></RestoreStatus>",
];

/// An object as S3 lists it.
fn object() -> impl Strategy<Value = String> {
    let key = prop_oneof!["[a-z0-9/%+.é]{1,20}", "[a-z/]{1,8}%[0-9A-Fg]{2}"];
    (
        key,
        0_u64..=u64::MAX,
        "[0-9a-f]{8}(-[0-9]{1,5})?",
        any::<bool>(),
        prop::sample::select(RESTORES),
    )
        .prop_map(|(key, size, etag, is_quoted, restore)| {
            let quote = if is_quoted { "&quot;" } else { "\"" };
            format!(
                "<Contents><Key>{key}</Key><LastModified>2026-11-22T01:02:03.000Z</LastModified>\
                 <ETag>{quote}{etag}{quote}</ETag><ChecksumType>FULL_OBJECT</ChecksumType>\
                 <Size>{size}</Size><StorageClass>GLACIER</StorageClass>{restore}</Contents>"
            )
        })
}

fn document() -> impl Strategy<Value = String> {
    (prop::collection::vec(object(), 0..6), any::<bool>(), any::<bool>()).prop_map(
        |(objects, is_truncated, is_encoded)| {
            let encoding = if is_encoded { "<EncodingType>url</EncodingType>" } else { "" };
            format!(
                "{HEAD}<Name>b</Name><Prefix/><StartAfter>a/b</StartAfter><KeyCount>{}</KeyCount>{encoding}\
                 <IsTruncated>{is_truncated}</IsTruncated>{}{TAIL}",
                objects.len(),
                objects.concat()
            )
        },
    )
}

/// Text to insert anywhere in a document, valid there or not.
const SCRAPS: &[&str] = &[
    "",
    " ",
    "\n\t",
    "\r\n",
    "\u{0}",
    "\u{feff}",
    "<!-- <Key>x</Key> -->",
    "<!--",
    "<![CDATA[<Key>]]>",
    "]]>",
    "<?pi x?>",
    "<?xml version=\"1.0\"?>",
    "<!DOCTYPE a [<!ENTITY q \"x\">]>",
    "&amp;",
    "&quot;",
    "&#38;",
    "&#x1F680;",
    "&#0;",
    "&q;",
    "&",
    "<",
    ">",
    "/",
    "</",
    "/>",
    "<Key>",
    "</Key>",
    "<Key/>",
    "<Key >k</Key >",
    "<Key a=\"1\">k</Key>",
    "<Key a=\">\">k</Key>",
    "<x:Key>k</x:Key>",
    "<Key>k</Key>",
    "<Size>1</Size>",
    "<Size>+1</Size>",
    "<Size> 1</Size>",
    "<ETag/>",
    "<Owner><ID>Key</ID></Owner>",
    "<RestoreStatus>",
    "</RestoreStatus>",
    "<RestoreStatus/>",
    "<RestoreStatus>false</RestoreStatus>",
    "<IsRestoreInProgress>false</IsRestoreInProgress>",
    "<IsRestoreInProgress/>",
    "<RestoreExpiryDate><b/></RestoreExpiryDate>",
    "<Contents>",
    "</Contents>",
    "<Contents/>",
    "<Contents></Contents>",
    "<CommonPrefixes><Prefix>p</Prefix></CommonPrefixes>",
    "<IsTruncated>false</IsTruncated>",
    "<IsTruncated>maybe</IsTruncated>",
    "<EncodingType>url</EncodingType>",
    "<EncodingType/>",
    "<IsTruncated/>",
    "<NextContinuationToken>t</NextContinuationToken>",
    "<NextContinuationToken/>",
    "<Key>a<b/>c</Key>",
    "<Owner><ID/></Owner>",
    "<KeyCount>9</KeyCount>",
    "<ListBucketResult>",
    "</ListBucketResult>",
    "<>x</>",
    "<a1>x</a1>",
    "<É>x</É>",
];

/// Replaces `length` bytes, from one of `positions` on, by a scrap.
fn disturb(
    document: &str,
    positions: &[usize],
    at: prop::sample::Index,
    length: usize,
    scrap: &str,
) -> Vec<u8> {
    let bytes = document.as_bytes();
    let start = positions[at.index(positions.len())];
    let end = (start + length).min(bytes.len());
    [&bytes[..start], scrap.as_bytes(), &bytes[end..]].concat()
}

/// Where the tags of a document start.
fn tag_positions(document: &str) -> Vec<usize> {
    document.match_indices('<').map(|(at, _)| at).collect()
}

fn assert_agreement(body: &[u8]) -> Result<(), TestCaseError> {
    if let Some(page) = plain_reader::read(body) {
        let by_xml_reader = xml_reader::read(body);
        prop_assert_eq!(Ok(page), by_xml_reader, "{}", String::from_utf8_lossy(body));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_s3_writes_is_plain_and_reads_the_same(document in document()) {
        prop_assert!(plain_reader::read(document.as_bytes()).is_some());
        assert_agreement(document.as_bytes())?;
    }

    #[test]
    fn a_disturbed_document_is_left_to_the_xml_reader_or_reads_the_same(
        document in document(),
        at in any::<prop::sample::Index>(),
        length in prop_oneof![Just(0), 1_usize..3, 0_usize..60],
        scrap in prop::sample::select(SCRAPS),
        is_at_tag in any::<bool>(),
    ) {
        let positions = if is_at_tag { tag_positions(&document) } else { (0..=document.len()).collect() };
        assert_agreement(&disturb(&document, &positions, at, length, scrap))?;
    }

    #[test]
    fn a_truncated_document_is_a_page_for_neither(document in document(), at in any::<prop::sample::Index>()) {
        let cut = &document.as_bytes()[..at.index(document.len())];
        prop_assert!(plain_reader::read(cut).is_none());
        prop_assert!(document::parse(cut).is_err());
    }

    #[test]
    fn any_bytes_are_left_to_the_xml_reader_or_read_the_same(
        scraps in prop::collection::vec(prop::sample::select(SCRAPS), 0..12),
        noise in prop::collection::vec(any::<u8>(), 0..3),
    ) {
        let body = [HEAD.as_bytes(), scraps.concat().as_bytes(), &noise, TAIL.as_bytes()].concat();
        assert_agreement(&body)?;
    }
}

#[test]
fn a_scrap_alone_is_left_to_the_xml_reader_or_reads_the_same() {
    for scrap in SCRAPS {
        for body in [
            format!("{HEAD}{scrap}{TAIL}"),
            format!("{scrap}{HEAD}{TAIL}"),
            format!("{HEAD}{TAIL}{scrap}"),
            format!("{HEAD}<Contents>{scrap}</Contents>{TAIL}"),
            format!("{HEAD}<Contents><Key>{scrap}</Key></Contents>{TAIL}"),
            format!("{HEAD}<Contents><ETag>{scrap}</ETag></Contents>{TAIL}"),
        ] {
            if let Some(page) = plain_reader::read(body.as_bytes()) {
                assert_eq!(Ok(page), xml_reader::read(body.as_bytes()), "{body}");
            }
        }
    }
}
