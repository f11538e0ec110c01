//! Keeps web pages away from the server.
//!
//! Any page that is open in a browser can send requests to a port of the loopback. A browser says where they come from, in
//! `Origin` and `Sec-Fetch-Site`; a page whose name was made to resolve to the loopback (DNS rebinding) has its own name
//! in `Host`. S3's clients send none of these and name the loopback.

use hyper::header::{HOST, ORIGIN};
use hyper::{HeaderMap, StatusCode};

use crate::protocol::response::Content;
use crate::protocol::response_body::ResponseBody;

/// The response to a foreign request.
pub(super) fn refused() -> hyper::Response<ResponseBody> {
    let text =
        "refused: the request comes from a web page, or does not name this machine's loopback\n";
    let body = ResponseBody::new(Content::Bytes(text.into()));
    let mut response = hyper::Response::new(body);
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

/// Whether a request comes from a page of another origin, or does not name the loopback.
pub(super) fn is_foreign(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let Some(host) = host.filter(|host| is_loopback(host)) else {
        return true;
    };
    let own = [format!("http://{host}"), format!("https://{host}")];
    let is_of_another = |origin: &str| !own.iter().any(|own| own.eq_ignore_ascii_case(origin));
    let origin = headers.get(ORIGIN);
    let site = headers.get("sec-fetch-site");
    origin.is_some_and(|origin| origin.to_str().map_or(true, is_of_another))
        || site.is_some_and(|site| site != "none" && site != "same-origin")
}

/// Whether the host of a `Host` header, with or without a port, is the loopback. Every name below `localhost` is (RFC
/// 6761), and nobody can own one.
fn is_loopback(host: &str) -> bool {
    let name = match host.split_once(']') {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or_default(),
    };
    let name = name.to_ascii_lowercase();
    ["127.0.0.1", "localhost", "[::1"].contains(&name.as_str()) || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers
            .iter()
            .map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        is_foreign(&headers.collect())
    }

    #[test]
    fn clients_that_name_the_loopback_are_served() {
        for host in [
            "127.0.0.1:9100",
            "localhost",
            "LOCALHOST:1",
            "[::1]:9100",
            "bucket.localhost:9100",
        ] {
            assert!(!foreign(&[("host", host)]), "{host}");
        }
        let own = [
            ("host", "localhost:1"),
            ("origin", "http://localhost:1"),
            ("sec-fetch-site", "same-origin"),
        ];
        assert!(!foreign(&own));
    }

    #[test]
    fn pages_of_another_origin_and_other_names_are_refused() {
        for host in [
            "evil.example:9100",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "[::2]",
            "",
        ] {
            assert!(foreign(&[("host", host)]), "{host}");
        }
        assert!(foreign(&[]), "no host at all");
        for origin in [
            "https://evil.example",
            "http://localhost:2",
            "null",
            "http://127.0.0.1:1",
        ] {
            assert!(
                foreign(&[("host", "localhost:1"), ("origin", origin)]),
                "{origin}"
            );
        }
        for site in ["cross-site", "same-site"] {
            assert!(
                foreign(&[("host", "localhost:1"), ("sec-fetch-site", site)]),
                "{site}"
            );
        }
    }
}
