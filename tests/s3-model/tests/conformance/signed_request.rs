//! Requests and responses that the SDK cannot send or read: bytes in headers, and empty parameters.
//! The signature has the right form only, so these cases are for the model.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::backend::{Backend, OWNER};

/// Sends a request and returns the whole response. `headers` are lines.
pub(crate) async fn send(backend: &Backend, line: &str, headers: &[&[u8]], body: &str) -> Vec<u8> {
    let address = backend.endpoint_url.trim_start_matches("http://");
    let now_s = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs());
    let stamp = httpdate_stamp(now_s);
    let date = &stamp[..8];
    let mut request = format!(
        "{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n\
         x-amz-date: {stamp}\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\n\
         authorization: AWS4-HMAC-SHA256 Credential={OWNER}/{date}/us-east-1/s3/aws4_request, \
         SignedHeaders=host, Signature={}\r\n",
        body.len(),
        "0".repeat(64),
    )
    .into_bytes();
    for header in headers {
        request.extend_from_slice(header);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(body.as_bytes());
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(&request).await.expect("a request");
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.expect("a response");
    response
}

/// Whether the response has these bytes somewhere.
pub(crate) fn has(response: &[u8], bytes: &[u8]) -> bool {
    response.windows(bytes.len()).any(|window| window == bytes)
}

/// Returns the status of a response and whether it names this code.
pub(crate) fn status_and_code(response: &[u8], code: &str) -> (u16, bool) {
    let text = String::from_utf8_lossy(response);
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    (
        status.expect("a status"),
        text.contains(&format!("<Code>{code}</Code>")),
    )
}

/// The date of a signature, made of that of HTTP: `20260131T235959Z`.
fn httpdate_stamp(epoch_s: u64) -> String {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(epoch_s));
    let fields: Vec<&str> = text.split([' ', ':']).collect();
    let month = MONTHS.find(fields[2]).expect("a month") / 3 + 1;
    format!(
        "{}{month:02}{}T{}{}{}Z",
        fields[3], fields[1], fields[4], fields[5], fields[6]
    )
}
