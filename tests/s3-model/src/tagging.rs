//! Object tags: their rules, and the three operations on them.

use std::collections::BTreeMap;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::access::{authorize, readable};
use crate::bucket::Versioning;
use crate::error::{ErrorCode, S3Error};
use crate::lock::{read, write};
use crate::model::Inner;
use crate::operation::Operation;
use crate::put::verify_body;
use crate::reply::Reply;
use crate::request::Call;
use crate::xml::Xml;

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
    #[serde(default)]
    value: String,
}

/// The tags of `x-amz-tagging`, written like a query string.
pub(crate) fn parse_tag_header(header: &str) -> Result<BTreeMap<String, String>, S3Error> {
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " ")).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| {
            S3Error::invalid_argument(
                "x-amz-tagging",
                header,
                "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
            )
        })
    };
    let mut pairs = Vec::new();
    for pair in header.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        pairs.push((decode(key)?, decode(value)?));
    }
    checked(pairs)
}

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
        if key.is_empty() || key.chars().count() > TAG_KEY_CHARS_MAX || key.starts_with("aws:") {
            return Err(invalid("The TagKey you have provided is invalid", &key));
        }
        if value.chars().count() > TAG_VALUE_CHARS_MAX {
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

/// GetObjectTagging, PutObjectTagging and DeleteObjectTagging.
pub(crate) fn object_tagging(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let version = call.query.get("versionId")?;
    let (action, status) = match call.operation {
        Operation::PutObjectTagging => ("s3:PutObjectTagging", 200),
        Operation::DeleteObjectTagging => ("s3:DeleteObjectTagging", 204),
        _ => ("s3:GetObjectTagging", 200),
    };
    let object = {
        let state = read(&bucket);
        authorize(&state, &call.caller, action, call.bucket, call.key)?;
        readable(
            &state,
            &call.caller,
            call.bucket,
            call.key,
            version.as_deref(),
        )?
    };
    let mut reply = match call.operation {
        Operation::GetObjectTagging => {
            let mut xml = Xml::result("Tagging", 512);
            xml.open("TagSet");
            for (key, value) in &object.attributes.tags {
                xml.open("Tag");
                xml.text("Key", key);
                xml.text("Value", value);
                xml.close("Tag");
            }
            xml.close("TagSet");
            Reply::xml(xml.finish("Tagging"))
        }
        _ => {
            let tags = if call.operation == Operation::PutObjectTagging {
                sent_tags(call)?
            } else {
                BTreeMap::new()
            };
            write(&bucket).amend(call.key, object.version, |object| {
                Arc::make_mut(&mut object.attributes).tags = tags;
            })?;
            Reply::empty(status)
        }
    };
    if read(&bucket).versioning != Versioning::Off {
        reply.text("x-amz-version-id", &object.version.to_string());
    }
    Ok(reply)
}

fn sent_tags(call: &Call<'_>) -> Result<BTreeMap<String, String>, S3Error> {
    verify_body(call, None)?;
    let text = std::str::from_utf8(&call.body).map_err(|_| S3Error::malformed_xml())?;
    let document: Tagging = quick_xml::de::from_str(text).map_err(|_| S3Error::malformed_xml())?;
    checked(
        document
            .set
            .tags
            .into_iter()
            .map(|tag| (tag.key, tag.value))
            .collect(),
    )
}
