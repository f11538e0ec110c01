//! What a run may ask for: whoever may start a run chooses below these ceilings, and only whoever may change the stack
//! raises them. What the stack itself sets as a default is always allowed.
//!
//! Every function that acts checks the run that the ledger holds, so that a redrive or a rerun of an earlier run meets the
//! parameters of today.

mod allow_list;
mod parameters;
#[cfg(test)]
mod tests;

use crate::{
    documents::receipt_index,
    failure::Failure,
    run::{
        input::RunInput,
        invalid,
        list::{LISTS_FOLDER, ListFormat},
        option::{AclChoice, ClassChoice, Mode},
        pair::Pair,
        spec::{DELETE_MAX_OBJECTS_DEFAULT, DELETE_MAX_PERCENT_DEFAULT, RunSpec},
    },
    value::{
        arn::{ExternalId, KmsKeyArn, RoleArn},
        bucket::BucketName,
        key::KeyPrefix,
        storage::StorageClass,
    },
};

use allow_list::AllowList;
pub use parameters::{AllowedKey, CeilingParameters};

/// What a run may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceilings {
    allow_list: AllowList,
    source_prefix: KeyPrefix,
    /// Buckets in which the stack's own prefix bounds nothing.
    whole_sources: Vec<BucketName>,
    whole_targets: Vec<BucketName>,
    own_target: OwnTarget,
    has_mirrors: bool,
    has_versions: bool,
    has_transforms: bool,
    delete_max_percent: u8,
    delete_max_objects: u64,
    own_key: Option<KmsKeyArn>,
    kms_keys: Vec<AllowedKey>,
    storage_classes: Vec<ClassChoice>,
    acl: Option<AclChoice>,
    control_bucket: Option<BucketName>,
    list_buckets: Vec<BucketName>,
}

/// The target that the stack is configured for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct OwnTarget {
    bucket: Option<BucketName>,
    prefix: KeyPrefix,
    role: Option<RoleArn>,
    external_id: Option<ExternalId>,
}

impl Ceilings {
    /// Those of a stack with these defaults and these parameters.
    #[must_use]
    pub fn new(defaults: &RunInput, parameters: CeilingParameters) -> Self {
        let target = defaults.target.clone();
        let percent = defaults
            .delete_max_percent
            .unwrap_or(DELETE_MAX_PERCENT_DEFAULT);
        let objects = defaults
            .delete_max_objects
            .unwrap_or(DELETE_MAX_OBJECTS_DEFAULT);
        let allow_list = AllowList::of_stack(defaults, &parameters);
        let mut storage_classes = parameters.storage_classes.unwrap_or_else(readable_classes);
        storage_classes.push(defaults.storage_class.unwrap_or_default());
        Self {
            allow_list,
            source_prefix: defaults.source.prefix.clone().unwrap_or_default(),
            whole_sources: parameters.source_buckets,
            whole_targets: parameters.target_buckets,
            own_target: OwnTarget {
                bucket: target.bucket,
                prefix: target.prefix.unwrap_or_default(),
                role: target.role_arn,
                external_id: target.external_id,
            },
            has_mirrors: parameters.allow_mirror || defaults.mode == Some(Mode::Mirror),
            has_versions: parameters.allow_versions,
            has_transforms: parameters.enable_transforms,
            delete_max_percent: percent.max(parameters.delete_max_percent.unwrap_or(0)),
            delete_max_objects: objects.max(parameters.delete_max_objects.unwrap_or(0)),
            own_key: defaults.kms_key_arn.clone(),
            kms_keys: parameters.kms_keys,
            storage_classes,
            acl: defaults.acl,
            control_bucket: parameters.control_bucket,
            list_buckets: parameters.list_buckets,
        }
    }

