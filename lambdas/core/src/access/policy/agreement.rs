use crate::{
    run::pair::{Pair, Side},
    value::{
        arn::{AccountId, Arn, KmsKeyArn, Region, RoleArn},
        bucket::BucketName,
        key::KeyPrefix,
    },
};

/// What both accounts agree on, and what the documents are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The account of the source bucket and of the stack.
    pub source_account: AccountId,
    /// Source and target, with the target role and its external id.
    pub pair: Pair,
    /// What the options add.
    pub extras: Extras,
}

/// What the options of a run add to the least that any run needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extras {
    /// Tags and annotations are left behind (`tags: ignore`), so nothing may read or write them.
    pub without_tags: bool,
    /// Annotations are left out of the documents, for a partition whose S3 does not know these actions: it refuses a bucket
    /// policy with an action that it does not know.
    pub without_annotations: bool,
    /// Writes name an access control list (`acl`).
    pub with_acls: bool,
    /// Every run is an audit, so the role lists the target and does nothing else.
    pub audits_only: bool,
    /// `mode: mirror` may delete.
    pub deletes: bool,
    /// Versions of the source may be listed, and read by their ids (`source.as_of`, or a list that names versions).
    pub versions: bool,
    /// The KMS key of the source's objects.
    pub source_key: Option<KmsKeyArn>,
    /// The KMS key that encrypts at the target.
    pub target_key: Option<KmsKeyArn>,
    /// Whoever is not the role, the target account's root or one of these is refused at the target bucket;
    /// nobody is, when there are none.
    pub administrators: Vec<String>,
}

/// The parts of the stack in the source account that the execution roles are limited to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The stack's name.
    pub stack: String,
    /// Its Region.
    pub region: Region,
    /// The ledger's table.
    pub ledger_table: String,
    /// The control bucket.
    pub control_bucket: BucketName,
    /// The topic.
    pub topic_arn: Arn,
    /// The buckets that a run may name as its source beside the stack's own.
    pub further_sources: Vec<Arn>,
    /// The target roles that a run may name beside the stack's own.
    pub further_roles: Vec<RoleArn>,
    /// The buckets in which lists may lie beside the control bucket.
    pub list_buckets: Vec<Arn>,
}

impl Agreement {
    /// The partition of both accounts, for example `aws`.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.pair.target.role_arn.partition()
    }

    /// The account of the target bucket and of the role.
    #[must_use]
    pub fn target_account(&self) -> AccountId {
        self.pair.target.role_arn.account()
    }

    /// The pattern of the ARNs of all objects of this side.
    pub(super) fn objects_pattern(&self, side: Side) -> String {
        let (bucket, prefix) = (self.pair.bucket_arn(side), self.pair.prefix(side));
        format!("{bucket}/{}", prefix_pattern(prefix))
    }
}

/// The pattern that matches everything under a prefix. `*`, `?` and `$` mean something in a policy: as themselves they
/// are written `${*}`, `${?}` and `${$}`
/// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars).
pub(super) fn prefix_pattern(prefix: &KeyPrefix) -> String {
    let mut pattern = String::with_capacity(prefix.as_str().len() + 1);
    for character in prefix.as_str().chars() {
        match character {
            '*' | '?' | '$' => {
                pattern.push_str("${");
                pattern.push(character);
                pattern.push('}');
            }
            other => pattern.push(other),
        }
    }
    pattern.push('*');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_with_wildcards_matches_only_itself() {
        let pattern = |text: &str| prefix_pattern(&KeyPrefix::new(text).unwrap());
        assert_eq!(pattern("data/"), "data/*");
        assert_eq!(pattern(""), "*");
        assert_eq!(pattern("a*b?c${x}/"), "a${*}b${?}c${$}{x}/*");
    }
}
