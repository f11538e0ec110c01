//! The signature of a request. It is not verified, but it must be present, well-formed and recent.

use hyper::header::HeaderMap;

use crate::clock::Clock;
use crate::date::{iso, parse_amz_date};
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::protocol::header::header_text;
use crate::protocol::query::Query;

/// S3 refuses requests whose date differs from its own by more than this.
const SKEW_S_MAX: i64 = 15 * 60;

/// The access key of a request, and the Region that it was signed for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) access_key: String,
    pub(super) region: String,
}

/// The parts of a credential scope.
struct Scope<'a> {
    access_key: &'a str,
    region: &'a str,
    date: &'a str,
}

impl Signature {
    /// Reads the signature of a request from its headers or its query. `None` if there is none.
    pub(super) fn read(
        headers: &HeaderMap,
        query: Query<'_>,
        clock: &Clock,
    ) -> Result<Option<Self>, S3Error> {
        let credential = query.get("X-Amz-Credential")?;
        let header = header_text(headers, "authorization")?;
        let scope = match (header, &credential) {
            (Some(header), _) => parse_authorization(header)?,
            (None, Some(credential)) => parse_credential(credential)
                .ok_or_else(|| malformed("Error parsing the X-Amz-Credential parameter"))?,
            (None, None) => return Ok(None),
        };
        let presigned_date = query.get("X-Amz-Date")?;
        let date = header_text(headers, "x-amz-date")?.or(presigned_date.as_deref());
        check_date(date, &scope, clock)?;
        if header.is_some() && !headers.contains_key("x-amz-content-sha256") {
            return Err(S3Error::invalid_request(
                "Missing required header for this request: x-amz-content-sha256",
            ));
        }
        Ok(Some(Self {
            access_key: scope.access_key.to_owned(),
            region: scope.region.to_owned(),
        }))
    }
}

fn malformed(reason: &'static str) -> S3Error {
    S3Error::new(ErrorCode::AuthorizationHeaderMalformed, reason)
}

fn parse_authorization(header: &str) -> Result<Scope<'_>, S3Error> {
    let Some(fields) = header.strip_prefix("AWS4-HMAC-SHA256 ") else {
        return Err(S3Error::invalid_request(
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
        ));
    };
    let field = |name: &str| {
        fields
            .split(',')
            .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
            .filter(|v| !v.is_empty())
    };
    let credential = field("Credential").ok_or_else(|| {
        malformed("The authorization header is malformed; the Credential is missing.")
    })?;
    if field("SignedHeaders").is_none() {
        return Err(malformed(
            "The authorization header is malformed; the SignedHeaders are missing.",
        ));
    }
    let signature = field("Signature").unwrap_or("");
    if signature.len() != 64 || !signature.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(malformed(
            "The authorization header is malformed; the Signature is not 64 hexadecimal digits.",
        ));
    }
    parse_credential(credential).ok_or_else(|| {
        malformed("The authorization header is malformed; the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".")
    })
}

fn parse_credential(credential: &str) -> Option<Scope<'_>> {
    let mut fields = credential.rsplitn(5, '/');
    let (terminator, service) = (fields.next()?, fields.next()?);
    let (region, date, access_key) = (fields.next()?, fields.next()?, fields.next()?);
    let valid = terminator == "aws4_request"
        && service == "s3"
        && !region.is_empty()
        && date.len() == 8
        && !access_key.is_empty();
    valid.then_some(Scope {
        access_key,
        region,
        date,
    })
}

fn check_date(date: Option<&str>, scope: &Scope<'_>, clock: &Clock) -> Result<(), S3Error> {
    let parsed = date.and_then(|text| Some((text, parse_amz_date(text)?)));
    let Some((text, signed_s)) = parsed else {
        return Err(S3Error::access_denied(
            "AWS authentication requires a valid Date or x-amz-date header",
        ));
    };
    if !text.starts_with(scope.date) {
        return Err(malformed(
            "The authorization header is malformed; Invalid credential date.",
        ));
    }
    let now_s = i64::try_from(clock.now_s()).unwrap_or(i64::MAX);
    if (now_s - signed_s).abs() > SKEW_S_MAX {
        return Err(S3Error::new(
            ErrorCode::RequestTimeTooSkewed,
            "The difference between the request time and the current time is too large.",
        )
        .detail("RequestTime", text)
        .detail("ServerTime", iso(clock.now_s()))
        .detail(
            "MaxAllowedSkewMilliseconds",
            (SKEW_S_MAX * 1000).to_string(),
        ));
    }
    Ok(())
}
