//! Parses the document of a page of versions. It must be complete, down to its closing tag (P11).

use quick_xml::{Reader, events::Event};
use shardlift_core::{
    port::{ListedVersion, VersionPage},
    value::{
        id::VersionId,
        key::ObjectKey,
        object::{ETag, ListedObject},
        storage::ObjectStorage,
        time::Timestamp,
    },
};

use crate::s3::{
    list_objects_v2::{
        page_draft::DocumentProblem,
        xml_reader::{close_document, next, open_root, read_text, skip, unexpected},
    },
    wire::url_encoded_key::decode_key,
};

/// What is read of a page.
const OF_PAGE: [&str; 4] = [
    "IsTruncated",
    "EncodingType",
    "NextKeyMarker",
    "NextVersionIdMarker",
];
/// What is read of a version.
const OF_VERSION: [&str; 8] = [
    "Key",
    "VersionId",
    "LastModified",
    "Size",
    "ETag",
    "StorageClass",
    "IsRestoreInProgress",
    "RestoreExpiryDate",
];

/// Parses a complete document.
pub(super) fn parse(body: &[u8]) -> Result<VersionPage, DocumentProblem> {
    let mut reader = Reader::from_reader(body);
    open_root(&mut reader, "ListVersionsResult")?;
    let (mut page, mut versions) = (Texts::new(&OF_PAGE), Vec::new());
    loop {
        match next(&mut reader)? {
            Event::Start(start) => match start.local_name().into_inner() {
                "Version" => versions.push(object(&mut reader)?),
                "DeleteMarker" => versions.push(delete_marker(&mut reader)?),
                name => page.read(name, &mut reader)?,
            },
            Event::Empty(empty) => match empty.local_name().into_inner() {
                name @ ("Version" | "DeleteMarker") => return Err(DocumentProblem::missing(name)),
                name => page.set(name, String::new())?,
            },
            Event::End(_) => break,
            Event::Comment(_) => {}
            Event::Text(text) if text.trim().is_empty() => {}
            other => return Err(unexpected(&other)),
        }
    }
    close_document(&mut reader)?;
    let is_truncated = flag("IsTruncated", page.required("IsTruncated")?)?;
    check_end(&page, is_truncated, versions.last())?;
    Ok(VersionPage {
        versions,
        is_truncated,
    })
}

/// A truncated page says where the next one begins: not before its own last entry. The last page says no such thing.
fn check_end(
    page: &Texts,
    is_truncated: bool,
    last: Option<&ListedVersion>,
) -> Result<(), DocumentProblem> {
    // We requested it. A server that does not confirm it may have ignored the request.
    let encoding = page.required("EncodingType")?;
    if encoding != "url" {
        return Err(DocumentProblem::unreadable(format_args!(
            "its keys are encoded as {encoding:?}"
        )));
    }
    let marker = page
        .get("NextKeyMarker")
        .filter(|marker| !marker.is_empty());
    if !is_truncated {
        return match marker {
            None => Ok(()),
            Some(_) => Err(DocumentProblem::unreadable(
                "it has a marker of a next page although it is not truncated",
            )),
        };
    }
    let marker = marker.ok_or_else(|| DocumentProblem::missing("NextKeyMarker"))?;
    let marker = decode_key(marker).map_err(DocumentProblem::unreadable)?;
    match last {
        Some(last) if marker < *last.key() => Err(DocumentProblem::unreadable(format_args!(
            "the next page begins at {marker:?}, before its own end"
        ))),
        _ => Ok(()),
    }
}

fn object(reader: &mut Reader<&[u8]>) -> Result<ListedVersion, DocumentProblem> {
    let texts = Texts::of_version(reader)?;
    let in_progress = texts.get("IsRestoreInProgress");
    // There is a restored copy only where its expiry is stated
    // (docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreStatus.html).
    let has_expiry = texts
        .get("RestoreExpiryDate")
        .is_some_and(|date| !date.is_empty());
    let is_restored =
        has_expiry && in_progress.is_some_and(|text| text.eq_ignore_ascii_case("false"));
    let class = texts.get("StorageClass").filter(|class| !class.is_empty());
    let size = texts.required("Size")?;
    let etag = texts.required("ETag")?;
    Ok(ListedVersion::Object(ListedObject {
        key: texts.key()?,
        size_bytes: size.parse().map_err(DocumentProblem::unreadable)?,
        etag: ETag::new(etag.trim_matches('"')).map_err(DocumentProblem::unreadable)?,
        modified_at: texts.modified_at()?,
        storage: class.map_or_else(ObjectStorage::default, |class| {
            ObjectStorage::listed(class, is_restored)
        }),
        version_id: Some(texts.version_id()?),
    }))
}

