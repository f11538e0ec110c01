//! Which principal each access key stands for.

use std::collections::HashMap;
use std::sync::Arc;

use hyper::header::HeaderMap;

use super::condition::StatedHeaders;
use super::principal::{Caller, Principal};
use super::signature::Signature;
use crate::clock::Clock;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::protocol::query::Query;

/// Which principal each access key stands for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identities {
    pub(crate) keys: HashMap<String, Arc<Principal>>,
    /// The principal of all other access keys, such as session keys of another STS.
    pub(crate) any_other: Option<Arc<Principal>>,
    pub(crate) anonymous_allowed: bool,
}

impl Identities {
    /// Lets every access key stand for one principal.
    pub(crate) fn everyone_is(principal: Principal) -> Self {
        Self {
            any_other: Some(Arc::new(principal)),
            ..Self::default()
        }
    }

    /// Identifies the caller, or refuses the request as S3 does.
    pub(crate) fn identify(
        &self,
        headers: &HeaderMap,
        query: Query<'_>,
        clock: &Clock,
    ) -> Result<Caller, S3Error> {
        let stated = StatedHeaders::of(headers, query.has("uploadId"));
        let pays = headers
            .get("x-amz-request-payer")
            .is_some_and(|payer| payer == "requester");
        let Some(signature) = Signature::read(headers, query, clock)? else {
            return if self.anonymous_allowed {
                Ok(Caller {
                    principal: None,
                    region: None,
                    stated,
                    pays,
                })
            } else {
                Err(S3Error::access_denied("Access Denied"))
            };
        };
        let principal = self.principal(&signature.access_key)?;
        if principal
            .expires_s
            .is_some_and(|expires_s| expires_s <= clock.now_s())
        {
            return Err(S3Error::expired_token());
        }
        Ok(Caller {
            principal: Some(principal),
            region: Some(signature.region),
            stated,
            pays,
        })
    }

    /// Finds the principal of an access key. The key can be registered, or be the number of an
    /// account, whose root it then stands for. All other keys share one principal.
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
