use crate::{arn::RoleArn, failure::Failure, input::invalid};

/// Refuses a role of another account than the stack's own: a run's input may name another role of the same account
/// (which must trust the stack), never lead the data into an account that nobody configured.
///
/// # Errors
/// `InvalidRun`, naming the field and both accounts.
pub fn check_target_account(role: &RoleArn, configured: Option<&RoleArn>) -> Result<(), Failure> {
    match configured {
        Some(configured) if configured.account() != role.account() => Err(invalid(
            "target.role_arn",
            &format!(
                "expected a role of the account {} that the stack is configured for, found one of {}",
                configured.account(),
                role.account()
            ),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureCode;

    #[test]
    fn data_never_goes_to_an_account_that_nobody_configured() {
        let role = |account: &str, name: &str| {
            RoleArn::new(format!("arn:aws:iam::{account}:role/{name}")).unwrap()
        };
        let configured = role("222222222222", "Target");
        assert!(check_target_account(&configured, Some(&configured)).is_ok());
        assert!(check_target_account(&role("222222222222", "Other"), Some(&configured)).is_ok());
        assert!(check_target_account(&role("333333333333", "Target"), None).is_ok());
        let refused =
            check_target_account(&role("333333333333", "Target"), Some(&configured)).unwrap_err();
        assert_eq!(refused.code, FailureCode::InvalidRun);
        for named in ["`target.role_arn`", "222222222222", "333333333333"] {
            assert!(refused.detail.contains(named), "{}", refused.detail);
        }
    }
}
