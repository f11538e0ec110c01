//! The reader of plain documents never says anything that the library does not say.

use proptest::prelude::*;

use super::{ListingDocument, plain, xml};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
const TAIL: &str = "</ListBucketResult>";

/// An object as S3 lists it.
fn object() -> impl Strategy<Value = String> {
    let key = prop_oneof!["[a-z0-9/%+.é]{1,20}", "[a-z/]{1,8}%[0-9A-Fg]{2}"];
    (
        key,
        0_u64..=u64::MAX,
        "[0-9a-f]{8}(-[0-9]{1,5})?",
        any::<bool>(),
    )
        .prop_map(|(key, size, etag, is_quoted)| {
            let quote = if is_quoted { "&quot;" } else { "\"" };
            format!(
                "<Contents><Key>{key}</Key><LastModified>2026-11-22T01:02:03.000Z</LastModified>\
                 <ETag>{quote}{etag}{quote}</ETag><ChecksumType>FULL_OBJECT</ChecksumType>\
                 <Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
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

/// What may stand anywhere in a document, and what must not.
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

/// Puts a scrap in the place of some bytes: of whole tags mostly, else anywhere.
fn disturb(
    document: &str,
    at: prop::sample::Index,
    length: usize,
    scrap: &str,
    is_at_tag: bool,
) -> Vec<u8> {
    let bytes = document.as_bytes();
    let places: Vec<usize> = if is_at_tag {
        (0..bytes.len())
            .filter(|&place| bytes[place] == b'<')
            .collect()
    } else {
        (0..=bytes.len()).collect()
    };
    let begin = places[at.index(places.len())];
    let end = (begin + length).min(bytes.len());
    [&bytes[..begin], scrap.as_bytes(), &bytes[end..]].concat()
}

fn assert_agreement(body: &[u8]) -> Result<(), TestCaseError> {
    if let Some(page) = plain::read(body) {
        let library = xml::read(body);
        prop_assert_eq!(Ok(page), library, "{}", String::from_utf8_lossy(body));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_s3_writes_is_plain_and_reads_the_same(document in document()) {
        prop_assert!(plain::read(document.as_bytes()).is_some());
        assert_agreement(document.as_bytes())?;
    }

    #[test]
    fn a_disturbed_document_is_left_to_the_library_or_reads_the_same(
        document in document(),
        at in any::<prop::sample::Index>(),
        length in prop_oneof![Just(0), 1_usize..3, 0_usize..60],
        scrap in prop::sample::select(SCRAPS),
        is_at_tag in any::<bool>(),
    ) {
        assert_agreement(&disturb(&document, at, length, scrap, is_at_tag))?;
    }

    #[test]
    fn a_cut_off_document_is_no_page_for_either(document in document(), at in any::<prop::sample::Index>()) {
        let cut = &document.as_bytes()[..at.index(document.len())];
        prop_assert!(plain::read(cut).is_none());
        prop_assert!(ListingDocument::parse(cut).is_err());
    }

    #[test]
    fn any_bytes_are_left_to_the_library_or_read_the_same(
        scraps in prop::collection::vec(prop::sample::select(SCRAPS), 0..12),
        noise in prop::collection::vec(any::<u8>(), 0..3),
    ) {
        let body = [HEAD.as_bytes(), scraps.concat().as_bytes(), &noise, TAIL.as_bytes()].concat();
        assert_agreement(&body)?;
    }
}

#[test]
fn a_scrap_alone_is_left_to_the_library_or_reads_the_same() {
    for scrap in SCRAPS {
        for body in [
            format!("{HEAD}{scrap}{TAIL}"),
            format!("{scrap}{HEAD}{TAIL}"),
            format!("{HEAD}{TAIL}{scrap}"),
            format!("{HEAD}<Contents>{scrap}</Contents>{TAIL}"),
            format!("{HEAD}<Contents><Key>{scrap}</Key></Contents>{TAIL}"),
            format!("{HEAD}<Contents><ETag>{scrap}</ETag></Contents>{TAIL}"),
        ] {
            if let Some(page) = plain::read(body.as_bytes()) {
                assert_eq!(Ok(page), xml::read(body.as_bytes()), "{body}");
            }
        }
    }
}
