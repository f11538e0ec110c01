//! Receives request bodies, plain or chunked (`aws-chunked`).

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::HeaderMap;

use super::error::S3Error;
use super::error_code::ErrorCode;
use super::header::header_text;

/// A PUT and an uploaded part take at most 5 GiB.
pub(crate) const UPLOAD_BYTES_MAX: u64 = 5 << 30;
/// The largest body that the model keeps in memory. S3 takes 5 GiB.
const LITERAL_BYTES_MAX: u64 = 1 << 30;

/// A complete body.
#[derive(Debug, Default)]
pub(crate) struct RequestBody {
    pub(crate) bytes: Bytes,
    /// The headers after a chunked body, by lower-case name.
    pub(crate) trailers: Vec<(String, String)>,
}

fn incomplete() -> S3Error {
    S3Error::new(
        ErrorCode::IncompleteBody,
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    )
}

/// Receives the whole body, or refuses it because of its declared length.
pub(crate) async fn receive(
    headers: &HeaderMap,
    incoming: Incoming,
) -> Result<RequestBody, S3Error> {
    if incoming.is_end_stream() {
        return Ok(RequestBody::default());
    }
    let declared = declared_length(headers)?;
    let bytes = incoming
        .collect()
        .await
        .map_err(|_| incomplete())?
        .to_bytes();
    if header_text(headers, "x-amz-content-sha256")?
        .is_none_or(|hash| !hash.starts_with("STREAMING-"))
    {
        return Ok(RequestBody {
            bytes,
            trailers: Vec::new(),
        });
    }
    let received = unchunk(&bytes).ok_or_else(incomplete)?;
    if received.bytes.len() as u64 != declared {
        return Err(incomplete());
    }
    Ok(received)
}

/// Returns the length of the decoded body, unless it is missing or too large.
fn declared_length(headers: &HeaderMap) -> Result<u64, S3Error> {
    if headers.contains_key("transfer-encoding") {
        return Err(S3Error::new(
            ErrorCode::NotImplemented,
            "A header you provided implies functionality that is not implemented",
        )
        .detail("Header", "Transfer-Encoding"));
    }
    let decoded_length = length_header(headers, "x-amz-decoded-content-length")?;
    let declared = decoded_length.or(length_header(headers, "content-length")?);
    let declared = declared.ok_or_else(|| {
        S3Error::new(
            ErrorCode::MissingContentLength,
            "You must provide the Content-Length HTTP header.",
        )
    })?;
    if declared > UPLOAD_BYTES_MAX {
        return Err(S3Error::entity_too_large(declared, UPLOAD_BYTES_MAX));
    }
    if declared > LITERAL_BYTES_MAX {
        return Err(S3Error::new(
            ErrorCode::NotImplemented,
            format!(
                "The S3 model keeps bodies of up to {LITERAL_BYTES_MAX} bytes. Seed larger objects as synthetic ones."
            ),
        ));
    }
    Ok(declared)
}

fn length_header(headers: &HeaderMap, name: &'static str) -> Result<Option<u64>, S3Error> {
    let Some(text) = header_text(headers, name)? else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|_| S3Error::invalid_argument(name, text, "A length must be a number"))
}

/// Removes and returns one line, without its line break.
fn line(rest: &mut Bytes) -> Option<Bytes> {
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let mut line = rest.split_to(end + 2);
    line.truncate(end);
    Some(line)
}

/// Decodes `aws-chunked`: `size[;chunk-signature=…]`, the data, …, a chunk of size 0, trailers.
fn unchunk(encoded: &Bytes) -> Option<RequestBody> {
    let mut rest = encoded.clone();
    let chunks = chunks(&mut rest)?;
    let mut trailers = Vec::new();
    while let Some(trailer) = line(&mut rest).filter(|trailer| !trailer.is_empty()) {
        let (name, value) = std::str::from_utf8(&trailer).ok()?.split_once(':')?;
        trailers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    Some(RequestBody {
        bytes: join(chunks),
        trailers,
    })
}

/// Removes and returns the data of all chunks.
fn chunks(rest: &mut Bytes) -> Option<Vec<Bytes>> {
    let mut chunks: Vec<Bytes> = Vec::new();
    loop {
        let head = line(rest)?;
        let head = std::str::from_utf8(&head).ok()?;
        let size = usize::from_str_radix(head.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(chunks);
        }
        if rest.len() < size + 2 {
            return None;
        }
        chunks.push(rest.split_to(size));
        if !line(rest)?.is_empty() {
            return None;
        }
    }
}

fn join(mut chunks: Vec<Bytes>) -> Bytes {
    if chunks.len() == 1 {
        return chunks.remove(0);
    }
    chunks
        .iter()
        .fold(BytesMut::new(), |mut body, chunk| {
            body.extend_from_slice(chunk);
            body
        })
        .freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_and_trailers_read() {
        let encoded = Bytes::from_static(
            b"3;chunk-signature=ab\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:AAAA==\r\n\r\n",
        );
        let received = unchunk(&encoded).expect("well-formed");
        assert_eq!(received.bytes, "abcde");
        assert_eq!(
            received.trailers,
            [("x-amz-checksum-crc32".to_owned(), "AAAA==".to_owned())]
        );
        assert_eq!(
            unchunk(&Bytes::from_static(b"0\r\n\r\n"))
                .expect("well-formed")
                .bytes,
            ""
        );
    }

    #[test]
    fn a_truncated_body_is_refused() {
        for truncated in [
            &b"3\r\nab"[..],
            b"3\r\nabc\r\n",
            b"3\r\nabcX\r\n0\r\n\r\n",
            b"zz\r\n",
            b"",
        ] {
            assert!(
                unchunk(&Bytes::copy_from_slice(truncated)).is_none(),
                "{truncated:?} was accepted"
            );
        }
    }
}
