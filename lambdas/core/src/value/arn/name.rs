//! The name of anything at AWS.

use super::account::{AccountId, Region, check_account, check_region};
use crate::value::{bucket::BucketName, key::ObjectKey, text::checked_text};

checked_text! {
    /// The Amazon Resource Name of anything: `arn:<partition>:<service>:<region>:<account>:<resource>`. Region and
    /// account are empty where the service has none; the resource may contain colons.
    Arn, "ARN", check_arn
}

/// The parts of an ARN.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) partition: &'a str,
    pub(super) service: &'a str,
    pub(super) region: &'a str,
    pub(super) account: &'a str,
    pub(super) resource: &'a str,
}

impl<'a> Parts<'a> {
    /// The parts of `arn`; nothing where it is none.
    fn of(arn: &'a str) -> Option<Self> {
        let mut fields = arn.strip_prefix("arn:")?.splitn(5, ':');
        let parts = Self {
            partition: fields.next()?,
            service: fields.next()?,
            region: fields.next()?,
            account: fields.next()?,
            resource: fields.next()?,
        };
        let is_word = |text: &str| {
            let is_ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            !text.is_empty() && text.bytes().all(is_ok)
        };
        let is_valid = parts.partition.starts_with("aws")
            && is_word(parts.partition)
            && is_word(parts.service)
            && (parts.region.is_empty() || check_region(parts.region).is_ok())
            // "aws" owns the managed policies.
            && (matches!(parts.account, "" | "aws") || check_account(parts.account).is_ok())
            && !parts.resource.is_empty();
        is_valid.then_some(parts)
    }

    pub(super) fn is_of_account(&self) -> bool {
        check_account(self.account).is_ok()
    }

    pub(super) fn is_in_region_and_account(&self) -> bool {
        check_region(self.region).is_ok() && self.is_of_account()
    }
}

fn check_arn(arn: &str) -> Result<(), &'static str> {
    match Parts::of(arn) {
        Some(_) => Ok(()),
        None => Err("expected arn:<partition>:<service>:<region>:<account>:<resource>"),
    }
}

impl Arn {
    /// That of a bucket; `partition` is the one of its account, for example `aws`.
    #[must_use]
    pub fn bucket(partition: &str, bucket: &BucketName) -> Self {
        Self(format!("arn:{partition}:s3:::{bucket}"))
    }

    /// That of an object.
    #[must_use]
    pub fn object(partition: &str, bucket: &BucketName, key: &ObjectKey) -> Self {
        Self(format!("arn:{partition}:s3:::{bucket}/{key}"))
    }

    /// That of a resource in a Region of an account.
    #[must_use]
    pub fn regional(
        partition: &str,
        service: &'static str,
        region: &Region,
        account: &AccountId,
        resource: impl std::fmt::Display,
    ) -> Self {
        Self(format!(
            "arn:{partition}:{service}:{region}:{account}:{resource}"
        ))
    }

    /// That of an account's root user, which stands for the account in a policy.
    #[must_use]
    pub fn root(partition: &str, account: &AccountId) -> Self {
        Self(format!("arn:{partition}:iam::{account}:root"))
    }

    pub(super) fn parts(&self) -> Parts<'_> {
        Parts::of(&self.0).expect("an Arn is checked when it is made")
    }

    /// The partition, for example `aws` or `aws-us-gov`.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.parts().partition
    }

    /// The service, for example `s3`.
    #[must_use]
    pub fn service(&self) -> &str {
        self.parts().service
    }

    /// The Region, where the resource is in one.
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        Region::new(self.parts().region).ok()
    }

    /// The account, where the ARN names one.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        AccountId::new(self.parts().account).ok()
    }

    /// What the service calls the resource.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.parts().resource
    }

    /// This caller as a policy names it: the role of an assumed-role session, anybody else unchanged. The path of a role is
    /// not in the ARN of its session.
    #[must_use]
    pub fn principal(&self) -> Self {
        let Parts {
            partition,
            service,
            account,
            resource,
            ..
        } = self.parts();
        let role = resource
            .strip_prefix("assumed-role/")
            .and_then(|session| session.split('/').next());
        match role {
            Some(name) if service == "sts" => {
                Self(format!("arn:{partition}:iam::{account}:role/{name}"))
            }
            _ => self.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_five_parts_of_which_the_last_may_contain_colons() {
        let table = Arn::new("arn:aws:dynamodb:eu-west-1:111111111111:table/a:b").unwrap();
        assert_eq!((table.partition(), table.service()), ("aws", "dynamodb"));
        assert_eq!(table.region(), Region::new("eu-west-1").ok());
        assert_eq!(table.account(), AccountId::new("111111111111").ok());
        assert_eq!(table.resource(), "table/a:b");
        let key = ObjectKey::new("a:b/c d").unwrap();
        let object = Arn::object("aws-cn", &BucketName::new("bucket").unwrap(), &key);
        assert_eq!(Arn::new(object.as_str()).unwrap(), object);
        assert_eq!((object.region(), object.account()), (None, None));
        assert_eq!(object.resource(), "bucket/a:b/c d");
    }

    #[test]
    fn malformed_arns_are_refused() {
        for arn in [
            "",
            "arn:aws:s3::",
            "arn:aws:s3:::",
            "arn:other:s3:::b",
            "arn:aws::::b",
            "arn:aws:s3:Europe:1:b",
            "arn:aws:s3::1:b",
            "urn:aws:s3:::b",
        ] {
            assert!(Arn::new(arn).is_err(), "{arn}");
        }
    }

    #[test]
    fn a_session_is_named_as_its_role() {
        for (caller, principal) in [
            (
                "arn:aws:sts::111111111111:assumed-role/planner/function-name",
                "arn:aws:iam::111111111111:role/planner",
            ),
            (
                "arn:aws:iam::111111111111:user/me",
                "arn:aws:iam::111111111111:user/me",
            ),
        ] {
            assert_eq!(Arn::new(caller).unwrap().principal().as_str(), principal);
        }
    }
}
