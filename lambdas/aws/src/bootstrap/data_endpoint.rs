//! Where the two buckets of a pair are, if not at S3's endpoints.

use shardlift_core::failure::Failure;

use super::variables::invalid;
use crate::clients::DATA_ENDPOINT_VARIABLE;

const ALLOW_OTHER: &str = "ALLOW_OTHER_DATA_S3_ENDPOINT";

/// Another endpoint gets every listing and copy of the run, signed: it is this machine's, unless the stack says otherwise.
pub(super) fn data_endpoint_url(
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<Option<String>, Failure> {
    let Some(url) = variable(DATA_ENDPOINT_VARIABLE) else {
        return Ok(None);
    };
    let is_allowed = variable(ALLOW_OTHER).as_deref() == Some("true");
    if is_allowed || is_loopback(&url) {
        return Ok(Some(url));
    }
    Err(invalid(
        DATA_ENDPOINT_VARIABLE,
        format_args!("is {url:?}, which is not this machine (parameter AllowOtherDataS3Endpoint)"),
    ))
}

fn is_loopback(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    ["127.0.0.1", "localhost", "[::1]"].contains(&host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_endpoint_for_the_data_is_this_machine_unless_it_is_allowed() {
        let url = |url: &'static str, allowed: &'static str| {
            let variables = [(DATA_ENDPOINT_VARIABLE, url), (ALLOW_OTHER, allowed)];
            data_endpoint_url(&|name: &str| {
                let found = variables
                    .iter()
                    .find(|(known, text)| *known == name && !text.is_empty());
                found.map(|(_, text): &(&str, &str)| (*text).to_owned())
            })
        };
        assert_eq!(url("", "false").unwrap(), None);
        for own in [
            "http://127.0.0.1:9100",
            "https://localhost/",
            "http://[::1]:1",
        ] {
            assert_eq!(url(own, "false").unwrap().as_deref(), Some(own));
        }
        for other in [
            "https://s3.evil.example",
            "http://127.0.0.1.evil.example",
            "http://localhost@evil.example",
            "http://evil.example/127.0.0.1",
            "localhost",
        ] {
            let refused = url(other, "false").unwrap_err();
            assert!(
                refused.detail.contains("AllowOtherDataS3Endpoint"),
                "{refused}"
            );
            assert!(url(other, "true").is_ok());
        }
    }
}
