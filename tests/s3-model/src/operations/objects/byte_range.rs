//! A range of an object's bytes, as requests name it.

use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::protocol::request_body::UPLOAD_BYTES_MAX;
use crate::storage::object::Object;
use crate::storage::upload::PARTS_MAX;

/// A range of bytes, by its start and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByteRange {
    pub(crate) start: u64,
    pub(crate) length: u64,
}

impl ByteRange {
    /// Returns the range that a GET or HEAD asks for, by `Range` or by a part number. `None` means
    /// the whole object: S3 ignores a `Range` header that it cannot read.
    pub(super) fn requested(
        request: &Request<'_>,
        object: &Object,
    ) -> Result<Option<Self>, S3Error> {
        let part = request.query.number("partNumber", u32::from(PARTS_MAX))?;
        let (header, part) = match (request.header("range")?, part) {
            (Some(_), Some(_)) => {
                return Err(S3Error::invalid_request(
                    "Cannot specify both Range header and partNumber query parameter",
                ));
            }
            (header, part) => (header, part),
        };
        if let Some(number) = part {
            return Self::of_part(object, number).map(Some);
        }
        let Some(header) = header else {
            return Ok(None);
        };
        let size = object.size();
        let invalid = || {
            S3Error::new(
                ErrorCode::InvalidRange,
                "The requested range is not satisfiable",
            )
            .detail("RangeRequested", header)
            .detail("ActualObjectSize", size.to_string())
        };
        let Some((first, last)) = header
            .strip_prefix("bytes=")
            .and_then(|range| range.split_once('-'))
        else {
            return Ok(None);
        };
        match (first.parse::<u64>().ok(), last.parse::<u64>().ok()) {
            (Some(first), Some(last)) if first > last => Ok(None),
            (Some(first), _) if first >= size => Err(invalid()),
            (Some(first), Some(last)) => Ok(Some(Self {
                start: first,
                length: last.min(size - 1) - first + 1,
            })),
            (Some(first), None) if last.is_empty() => Ok(Some(Self {
                start: first,
                length: size - first,
            })),
            (None, Some(count)) if first.is_empty() => {
                if count == 0 || size == 0 {
                    return Err(invalid());
                }
                let length = count.min(size);
                Ok(Some(Self {
                    start: size - length,
                    length,
                }))
            }
            _ => Ok(None),
        }
    }

    /// Returns the range of a part of the object.
    fn of_part(object: &Object, number: u32) -> Result<Self, S3Error> {
        let count = object
            .attributes
            .parts
            .as_ref()
            .map_or(1, |parts| parts.len());
        let missing = || {
            S3Error::new(
                ErrorCode::InvalidPartNumber,
                "The requested partnumber is not satisfiable",
            )
            .detail("ActualPartCount", count.to_string())
            .detail("PartNumberRequested", number.to_string())
        };
        let index = usize::try_from(number)
            .ok()
            .and_then(|number| number.checked_sub(1))
            .ok_or_else(missing)?;
        let Some(parts) = &object.attributes.parts else {
            return if index == 0 {
                Ok(Self {
                    start: 0,
                    length: object.size(),
                })
            } else {
                Err(missing())
            };
        };
        let part = parts.get(index).ok_or_else(missing)?;
        Ok(Self {
            start: parts[..index].iter().map(|part| part.length).sum(),
            length: part.length,
        })
    }

    /// Parses `bytes=first-last`, the only form that UploadPartCopy takes, for a source of this
    /// size. A range of a small source is taken, although the documents ask for 5 MiB (fact 39).
    pub(in crate::operations) fn of_copy_source(header: &str, size: u64) -> Result<Self, S3Error> {
        let invalid =
            |message: String| S3Error::invalid_argument("x-amz-copy-source-range", header, message);
        let bounds = header
            .strip_prefix("bytes=")
            .and_then(|range| range.split_once('-'));
        let parsed = bounds.and_then(|(first, last)| {
            Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?))
        });
        let Some((first, last)) = parsed.filter(|(first, last)| first <= last) else {
            return Err(invalid("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy".to_owned()));
        };
        if first >= size {
            return Err(S3Error::invalid_request(
                "The specified copy range is invalid for the source object size",
            ));
        }
        if last >= size {
            return Err(invalid(format!(
                "Range specified is not valid for source object of size: {size}"
            )));
        }
        let length = last - first + 1;
        if length > UPLOAD_BYTES_MAX {
            return Err(S3Error::entity_too_large(length, UPLOAD_BYTES_MAX));
        }
        Ok(Self {
            start: first,
            length,
        })
    }
}
