//! The tags of an object, and their rules.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::operations::body_digest::verify_body;
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;

const TAGS_MAX: usize = 10;
const TAG_KEY_CHARS_MAX: usize = 128;
const TAG_VALUE_CHARS_MAX: usize = 256;

/// The document of PutObjectTagging.
#[derive(Debug, Deserialize)]
struct Tagging {
    #[serde(rename = "TagSet")]
    set: TagSet,
}

#[derive(Debug, Deserialize)]
struct TagSet {
    #[serde(rename = "Tag", default)]
    tags: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

/// Parses `x-amz-tagging`, which is written like a query string.
pub(in crate::operations) fn from_header(
    header: &str,
) -> Result<BTreeMap<String, String>, S3Error> {
    let malformed = || {
        S3Error::invalid_argument(
            "x-amz-tagging",
            header,
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
        )
    };
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8()
            .map(Cow::into_owned)
            .map_err(|_| malformed())
    };
    let mut pairs: Vec<(String, String)> = Vec::new();
    for pair in header.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (decode(key)?, (!value.contains('=')).then(|| decode(value)));
        // A doubled name and a second, unencoded `=` make the header malformed (fact 83).
        match value {
            Some(value) if pairs.iter().all(|(known, _)| *known != key) => {
                pairs.push((key, value?));
            }
            _ => return Err(malformed()),
        }
    }
    checked(pairs)
}

/// Parses the document of PutObjectTagging.
pub(super) fn from_body(request: &Request<'_>) -> Result<BTreeMap<String, String>, S3Error> {
    verify_body(request, None)?;
    let document: Tagging = request.document()?;
    checked(
        document
            .set
            .tags
            .into_iter()
            .map(|tag| (tag.key, tag.value))
            .collect(),
    )
}

/// Whether a tag may hold a character: letters, numbers and spaces of any script, and `+-=._:/@`
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html).
fn is_allowed(character: char) -> bool {
    character.is_alphanumeric()
        || (character.is_whitespace() && !character.is_control())
        || "+-=._:/@".contains(character)
}

/// Refuses tags that break a rule.
fn checked(pairs: Vec<(String, String)>) -> Result<BTreeMap<String, String>, S3Error> {
    let invalid = |reason: &'static str, key: &str| {
        S3Error::new(ErrorCode::InvalidTag, reason).detail("TagKey", key)
    };
    if pairs.len() > TAGS_MAX {
        return Err(S3Error::new(
            ErrorCode::InvalidTag,
            "Object tags cannot be greater than 10",
        ));
    }
    let mut tags = BTreeMap::new();
    for (key, value) in pairs {
        if key.is_empty()
            || key.chars().count() > TAG_KEY_CHARS_MAX
            || key.starts_with("aws:")
            || !key.chars().all(is_allowed)
        {
            return Err(invalid("The TagKey you have provided is invalid", &key));
        }
        if value.chars().count() > TAG_VALUE_CHARS_MAX || !value.chars().all(is_allowed) {
            return Err(invalid("The TagValue you have provided is invalid", &key));
        }
        if tags.insert(key.clone(), value).is_some() {
            return Err(invalid(
                "Cannot provide multiple Tags with the same key",
                &key,
            ));
        }
    }
    Ok(tags)
}
