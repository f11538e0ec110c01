//! Who calls: the access key of the signature names a principal. Signatures are not verified,
//! but they must be there and well-formed.

use std::collections::HashMap;
use std::sync::Arc;

use hyper::header::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::clock::{Clock, parse_amz_date};
use crate::error::{ErrorCode, S3Error};
use crate::policy::PolicyDocument;
use crate::request::{Query, header_text};

/// S3 refuses requests whose date is further off than this.
const SKEW_S_MAX: i64 = 15 * 60;

/// An identity that access keys stand for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// The 12-digit account.
    pub account: String,
    /// `arn:aws:iam::<account>:role/<name>` or `…:root`.
    pub arn: String,
    /// What its identity policies grant; everything when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyDocument>,
    /// When its session ends, in seconds since 1970; never when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_s: Option<u64>,
}

impl Principal {
    /// The root of an account.
    pub fn root(account: impl Into<String>) -> Self {
        let account = account.into();
        Self {
            arn: format!("arn:aws:iam::{account}:root"),
            account,
            policy: None,
            expires_s: None,
        }
    }

    /// A role of an account.
    pub fn role(account: impl Into<String>, name: &str) -> Self {
        let account = account.into();
        Self {
            arn: format!("arn:aws:iam::{account}:role/{name}"),
            account,
            policy: None,
            expires_s: None,
        }
    }

    /// With an identity policy.
    #[must_use]
    pub fn policy(mut self, policy: PolicyDocument) -> Self {
        self.policy = Some(policy);
        self
    }

    /// With the end of its session, in seconds since 1970.
    #[must_use]
    pub fn expires_s(mut self, expires_s: u64) -> Self {
        self.expires_s = Some(expires_s);
        self
    }
}

/// The principal of a request, and the Region that it was signed for.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// `None` for an anonymous request.
    pub(crate) principal: Option<Arc<Principal>>,
    pub(crate) region: Option<String>,
}

impl Caller {
    pub(crate) fn arn(&self) -> &str {
        self.principal
            .as_ref()
            .map_or("anonymous", |principal| principal.arn.as_str())
    }
}

/// Which principal each access key stands for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identities {
    pub(crate) keys: HashMap<String, Arc<Principal>>,
    /// Whom an unknown access key stands for: session keys that the model has not seen made.
    pub(crate) any_other: Option<Arc<Principal>>,
    pub(crate) anonymous_allowed: bool,
}

/// The parts of a signature that the model looks at.
struct Signature<'a> {
    access_key: &'a str,
    region: &'a str,
    scope_date: &'a str,
}

impl Identities {
    /// Identifies the caller, or refuses the request as S3 does.
    pub(crate) fn identify(
        &self,
        headers: &HeaderMap,
        query: Query<'_>,
        clock: &Clock,
    ) -> Result<Caller, S3Error> {
        let credential = query.get("X-Amz-Credential")?;
        let header = header_text(headers, "authorization")?;
        let signature = match (header, &credential) {
            (Some(header), _) => parse_authorization(header)?,
            (None, Some(credential)) => parse_credential(credential).ok_or_else(|| {
                S3Error::new(
                    ErrorCode::AuthorizationHeaderMalformed,
                    "Error parsing the X-Amz-Credential parameter",
                )
            })?,
            (None, None) if self.anonymous_allowed => {
                return Ok(Caller {
                    principal: None,
                    region: None,
                });
            }
            (None, None) => return Err(S3Error::access_denied("Access Denied")),
        };
        let presigned_date = query.get("X-Amz-Date")?;
        let date = header_text(headers, "x-amz-date")?.or(presigned_date.as_deref());
        check_date(date, &signature, clock)?;
        if header.is_some() && !headers.contains_key("x-amz-content-sha256") {
            return Err(S3Error::invalid_request(
                "Missing required header for this request: x-amz-content-sha256",
            ));
        }
        let principal = self.principal(signature.access_key)?;
        if principal
            .expires_s
            .is_some_and(|expires_s| expires_s <= clock.now_s())
        {
            return Err(expired_token());
        }
        Ok(Caller {
            principal: Some(principal),
            region: Some(signature.region.to_owned()),
        })
    }

    /// A registered key, an account's number for its root, or whoever unknown keys belong to.
    fn principal(&self, access_key: &str) -> Result<Arc<Principal>, S3Error> {
        if let Some(principal) = self.keys.get(access_key) {
            return Ok(principal.clone());
        }
        if access_key.len() == 12 && access_key.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Arc::new(Principal::root(access_key)));
        }
        self.any_other.clone().ok_or_else(|| {
            S3Error::new(
                ErrorCode::InvalidAccessKeyId,
                "The AWS Access Key Id you provided does not exist in our records.",
            )
            .detail("AWSAccessKeyId", access_key)
        })
    }
}

pub(crate) fn expired_token() -> S3Error {
    S3Error::new(ErrorCode::ExpiredToken, "The provided token has expired.")
}

fn malformed(reason: &'static str) -> S3Error {
    S3Error::new(ErrorCode::AuthorizationHeaderMalformed, reason)
}

fn parse_authorization(header: &str) -> Result<Signature<'_>, S3Error> {
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

fn parse_credential(credential: &str) -> Option<Signature<'_>> {
    let mut fields = credential.rsplitn(5, '/');
    let (terminator, service) = (fields.next()?, fields.next()?);
    let (region, scope_date, access_key) = (fields.next()?, fields.next()?, fields.next()?);
    let valid = terminator == "aws4_request"
        && service == "s3"
        && !region.is_empty()
        && scope_date.len() == 8
        && !access_key.is_empty();
    valid.then_some(Signature {
        access_key,
        region,
        scope_date,
    })
}

fn check_date(date: Option<&str>, signature: &Signature<'_>, clock: &Clock) -> Result<(), S3Error> {
    let parsed = date.and_then(|text| Some((text, parse_amz_date(text)?)));
    let Some((text, signed_s)) = parsed else {
        return Err(S3Error::access_denied(
            "AWS authentication requires a valid Date or x-amz-date header",
        ));
    };
    if !text.starts_with(signature.scope_date) {
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
        .detail("ServerTime", crate::clock::iso(clock.now_s()))
        .detail(
            "MaxAllowedSkewMilliseconds",
            (SKEW_S_MAX * 1000).to_string(),
        ));
    }
    Ok(())
}
