//! The ARNs of single kinds of resources.

use super::{
    account::{AccountId, Region},
    name::{Arn, Parts},
    partition::console_host,
};
use crate::value::{
    id::{RunId, check_run},
    text::InvalidText,
};

/// Declares the ARN of one kind of resource: an [`Arn`] whose only way in is its check, serde included.
macro_rules! checked_arn {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:path, $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arn);

        impl $name {
            /// Takes the ARN of a resource of this kind.
            ///
            /// # Errors
            /// [`InvalidText`] with the form that was expected.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
                let invalid = |found: &str| InvalidText::new($what, found, $rule);
                match Arn::new(text) {
                    Ok(arn) if $check(&arn.parts()) => Ok(Self(arn)),
                    Ok(arn) => Err(invalid(arn.as_str())),
                    Err(error) => Err(invalid(&error.found)),
                }
            }

            /// The same as the ARN of anything.
            #[must_use]
            pub fn arn(&self) -> &Arn {
                &self.0
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// The partition, for example `aws` or `aws-us-gov`.
            #[must_use]
            pub fn partition(&self) -> &str {
                self.0.partition()
            }

            /// The account that owns the resource.
            #[must_use]
            pub fn account(&self) -> AccountId {
                self.0.account().expect("its check asks for an account")
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidText;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0.into()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

checked_arn! {
    /// The ARN of an IAM role, `arn:<partition>:iam::<account>:role/<path and name>`.
    RoleArn, "role ARN", is_role, "expected arn:aws:iam::<12 digits>:role/<name>"
}

checked_arn! {
    /// The ARN of a KMS key.
    KmsKeyArn, "KMS key ARN", is_kms_key,
    "expected arn:aws:kms:<region>:<12 digits>:key/<id> (an alias cannot be granted across accounts)"
}

checked_arn! {
    /// The ARN of a Step Functions execution.
    ExecutionArn, "execution ARN", is_execution,
    "expected arn:aws:states:<region>:<account>:execution:<machine>:<name>"
}

checked_arn! {
    /// The ARN of a Step Functions state machine.
    StateMachineArn, "state machine ARN", is_state_machine,
    "expected arn:aws:states:<region>:<account>:stateMachine:<name>"
}

fn is_role(arn: &Parts<'_>) -> bool {
    let is_name_ok = arn.resource.strip_prefix("role/").is_some_and(|name| {
        !name.is_empty()
            && !name.ends_with('/')
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+=,.@_/-".contains(&b))
    });
    arn.service == "iam" && arn.region.is_empty() && arn.is_of_account() && is_name_ok
}

/// The id is a UUID, or `mrk-` and 32 hexadecimal digits
/// (docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id-key-id).
fn is_kms_key(arn: &Parts<'_>) -> bool {
    const ID_BYTES_MAX: usize = 64;
    let is_id = |id: &str| {
        (1..=ID_BYTES_MAX).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let id = arn.resource.strip_prefix("key/");
    arn.service == "kms" && arn.is_in_region_and_account() && id.is_some_and(is_id)
}

/// A child of a Map has the label of the Map behind the machine's name and a slash.
fn is_execution(arn: &Parts<'_>) -> bool {
    let is_named = |(machine, name)| is_machine(machine) && check_run(name).is_ok();
    arn.service == "states"
        && arn.is_in_region_and_account()
        && machine_and_name(arn.resource).is_some_and(is_named)
}

/// The same characters are refused in the name of a machine and of an execution
/// (docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html).
fn is_machine(name: &str) -> bool {
    let mut names = name.split('/');
    name.matches('/').count() <= 1 && names.all(|name| check_run(name).is_ok())
}

fn is_state_machine(arn: &Parts<'_>) -> bool {
    let name = arn.resource.strip_prefix("stateMachine:");
    arn.service == "states" && arn.is_in_region_and_account() && name.is_some_and(is_machine)
}

/// The names of the state machine and of the execution in an execution's resource.
fn machine_and_name(resource: &str) -> Option<(&str, &str)> {
    resource.strip_prefix("execution:")?.split_once(':')
}

impl ExecutionArn {
    /// The page of the execution in the AWS console.
    #[must_use]
    pub fn console_url(&self) -> String {
        let region = self.region();
        self.console_page(&format!(
            "states/home?region={region}#/v2/executions/details/{self}"
        ))
    }

    /// A page of the AWS console in the execution's Region and partition.
    #[must_use]
    pub fn console_page(&self, path: &str) -> String {
        let (region, host) = (self.region(), console_host(self.partition()));
        format!("https://{region}.{host}/{path}")
    }

    /// The code of the Region that it runs in.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.parts().region
    }

    /// The name of its state machine.
    #[must_use]
    pub fn machine(&self) -> &str {
        let resource = self.0.parts().resource;
        machine_and_name(resource).map_or(resource, |(machine, _)| machine)
    }
}

impl StateMachineArn {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.parts().resource.trim_start_matches("stateMachine:")
    }

    /// The ARN that its execution of this name has.
    #[must_use]
    pub fn execution(&self, run_id: &RunId) -> ExecutionArn {
        let machine = self
            .0
            .to_string()
            .replacen(":stateMachine:", ":execution:", 1);
        ExecutionArn::new(format!("{machine}:{run_id}"))
            .expect("the machine's ARN and the id are checked")
    }

    /// The Region that it runs in.
    #[must_use]
    pub fn region(&self) -> Region {
        self.0.region().expect("its check asks for a Region")
    }
}

impl KmsKeyArn {
    /// The Region of the key.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.parts().region
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
    fn an_execution_names_its_machine() {
        let execution =
            ExecutionArn::new("arn:aws:states:eu-west-1:111111111111:execution:sync:night")
                .unwrap();
        assert_eq!(
            (execution.machine(), execution.region()),
            ("sync", "eu-west-1")
        );
        assert!(
            ExecutionArn::new("arn:aws:states:eu-west-1:111111111111:stateMachine:sync").is_err()
        );
        let machine =
            StateMachineArn::new("arn:aws:states:eu-west-1:111111111111:stateMachine:sync")
                .unwrap();
        assert_eq!(machine.name(), "sync");
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
    fn nothing_that_acts_or_means_something_stands_in_an_arn() {
        for bad in [
            "a\nb",
            "a b",
            "<b>",
            "a\u{202e}b",
            "a\u{200b}",
            "a'b",
            "a\"b",
            "a*",
            "a?",
            "a/b/c",
            "a\u{1b}[2J",
            "ä/",
        ] {
            for arn in [
                format!("arn:aws:kms:us-east-1:222222222222:key/{bad}"),
                format!("arn:aws:states:us-east-1:222222222222:execution:{bad}/:x"),
                format!("arn:aws:states:us-east-1:222222222222:execution:x:{bad}/"),
                format!("arn:aws:states:us-east-1:222222222222:stateMachine:{bad}/"),
            ] {
                assert!(KmsKeyArn::new(arn.as_str()).is_err(), "{arn:?}");
                assert!(ExecutionArn::new(arn.as_str()).is_err(), "{arn:?}");
                assert!(StateMachineArn::new(arn.as_str()).is_err(), "{arn:?}");
            }
        }
        let long = "0".repeat(65);
        assert!(KmsKeyArn::new(format!("arn:aws:kms:us-east-1:222222222222:key/{long}")).is_err());
    }

    #[test]
    fn a_child_of_a_map_and_a_key_of_several_regions_are_named() {
        let child = "arn:aws:states:us-east-1:222222222222:execution:sync/CopyShards:7f0c-1";
        assert!(ExecutionArn::new(child).is_ok());
        let key = "arn:aws:kms:us-east-1:222222222222:key/mrk-0123456789abcdef0123456789abcdef";
        assert!(KmsKeyArn::new(key).is_ok());
    }

    #[test]
    fn a_kms_alias_is_refused() {
        assert!(KmsKeyArn::new("arn:aws:kms:us-east-1:222222222222:key/0a1b").is_ok());
        assert!(KmsKeyArn::new("arn:aws:kms:us-east-1:222222222222:alias/x").is_err());
    }
}
