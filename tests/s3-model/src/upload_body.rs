//! Receiving request bodies, plain and in the chunks of `aws-chunked`.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::HeaderMap;

use crate::error::{ErrorCode, S3Error};
use crate::multipart::too_large;
use crate::put::UPLOAD_BYTES_MAX;
use crate::request::header_text;

/// What the model itself is ready to keep of one real body; S3 takes 5 GiB.
const LITERAL_BYTES_MAX: u64 = 1 << 30;

/// A body that has arrived.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) body: Bytes,
    /// The headers after a chunked body, by lower-case name.
    pub(crate) trailers: Vec<(String, String)>,
}

fn incomplete() -> S3Error {
    S3Error::new(
        ErrorCode::IncompleteBody,
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    )
}

/// Receives the whole body, or refuses it by its declared length.
pub(crate) async fn receive(headers: &HeaderMap, incoming: Incoming) -> Result<Received, S3Error> {
    if incoming.is_end_stream() {
        return Ok(Received::default());
    }
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
        return Err(too_large(declared));
    }
    if declared > LITERAL_BYTES_MAX {
        return Err(S3Error::new(
            ErrorCode::NotImplemented,
            format!(
                "The S3 model keeps real bodies up to {LITERAL_BYTES_MAX} bytes; seed larger objects as synthetic ones."
            ),
        ));
    }
    let body = incoming
        .collect()
        .await
        .map_err(|_| incomplete())?
        .to_bytes();
    if header_text(headers, "x-amz-content-sha256")?
        .is_none_or(|hash| !hash.starts_with("STREAMING-"))
    {
        return Ok(Received {
            body,
            trailers: Vec::new(),
        });
    }
    let received = unchunk(&body).ok_or_else(incomplete)?;
    if received.body.len() as u64 != declared {
        return Err(incomplete());
    }
    Ok(received)
}

fn length_header(headers: &HeaderMap, name: &'static str) -> Result<Option<u64>, S3Error> {
    let Some(text) = header_text(headers, name)? else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|_| S3Error::invalid_argument(name, text, "A length must be a number"))
}

/// Takes one line, without its end.
fn line(rest: &mut Bytes) -> Option<Bytes> {
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let mut line = rest.split_to(end + 2);
    line.truncate(end);
    Some(line)
}

/// Undoes `aws-chunked`: `size[;chunk-signature=…]`, the data, …, a chunk of size 0, trailers.
fn unchunk(encoded: &Bytes) -> Option<Received> {
    let mut rest = encoded.clone();
    let mut chunks: Vec<Bytes> = Vec::new();
    loop {
        let head = line(&mut rest)?;
        let head = std::str::from_utf8(&head).ok()?;
        let size = usize::from_str_radix(head.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            break;
        }
        if rest.len() < size + 2 {
            return None;
        }
        chunks.push(rest.split_to(size));
        if line(&mut rest)?.is_empty() {
            continue;
        }
        return None;
    }
    let mut trailers = Vec::new();
    while let Some(trailer) = line(&mut rest).filter(|trailer| !trailer.is_empty()) {
        let (name, value) = std::str::from_utf8(&trailer).ok()?.split_once(':')?;
        trailers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    let body = match chunks.len() {
        1 => chunks.remove(0),
        _ => chunks
            .iter()
            .fold(BytesMut::new(), |mut body, chunk| {
                body.extend_from_slice(chunk);
                body
            })
            .freeze(),
    };
    Some(Received { body, trailers })
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
        assert_eq!(received.body, "abcde");
        assert_eq!(
            received.trailers,
            [("x-amz-checksum-crc32".to_owned(), "AAAA==".to_owned())]
        );
        assert_eq!(
            unchunk(&Bytes::from_static(b"0\r\n\r\n"))
                .expect("well-formed")
                .body,
            ""
        );
    }

    #[test]
    fn a_cut_body_is_not_taken_for_a_whole_one() {
        for cut in [
            &b"3\r\nab"[..],
            b"3\r\nabc\r\n",
            b"3\r\nabcX\r\n0\r\n\r\n",
            b"zz\r\n",
            b"",
        ] {
            assert!(
                unchunk(&Bytes::copy_from_slice(cut)).is_none(),
                "{cut:?} was accepted"
            );
        }
    }
}
