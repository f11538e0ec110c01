//! A bucket to create.

use super::encryption::Encryption;
use super::version::Versioning;
use crate::access::policy::PolicyDocument;
use crate::key_space::spec::KeySpaceSpec;

/// The account of buckets and access keys that name no other.
pub const DEFAULT_ACCOUNT: &str = "111111111111";
/// The Region of buckets that name no other.
pub(crate) const DEFAULT_REGION: &str = "us-east-1";

/// A bucket to create.
#[derive(Debug, Clone)]
pub struct BucketSpec {
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) region: String,
    pub(crate) versioning: Versioning,
    pub(crate) policy: Option<PolicyDocument>,
    pub(crate) default_encryption: Encryption,
    pub(crate) is_requester_pays: bool,
    pub(crate) key_space: Option<KeySpaceSpec>,
}

impl BucketSpec {
    /// Describes an empty, unversioned bucket of the default account in us-east-1.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            owner: DEFAULT_ACCOUNT.to_owned(),
            region: DEFAULT_REGION.to_owned(),
            versioning: Versioning::Off,
            policy: None,
            default_encryption: Encryption::default(),
            is_requester_pays: false,
            key_space: None,
        }
    }

    /// Sets the account that owns it.
    #[must_use]
    pub fn owner(mut self, account: impl Into<String>) -> Self {
        self.owner = account.into();
        self
    }

    /// Encrypts by default under this KMS key.
    #[must_use]
    pub fn default_encryption(mut self, kms_key_arn: impl Into<String>) -> Self {
        self.default_encryption = Encryption::under(kms_key_arn);
        self
    }

    /// Lets requesters of other accounts pay.
    #[must_use]
    pub fn requester_pays(mut self) -> Self {
        self.is_requester_pays = true;
        self
    }

    /// Sets the Region.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// Sets the versioning.
    #[must_use]
    pub fn versioning(mut self, versioning: Versioning) -> Self {
        self.versioning = versioning;
        self
    }

    /// Sets the bucket policy.
    #[must_use]
    pub fn policy(mut self, policy: PolicyDocument) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Fills the bucket with computed keys.
    #[must_use]
    pub fn key_space(mut self, spec: KeySpaceSpec) -> Self {
        self.key_space = Some(spec);
        self
    }
}
