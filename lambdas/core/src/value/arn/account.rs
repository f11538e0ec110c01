//! The parts of an ARN that have types of their own, and the external id of a role.

use crate::value::text::checked_text;

checked_text! {
    /// An AWS account id: twelve digits.
    AccountId, "account id", check_account
}

checked_text! {
    /// The external id that the target role's trust policy asks for
    /// (docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html: 2 to 1,224 characters).
    ExternalId, "external id", check_external_id
}

checked_text! {
    /// The code of an AWS Region, for example `eu-central-1`.
    Region, "Region", check_region
}

impl ExternalId {
    /// Words that stand for any external id where everybody may read.
    #[must_use]
    pub(crate) fn masked() -> Self {
        Self("THE-EXTERNAL-ID-OF-BOTH-STACKS".to_owned())
    }
}

pub(super) fn check_account(id: &str) -> Result<(), &'static str> {
    if id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()) {
        Ok(())
    } else {
        Err("an account id has exactly twelve digits")
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

pub(super) fn check_region(region: &str) -> Result<(), &'static str> {
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
