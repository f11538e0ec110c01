//! Accounts, Regions and the ARNs that a person types.

use crate::value::text::checked_text;

checked_text! {
    /// An AWS account id: twelve digits.
    AccountId, "account id", check_account
}

checked_text! {
    /// The ARN of an IAM role, `arn:<partition>:iam::<account>:role/<path and name>`.
    RoleArn, "role ARN", check_role
}

checked_text! {
    /// The external id that the target role's trust policy asks for
    /// (docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html: 2 to 1,224 characters).
    ExternalId, "external id", check_external_id
}

checked_text! {
    /// The ARN of the KMS key that encrypts at the target.
    KmsKeyArn, "KMS key ARN", check_kms_key
}

checked_text! {
    /// The ARN of a Step Functions execution.
    ExecutionArn, "execution ARN", check_execution
}

checked_text! {
    /// The code of an AWS Region, for example `eu-central-1`.
    Region, "Region", check_region
}

fn check_account(id: &str) -> Result<(), &'static str> {
    if id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()) {
        Ok(())
    } else {
        Err("an account id has exactly twelve digits")
    }
}

/// Splits `arn:partition:service:region:account:resource`.
fn split(arn: &str) -> Option<[&str; 6]> {
    let mut fields = arn.splitn(6, ':');
    let parts = [
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
    ];
    (parts[0] == "arn" && parts[1].starts_with("aws")).then_some(parts)
}

fn check_role(arn: &str) -> Result<(), &'static str> {
    const RULE: &str = "expected arn:aws:iam::<12 digits>:role/<name>";
    let Some([_, _, service, region, account, resource]) = split(arn) else {
        return Err(RULE);
    };
    let name_ok = resource.strip_prefix("role/").is_some_and(|name| {
        !name.is_empty()
            && !name.ends_with('/')
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+=,.@_/-".contains(&b))
    });
    if service == "iam" && region.is_empty() && check_account(account).is_ok() && name_ok {
        Ok(())
    } else {
        Err(RULE)
    }
}

fn check_external_id(id: &str) -> Result<(), &'static str> {
    if !(2..=1224).contains(&id.len()) {
        Err("it must have 2 to 1,224 characters")
    } else if !id
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"+=,.@:/_-".contains(&b))
    {
        Err("only letters, digits and +=,.@:/_- may stand in it")
    } else {
        Ok(())
    }
}

fn check_kms_key(arn: &str) -> Result<(), &'static str> {
    const RULE: &str = "expected arn:aws:kms:<region>:<12 digits>:key/<id> (an alias cannot be granted across accounts)";
    match split(arn) {
        Some([_, _, "kms", region, account, resource])
            if check_region(region).is_ok()
                && check_account(account).is_ok()
                && resource
                    .strip_prefix("key/")
                    .is_some_and(|id| !id.is_empty()) =>
        {
            Ok(())
        }
        _ => Err(RULE),
    }
}

fn check_execution(arn: &str) -> Result<(), &'static str> {
    match split(arn) {
        Some([_, _, "states", _, _, resource]) if resource.starts_with("execution:") => Ok(()),
        _ => Err("expected arn:aws:states:<region>:<account>:execution:<machine>:<name>"),
    }
}

fn check_region(region: &str) -> Result<(), &'static str> {
    let ok = (2..=32).contains(&region.len())
        && region
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if ok {
        Ok(())
    } else {
        Err("expected a Region code such as eu-central-1")
    }
}

impl RoleArn {
    /// The account that owns the role.
    #[must_use]
    pub fn account(&self) -> AccountId {
        let account = self.0.split(':').nth(4).unwrap_or_default();
        AccountId(account.to_owned())
    }

    /// The partition, for example `aws` or `aws-us-gov`.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.0.split(':').nth(1).unwrap_or_default()
    }
}

impl ExecutionArn {
    /// The page of the execution in the AWS console.
    #[must_use]
    pub fn console_url(&self) -> String {
        let region = self.region();
        format!(
            "https://{region}.console.aws.amazon.com/states/home?region={region}#/v2/executions/details/{self}"
        )
    }

    /// The code of the Region that it runs in.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

impl KmsKeyArn {
    /// The account that owns the key.
    #[must_use]
    pub fn account(&self) -> AccountId {
        let account = self.0.split(':').nth(4).unwrap_or_default();
        AccountId(account.to_owned())
    }

    /// The Region of the key.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_tells_its_account_and_partition() {
        let role = RoleArn::new("arn:aws-cn:iam::222222222222:role/path/ShardliftTarget").unwrap();
        assert_eq!(role.account().as_str(), "222222222222");
        assert_eq!(role.partition(), "aws-cn");
    }

    #[test]
    fn malformed_roles_are_refused() {
        for arn in [
            "",
            "role/x",
            "arn:aws:iam::2222:role/x",
            "arn:aws:iam::222222222222:user/x",
            "arn:aws:iam:us-east-1:222222222222:role/x",
            "arn:aws:iam::222222222222:role/",
            "arn:aws:iam::222222222222:role/a b",
            "arn:aws:sts::222222222222:assumed-role/x/y",
        ] {
            assert!(RoleArn::new(arn).is_err(), "{arn}");
        }
    }

    #[test]
    fn a_kms_alias_is_refused() {
        assert!(KmsKeyArn::new("arn:aws:kms:us-east-1:222222222222:key/0a1b").is_ok());
        assert!(KmsKeyArn::new("arn:aws:kms:us-east-1:222222222222:alias/x").is_err());
    }
}
