//! Who acts: the principal behind an access key, and the caller of a request.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::condition::StatedHeaders;
use super::policy::{CallerNames, PolicyDocument};

/// Returns the canonical user id of an account, which S3 names as the owner: 64 hexadecimal digits,
/// not the number of the account.
pub(crate) fn canonical_id(account: &str) -> String {
    let digest = Sha256::digest(account);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The identity behind an access key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// The 12-digit account.
    pub account: String,
    /// `arn:aws:iam::<account>:role/<name>` or `…:root`.
    pub arn: String,
    /// What its identity policies grant. Everything if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyDocument>,
    /// When its session expires, in seconds since 1970. Never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_s: Option<u64>,
}

impl Principal {
    /// Makes the root of an account.
    pub fn root(account: impl Into<String>) -> Self {
        let account = account.into();
        Self {
            arn: format!("arn:aws:iam::{account}:root"),
            account,
            policy: None,
            expires_s: None,
        }
    }

    /// Makes a role of an account.
    pub fn role(account: impl Into<String>, name: &str) -> Self {
        let account = account.into();
        Self {
            arn: format!("arn:aws:iam::{account}:role/{name}"),
            account,
            policy: None,
            expires_s: None,
        }
    }

    /// Sets its identity policy.
    #[must_use]
    pub fn policy(mut self, policy: PolicyDocument) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Sets when its session expires, in seconds since 1970.
    #[must_use]
    pub fn expires_s(mut self, expires_s: u64) -> Self {
        self.expires_s = Some(expires_s);
        self
    }

    pub(super) fn names(&self) -> CallerNames<'_> {
        CallerNames {
            arn: &self.arn,
            account: &self.account,
        }
    }
}

/// The principal of a request, and the Region of its signature.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// `None` for an anonymous request.
    pub(crate) principal: Option<Arc<Principal>>,
    pub(crate) region: Option<String>,
    /// The headers that conditions look at.
    pub(crate) stated: StatedHeaders,
    /// Whether the request states that the requester pays.
    pub(crate) pays: bool,
}

impl Caller {
    /// Returns who the caller is as the initiator of an upload: the canonical id of an account's
    /// root, otherwise the ARN (docs.aws.amazon.com/AmazonS3/latest/API/API_Initiator.html).
    pub(crate) fn user_id(&self) -> String {
        match self.principal.as_deref() {
            Some(principal) if principal.arn.ends_with(":root") => canonical_id(&principal.account),
            _ => self.arn().to_owned(),
        }
    }

    pub(crate) fn arn(&self) -> &str {
        self.principal
            .as_ref()
            .map_or("anonymous", |principal| principal.arn.as_str())
    }
}