    /// Refuses what a new run asks for beyond the stack's parameters, limits that its mode does not use included.
    ///
    /// # Errors
    /// `InvalidRun`, naming the field and the parameter.
    pub fn check_new(&self, spec: &RunSpec) -> Result<(), Failure> {
        self.check(spec)?;
        self.check_deletions(spec)
    }

    /// Refuses a run, whenever it was created, that does more than the stack's parameters allow now.
    ///
    /// # Errors
    /// `InvalidRun`, naming the field and the parameter.
    pub fn check(&self, spec: &RunSpec) -> Result<(), Failure> {
        self.allow_list.check(&spec.pair)?;
        self.check_place(&spec.pair)?;
        // A rerun reads the earlier run and not its list.
        if let Some(list) = spec.list.as_ref().filter(|_| spec.rerun.is_none()) {
            self.check_list_file(&list.bucket, list.key.as_str(), list.format)?;
        }
        if spec.as_of.is_some() {
            self.check_versions("source.as_of")?;
        }
        if spec.transform.is_some() && !self.has_transforms {
            let why = "the function that renders images is not deployed";
            return Err(beyond("transform", "EnableTransforms", why));
        }
        if spec.mode == Mode::Mirror {
            if !self.has_mirrors {
                return Err(beyond("mode", "AllowMirror", "no run may be a mirror"));
            }
            self.check_deletions(spec)?;
        }
        self.check_writes(spec)
    }

    /// Whether a run may have a transform, so that what is known of renditions must be kept true.
    #[must_use]
    pub fn has_transforms(&self) -> bool {
        self.has_transforms
    }

    /// Whether a run writes to the target that the stack is configured for. What a further target allows is its owner's
    /// business, and nothing of it is known here.
    #[must_use]
    pub fn is_own_target(&self, pair: &Pair) -> bool {
        let (own, target) = (&self.own_target, &pair.target);
        own.bucket.as_ref() == Some(&target.bucket) && own.role.as_ref() == Some(&target.role_arn)
    }

    /// Whether a run writes to another place than the one that the stack is configured for: that of a further pair.
    #[must_use]
    pub fn is_elsewhere(&self, pair: &Pair) -> bool {
        let (own, target) = (&self.own_target, &pair.target);
        own.bucket.as_ref() != Some(&target.bucket) || own.prefix != target.prefix
    }

    /// Refuses a `field` that names versions of the source where no run may.
    ///
    /// # Errors
    /// `InvalidRun`, naming the field and the parameter.
    pub fn check_versions(&self, field: &str) -> Result<(), Failure> {
        if self.has_versions {
            return Ok(());
        }
        Err(beyond(
            field,
            "AllowVersions",
            "no run may read versions by their ids",
        ))
    }

    /// Refuses a file of a list of this format, the files that a list names included, that lies where no list may lie.
    ///
    /// # Errors
    /// `InvalidRun`, naming the field and the parameter.
    pub fn check_list_file(
        &self,
        bucket: &BucketName,
        key: &str,
        format: ListFormat,
    ) -> Result<(), Failure> {
        if self.list_buckets.contains(bucket) {
            return Ok(());
        }
        if self.control_bucket.as_ref() == Some(bucket) {
            // The control bucket holds the documents of all runs, too.
            let is_receipts = format == ListFormat::Receipts && receipt_index::is_of_receipts(key);
            if key.starts_with(LISTS_FOLDER) || is_receipts {
                return Ok(());
            }
            return Err(invalid(
                "source.list.key",
                &format!(
                    "in the control bucket a list must be under {LISTS_FOLDER}, and receipts of a run under runs/<run id>/receipts-index/, receipts/ and kept/, found {key:?}; `shardlift start --list FILE` uploads it there"
                ),
            ));
        }
        let allowed = self.control_bucket.iter().chain(&self.list_buckets);
        let allowed: Vec<&str> = allowed.map(BucketName::as_str).collect();
        Err(beyond(
            "source.list.bucket",
            "AllowedListBuckets",
            &format!("lists may be in {}, found {bucket}", allowed.join(" or ")),
        ))
    }