fn delete_marker(reader: &mut Reader<&[u8]>) -> Result<ListedVersion, DocumentProblem> {
    let texts = Texts::of_version(reader)?;
    Ok(ListedVersion::DeleteMarker {
        key: texts.key()?,
        version_id: texts.version_id()?,
        modified_at: texts.modified_at()?,
    })
}

fn flag(name: &str, text: &str) -> Result<bool, DocumentProblem> {
    text.parse()
        .map_err(|_| DocumentProblem::unreadable(format_args!("{name} is {text:?}")))
}

/// The texts of some elements, each of which may occur once.
struct Texts {
    names: &'static [&'static str],
    found: Vec<Option<String>>,
}

impl Texts {
    fn new(names: &'static [&'static str]) -> Self {
        Self {
            names,
            found: vec![None; names.len()],
        }
    }

    /// Those of a version or a delete marker, up to its end tag. A restore has its elements within another.
    fn of_version(reader: &mut Reader<&[u8]>) -> Result<Self, DocumentProblem> {
        let mut texts = Self::new(&OF_VERSION);
        let mut is_in_restore = false;
        loop {
            match next(reader)? {
                Event::Start(start) => match start.local_name().into_inner() {
                    "RestoreStatus" if !is_in_restore => is_in_restore = true,
                    name => texts.read(name, reader)?,
                },
                Event::Empty(empty) => texts.set(empty.local_name().into_inner(), String::new())?,
                Event::End(_) if is_in_restore => is_in_restore = false,
                Event::End(_) => return Ok(texts),
                Event::Comment(_) => {}
                Event::Text(text) if text.trim().is_empty() => {}
                other => return Err(unexpected(&other)),
            }
        }
    }

    /// Reads an open element: its text if it is one of these, else over it, with everything in it.
    fn read(&mut self, name: &str, reader: &mut Reader<&[u8]>) -> Result<(), DocumentProblem> {
        if self.names.contains(&name) {
            let text = read_text(reader)?;
            return self.set(name, text);
        }
        skip(reader)
    }

    fn set(&mut self, name: &str, text: String) -> Result<(), DocumentProblem> {
        let Some(place) = self.names.iter().position(|known| *known == name) else {
            return Ok(());
        };
        match self.found[place].replace(text) {
            None => Ok(()),
            Some(_) => Err(DocumentProblem::unreadable("an element occurs twice")),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let place = self.names.iter().position(|known| *known == name)?;
        self.found[place].as_deref()
    }

    fn required(&self, name: &str) -> Result<&str, DocumentProblem> {
        self.get(name).ok_or_else(|| DocumentProblem::missing(name))
    }

    fn key(&self) -> Result<ObjectKey, DocumentProblem> {
        decode_key(self.required("Key")?).map_err(DocumentProblem::unreadable)
    }

    fn version_id(&self) -> Result<VersionId, DocumentProblem> {
        VersionId::new(self.required("VersionId")?).map_err(DocumentProblem::unreadable)
    }

    fn modified_at(&self) -> Result<Timestamp, DocumentProblem> {
        Timestamp::parse(self.required("LastModified")?).map_err(DocumentProblem::unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(key: &str, id: &str, more: &str) -> String {
        format!(
            "<Version><Key>{key}</Key><VersionId>{id}</VersionId><IsLatest>true</IsLatest>\
             <LastModified>2026-11-22T01:02:03.000Z</LastModified><ETag>&quot;abc-2&quot;</ETag>\
             <ChecksumAlgorithm>CRC32</ChecksumAlgorithm><Size>7</Size>{more}\
             <Owner><ID>Key</ID><DisplayName>Size</DisplayName></Owner></Version>"
        )
    }

    fn marker(key: &str, id: &str) -> String {
        format!(
            "<DeleteMarker><Key>{key}</Key><VersionId>{id}</VersionId><IsLatest>false</IsLatest>\
             <LastModified>2026-11-22T01:02:04.000Z</LastModified><Owner><ID>1</ID></Owner></DeleteMarker>"
        )
    }

    fn document(entries: &str, end: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix/>\
             <KeyMarker/><VersionIdMarker/>{end}<MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>\
             {entries}</ListVersionsResult>"
        )
    }

    const LAST: &str = "<IsTruncated>false</IsTruncated>";

    #[test]
    fn versions_and_delete_markers_are_read_in_their_order() {
        let class = "<StorageClass>GLACIER</StorageClass>";
        let restored = "<StorageClass>GLACIER</StorageClass><RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>2026-12-21T00:00:00.000Z</RestoreExpiryDate></RestoreStatus>";
        let entries = [
            marker("a%2Bb", "m1"),
            version("a%2Bb", "v1", class),
            version("c+d", "null", restored),
        ];
        let page = parse(document(&entries.concat(), LAST).as_bytes()).unwrap();
        let found: Vec<_> = page
            .versions
            .iter()
            .map(|version| {
                (
                    version.key().as_str(),
                    version.version_id().unwrap().as_str(),
                )
            })
            .collect();
        assert_eq!(found, [("a+b", "m1"), ("a+b", "v1"), ("c d", "null")]);
        assert!(!page.is_truncated);
        let ListedVersion::Object(archived) = &page.versions[1] else {
            panic!("{:?}", page.versions[1])
        };
        assert_eq!((archived.size_bytes, archived.etag.as_str()), (7, "abc-2"));
        assert!(archived.storage.is_archived);
        let ListedVersion::Object(restored) = &page.versions[2] else {
            panic!("{:?}", page.versions[2])
        };
        assert!(!restored.storage.is_archived);
        let at = page.versions[0].modified_at().to_string();
        assert_eq!(at, "2026-11-22T01:02:04.000Z");
    }

    #[test]
    fn a_truncated_document_is_never_a_page() {
        let text = document(&(version("k", "v", "") + &marker("l", "m")), LAST);
        for length in 0..text.len() {
            assert!(parse(&text.as_bytes()[..length]).is_err(), "{length}");
        }
        assert!(parse(text.as_bytes()).is_ok());
    }

    #[test]
    fn a_truncated_page_says_where_the_next_one_begins() {
        let more = |marker: &str| format!("<IsTruncated>true</IsTruncated>{marker}");
        let entries = version("k", "v", "");
        let read = |end: &str| parse(document(&entries, end).as_bytes());
        let key = "<NextKeyMarker>k</NextKeyMarker><NextVersionIdMarker>v</NextVersionIdMarker>";
        assert!(read(&more(key)).unwrap().is_truncated);
        for wrong in ["", "<NextKeyMarker/>", "<NextKeyMarker>j</NextKeyMarker>"] {
            assert!(read(&more(wrong)).is_err(), "{wrong}");
        }
        assert!(read(&format!("{LAST}{key}")).is_err());
        assert!(read("").is_err());
    }

    #[test]
    fn a_document_with_missing_doubled_or_foreign_elements_is_refused() {
        let complete = document(&version("k", "v", ""), LAST);
        for wrong in [
            complete.replace("<VersionId>v</VersionId>", ""),
            complete.replace("<VersionId>v<", "<VersionId><"),
            complete.replace("<Key>k</Key>", ""),
            complete.replace("<Size>7</Size>", ""),
            complete.replace("<Size>7<", "<Size>-7<"),
            complete.replace("<Size>7</Size>", "<Size>7</Size><Size>7</Size>"),
            complete.replace("<EncodingType>url</EncodingType>", ""),
            complete.replace("<Key>k<", "<Key>%FF<"),
            complete.replace("ListVersionsResult", "ListBucketResult"),
            complete.replace(LAST, "<IsTruncated>maybe</IsTruncated>"),
            complete.replace("<Prefix/>", "<Version/>"),
            format!("{complete}<more/>"),
            String::new(),
        ] {
            assert!(parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
