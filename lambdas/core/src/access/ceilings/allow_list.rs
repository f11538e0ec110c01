use std::collections::BTreeSet;

use super::parameters::CeilingParameters;
use crate::{
    failure::Failure,
    run::{input::RunInput, invalid, pair::Pair},
    value::{arn::RoleArn, bucket::BucketName},
};

/// The parameters of the stack that make the list.
const SOURCES: &str = "SourceBucketName and FurtherSourceBucketArns";
const BUCKETS: &str = "TargetBucketName and FurtherTargetBucketNames";
const ROLES: &str = "TargetAccountRoleArn and FurtherTargetRoleArns";

/// What a run may name: whoever may start a run chooses within it, and only whoever may change the stack changes it.
///
/// The policies in both accounts refuse everything else too; this refuses it before any call, and names the field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AllowList {
    source_buckets: BTreeSet<BucketName>,
    target_buckets: BTreeSet<BucketName>,
    target_roles: BTreeSet<RoleArn>,
}

impl AllowList {
    /// The pair that the stack is configured for, and its further places; nothing where it is configured for none.
    pub(super) fn of_stack(configured: &RunInput, parameters: &CeilingParameters) -> Self {
        let (source, target) = (&configured.source, &configured.target);
        let (sources, targets) = (&parameters.source_buckets, &parameters.target_buckets);
        let roles = &parameters.target_roles;
        Self {
            source_buckets: source.bucket.iter().chain(sources).cloned().collect(),
            target_buckets: target.bucket.iter().chain(targets).cloned().collect(),
            target_roles: target.role_arn.iter().chain(roles).cloned().collect(),
        }
    }

    /// Refuses a pair that is not on the list.
    ///
    /// # Errors
    /// `InvalidRun`, naming the field, what is allowed and what was found.
    pub(super) fn check(&self, pair: &Pair) -> Result<(), Failure> {
        let target = &pair.target;
        let source = &pair.source;
        listed(
            "source.bucket",
            SOURCES,
            &self.source_buckets,
            &source.bucket,
        )?;
        listed(
            "target.bucket",
            BUCKETS,
            &self.target_buckets,
            &target.bucket,
        )?;
        let accounts: BTreeSet<_> = self.target_roles.iter().map(RoleArn::account).collect();
        if !accounts.contains(&target.role_arn.account()) {
            return Err(invalid(
                "target.role_arn",
                &format!(
                    "expected a role of the account {}, which the stack is configured for ({ROLES}), found one of {}",
                    alternatives(&accounts),
                    target.role_arn.account()
                ),
            ));
        }
        listed(
            "target.role_arn",
            ROLES,
            &self.target_roles,
            &target.role_arn,
        )
    }
}

fn listed<T: Ord + std::fmt::Display>(
    field: &str,
    parameters: &str,
    allowed: &BTreeSet<T>,
    found: &T,
) -> Result<(), Failure> {
    if allowed.contains(found) {
        return Ok(());
    }
    Err(invalid(
        field,
        &format!(
            "the stack's allow-list ({parameters}) holds {}, found {found}",
            alternatives(allowed)
        ),
    ))
}

fn alternatives<T: std::fmt::Display>(allowed: &BTreeSet<T>) -> String {
    let names: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(" or ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{failure::FailureCode, run::spec::RunSpec};

    fn input(source: &str, target: &str, role: &str) -> Value {
        json!({"source": {"bucket": source}, "target": {"bucket": target, "role_arn": role}})
    }

    fn pair(source: &str, target: &str, role: &str) -> Pair {
        let input = RunInput::parse(&input(source, target, role)).unwrap();
        RunSpec::settle(input).unwrap().pair
    }

    const OWN: &str = "arn:aws:iam::222222222222:role/Target";
    const OTHER: &str = "arn:aws:iam::222222222222:role/Other";
    const FOREIGN: &str = "arn:aws:iam::333333333333:role/Target";

    fn own() -> AllowList {
        with(&[], &[])
    }

    fn with(further: &[&str], roles: &[RoleArn]) -> AllowList {
        let configured = RunInput::parse(&input("source", "target", OWN)).unwrap();
        let buckets = further.iter().map(|name| BucketName::new(*name).unwrap());
        let buckets: Vec<_> = buckets.collect();
        let parameters = CeilingParameters {
            source_buckets: buckets.clone(),
            target_buckets: buckets,
            target_roles: roles.to_vec(),
            ..CeilingParameters::default()
        };
        AllowList::of_stack(&configured, &parameters)
    }

    #[test]
    fn the_stacks_own_pair_is_allowed_and_no_other() {
        own().check(&pair("source", "target", OWN)).unwrap();
        for (named, field, value) in [
            (
                pair("elsewhere", "target", OWN),
                "`source.bucket`",
                "elsewhere",
            ),
            (
                pair("source", "elsewhere", OWN),
                "`target.bucket`",
                "elsewhere",
            ),
            (pair("source", "target", OTHER), "`target.role_arn`", OTHER),
            (
                pair("source", "target", FOREIGN),
                "`target.role_arn`",
                "333333333333",
            ),
        ] {
            let refused = own().check(&named).unwrap_err();
            assert_eq!(refused.code, FailureCode::InvalidRun);
            for part in [field, value] {
                assert!(refused.detail.contains(part), "{part}: {}", refused.detail);
            }
        }
    }

    #[test]
    fn further_places_are_allowed_by_name() {
        let role = RoleArn::new(FOREIGN).unwrap();
        let list = with(&["elsewhere"], &[role]);
        list.check(&pair("source", "elsewhere", FOREIGN)).unwrap();
        list.check(&pair("elsewhere", "target", OWN)).unwrap();
        list.check(&pair("source", "target", OWN)).unwrap();
        let refused = list.check(&pair("source", "target", OTHER)).unwrap_err();
        assert!(refused.detail.contains("allow-list"), "{}", refused.detail);
    }

    #[test]
    fn a_list_of_nothing_allows_nothing() {
        let refused = AllowList::default().check(&pair("source", "target", OWN));
        assert!(refused.unwrap_err().detail.contains("holds nothing"));
    }
}