    fn check_place(&self, pair: &Pair) -> Result<(), Failure> {
        let (own, target) = (&self.own_target, &pair.target);
        let is_whole_source = self.whole_sources.contains(&pair.source.bucket);
        if !is_whole_source && !self.source_prefix.contains(&pair.source.prefix) {
            let allowed = within(&self.source_prefix);
            return Err(beyond("source.prefix", "SourcePrefix", &allowed));
        }
        // A bucket that is no further one is the stack's own.
        let is_whole_target = self.whole_targets.contains(&target.bucket);
        if !is_whole_target && !own.prefix.contains(&target.prefix) {
            let allowed = within(&own.prefix);
            return Err(beyond("target.prefix", "TargetPrefix", &allowed));
        }
        // The external id itself is never shown.
        let is_own_role = own.role.as_ref() == Some(&target.role_arn);
        if is_own_role && own.external_id.is_some() && own.external_id != target.external_id {
            return Err(beyond(
                "target.external_id",
                "TargetExternalId",
                "the stack's role is only assumed with the stack's external id",
            ));
        }
        Ok(())
    }

    fn check_deletions(&self, spec: &RunSpec) -> Result<(), Failure> {
        if spec.delete_max_percent > self.delete_max_percent {
            return Err(beyond(
                "delete_max_percent",
                "DeleteMaxPercentCeiling",
                &format!(
                    "at most {} are allowed, found {}",
                    self.delete_max_percent, spec.delete_max_percent
                ),
            ));
        }
        if spec.delete_max_objects > self.delete_max_objects {
            return Err(beyond(
                "delete_max_objects",
                "DeleteMaxObjectsCeiling",
                &format!(
                    "at most {} are allowed, found {}",
                    self.delete_max_objects, spec.delete_max_objects
                ),
            ));
        }
        Ok(())
    }

    fn check_writes(&self, spec: &RunSpec) -> Result<(), Failure> {
        if let Some(key) = &spec.kms_key_arn {
            let is_own = self.own_key.as_ref() == Some(key);
            if !is_own && !self.kms_keys.iter().any(|allowed| allowed.allows(key)) {
                return Err(beyond(
                    "kms_key_arn",
                    "AllowedKmsKeyArns",
                    "it does not hold this key, and whoever controls the key controls the copies",
                ));
            }
        }
        if spec.sse.is_some() && self.own_key.is_some() {
            return Err(beyond(
                "sse",
                "RunKmsKeyArn",
                "the stack encrypts with a key of its own, and S3's keys would take its place",
            ));
        }
        if !self.storage_classes.contains(&spec.storage_class) {
            let classes: Vec<_> = self.storage_classes.iter().map(|c| c.name()).collect();
            return Err(beyond(
                "storage_class",
                "AllowedStorageClasses",
                &format!(
                    "expected one of {}, found {}",
                    classes.join(", "),
                    spec.storage_class.name()
                ),
            ));
        }
        if spec.acl.is_some() && spec.acl != self.acl {
            return Err(beyond("acl", "RunAcl", "the stack sets none"));
        }
        Ok(())
    }
}

/// `preserve`, and each class whose objects can be read at once.
fn readable_classes() -> Vec<ClassChoice> {
    let classes = StorageClass::ALL.into_iter();
    let readable = classes.filter(|class| !class.is_archive());
    std::iter::once(ClassChoice::Preserve)
        .chain(readable.map(ClassChoice::Class))
        .collect()
}

fn within(prefix: &KeyPrefix) -> String {
    format!("expected a prefix that begins with {:?}", prefix.as_str())
}

/// No advice: whoever starts a run is not who decides about the parameter.
fn beyond(field: &str, parameter: &str, why: &str) -> Failure {
    invalid(
        field,
        &format!("it is beyond the stack's parameter {parameter}: {why}"),
    )
}
