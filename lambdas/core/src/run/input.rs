//! The input of a run as a person types it, and the stack's defaults, which have the same shape.

use serde::Deserialize;

use super::{
    invalid,
    invalid::kind_of,
    json_object::{object_or_none, object_or_null},
};
use crate::{
    events::EventRun,
    failure::Failure,
    run::{
        list::SourceList,
        option::{
            AclChoice, ArchivedPolicy, ClassChoice, Compare, Mode, OnChange, SseChoice, TagPolicy,
            Verify,
        },
        rerun::SHARDS_CHOSEN_MAX,
        starter::Starter,
        transform::Transform,
    },
    value::{
        arn::{ExternalId, KmsKeyArn, RoleArn},
        bucket::BucketName,
        id::{RunId, ShardId},
        key::KeyPrefix,
    },
};

/// The input of a run; what is absent or null comes from the stack's parameters, then from the built-in defaults.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunInput {
    /// Where to read.
    #[serde(deserialize_with = "object_or_null")]
    pub source: SourceInput,
    /// Where to write.
    #[serde(deserialize_with = "object_or_null")]
    pub target: TargetInput,
    /// What to copy, and whether to delete.
    pub mode: Option<Mode>,
    /// What makes two objects the same.
    pub compare: Option<Compare>,
    /// Which objects take part.
    #[serde(deserialize_with = "object_or_null")]
    pub filters: FilterInput,
    /// What to do about tags.
    pub tags: Option<TagPolicy>,
    /// The storage class at the target: each object's own, or one for all.
    pub storage_class: Option<ClassChoice>,
    /// What to do about archived objects.
    pub archived: Option<ArchivedPolicy>,
    /// The key that encrypts at the target; the bucket's default when absent.
    pub kms_key_arn: Option<KmsKeyArn>,
    /// How S3 encrypts at the target with keys of its own; the bucket's default when absent.
    pub sse: Option<SseChoice>,
    /// The access control list that each write names; none when absent.
    pub acl: Option<AclChoice>,
    /// Whether the requester pays for what is read at the source.
    pub request_payer: Option<bool>,
    /// Objects above this many bytes are copied in parts.
    pub multipart_threshold_bytes: Option<u64>,
    /// The wanted size of a part, in bytes.
    pub part_bytes: Option<u64>,
    /// A mirror deletes at most this share of the target's objects, or [`delete_max_objects`](Self::delete_max_objects).
    pub delete_max_percent: Option<u8>,
    /// A mirror deletes at most this many objects, or [`delete_max_percent`](Self::delete_max_percent) of them.
    pub delete_max_objects: Option<u64>,
    /// Whether a mirror may delete although no object of its source takes part.
    pub allow_empty_source: Option<bool>,
    /// What to do about objects that changed since they were planned.
    pub on_change: Option<OnChange>,
    /// How often the shards that are not done are offered.
    pub rounds_max: Option<u32>,
    /// How the target is proven complete.
    pub verify: Option<Verify>,
    /// Plan, estimate and report; copy nothing.
    pub dry_run: Option<bool>,
    /// What is made of each object, instead of a copy.
    #[serde(deserialize_with = "object_or_none")]
    pub transform: Option<Transform>,
    /// What events at the source started the run, and told of; its list names their keys.
    #[serde(deserialize_with = "object_or_none")]
    pub events: Option<EventRun>,
    /// What started the run, if no person did and no event.
    pub started_by: Option<Starter>,
    /// Do again what an earlier run left undone.
    pub rerun_of: Option<RunId>,
    /// Of the earlier run, just these shards.
    pub shards: Option<Vec<ShardId>>,
}

/// The source as typed.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceInput {
    /// The bucket.
    pub bucket: Option<BucketName>,
    /// The prefix.
    pub prefix: Option<KeyPrefix>,
    /// What names the objects, instead of a listing.
    #[serde(deserialize_with = "object_or_none")]
    pub list: Option<SourceList>,
    /// The RFC 3339 instant whose state is copied: of each key the newest version at or before it.
    pub as_of: Option<String>,
}

/// The target as typed.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TargetInput {
    /// The bucket.
    pub bucket: Option<BucketName>,
    /// The prefix.
    pub prefix: Option<KeyPrefix>,
    /// The role in the target account.
    pub role_arn: Option<RoleArn>,
    /// What its trust policy asks for.
    pub external_id: Option<ExternalId>,
}

/// The filters as typed.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilterInput {
    /// Globs over the key below the source prefix; one must match.
    pub include: Option<Vec<String>>,
    /// Globs of which none may match.
    pub exclude: Option<Vec<String>>,
    /// The smallest size that takes part, in bytes.
    pub size_min_bytes: Option<u64>,
    /// The largest size that takes part, in bytes.
    pub size_max_bytes: Option<u64>,
    /// Only objects written at or after this RFC 3339 instant.
    pub modified_after: Option<String>,
    /// Only objects written before this RFC 3339 instant.
    pub modified_before: Option<String>,
}

impl RunInput {
    /// Reads the input of a run.
    ///
    /// # Errors
    /// `InvalidRun`, naming the field by its path.
    pub fn parse(input: &serde_json::Value) -> Result<Self, Failure> {
        if !input.is_object() {
            return Err(invalid(
                "",
                &format!(
                    "expected a JSON object, found {}; the nightly input is {{}}",
                    kind_of(input)
                ),
            ));
        }
        let read: Self = serde_path_to_error::deserialize(input).map_err(|error| {
            let path = error.path().to_string();
            let path = if path == "." { String::new() } else { path };
            invalid(&path, &invalid::in_words(&error.into_inner().to_string()))
        })?;
        read.check_rerun(input)?;
        Ok(read)
    }

    /// A rerun does what the earlier run was asked to do, so nothing else can be asked for beside it.
    fn check_rerun(&self, typed: &serde_json::Value) -> Result<(), Failure> {
        if self.rerun_of.is_none() && self.shards.is_some() {
            return Err(invalid(
                "shards",
                "shards can only be chosen together with rerun_of",
            ));
        }
        match self.shards.as_ref().map(Vec::len) {
            Some(0) => {
                return Err(invalid(
                    "shards",
                    "it is empty: name at least one, or leave it out for all",
                ));
            }
            Some(chosen) if chosen > SHARDS_CHOSEN_MAX => {
                return Err(invalid(
                    "shards",
                    &format!(
                        "{chosen} are named, at most {SHARDS_CHOSEN_MAX} can be: leave it out for all"
                    ),
                ));
            }
            _ => {}
        }
        let mut stated = typed.as_object().into_iter().flatten();
        let other = stated.find(|(field, value)| {
            !["rerun_of", "shards"].contains(&field.as_str()) && !value.is_null()
        });
        match other {
            Some((field, _)) if self.rerun_of.is_some() => Err(invalid(
                field,
                "a rerun does what the earlier run was asked to do, so only shards can be given together with rerun_of",
            )),
            _ => Ok(()),
        }
    }

    /// This input, with what it leaves open taken from `defaults`.
    #[must_use]
    pub fn or(self, mut defaults: Self) -> Self {
        if self.transform.is_some() {
            // They are the stack's choices for copies.
            defaults.compare = None;
            defaults.multipart_threshold_bytes = None;
            defaults.part_bytes = None;
            defaults.verify = defaults.verify.filter(|verify| *verify != Verify::Checksum);
        }
        Self {
            source: SourceInput {
                bucket: self.source.bucket.or(defaults.source.bucket),
                prefix: self.source.prefix.or(defaults.source.prefix),
                list: self.source.list.or(defaults.source.list),
                as_of: self.source.as_of.or(defaults.source.as_of),
            },
            target: TargetInput {
                bucket: self.target.bucket.or(defaults.target.bucket),
                prefix: self.target.prefix.or(defaults.target.prefix),
                role_arn: self.target.role_arn.or(defaults.target.role_arn),
                external_id: self.target.external_id.or(defaults.target.external_id),
            },
            mode: self.mode.or(defaults.mode),
            compare: self.compare.or(defaults.compare),
            filters: FilterInput {
                include: self.filters.include.or(defaults.filters.include),
                exclude: self.filters.exclude.or(defaults.filters.exclude),
                size_min_bytes: self
                    .filters
                    .size_min_bytes
                    .or(defaults.filters.size_min_bytes),
                size_max_bytes: self
                    .filters
                    .size_max_bytes
                    .or(defaults.filters.size_max_bytes),
                modified_after: self
                    .filters
                    .modified_after
                    .or(defaults.filters.modified_after),
                modified_before: self
                    .filters
                    .modified_before
                    .or(defaults.filters.modified_before),
            },
            tags: self.tags.or(defaults.tags),
            storage_class: self.storage_class.or(defaults.storage_class),
            archived: self.archived.or(defaults.archived),
            // One of the two that is stated replaces the other one of the stack.
            sse: self
                .sse
                .or(defaults.sse.filter(|_| self.kms_key_arn.is_none())),
            kms_key_arn: self
                .kms_key_arn
                .or(defaults.kms_key_arn.filter(|_| self.sse.is_none())),
            acl: self.acl.or(defaults.acl),
            request_payer: self.request_payer.or(defaults.request_payer),
            multipart_threshold_bytes: self
                .multipart_threshold_bytes
                .or(defaults.multipart_threshold_bytes),
            part_bytes: self.part_bytes.or(defaults.part_bytes),
            delete_max_percent: self.delete_max_percent.or(defaults.delete_max_percent),
            delete_max_objects: self.delete_max_objects.or(defaults.delete_max_objects),
            allow_empty_source: self.allow_empty_source.or(defaults.allow_empty_source),
            on_change: self.on_change.or(defaults.on_change),
            rounds_max: self.rounds_max.or(defaults.rounds_max),
            verify: self.verify.or(defaults.verify),
            dry_run: self.dry_run.or(defaults.dry_run),
            transform: self.transform.or(defaults.transform),
            events: self.events.or(defaults.events),
            started_by: self.started_by.or(defaults.started_by),
            rerun_of: self.rerun_of.or(defaults.rerun_of),
            shards: self.shards.or(defaults.shards),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{failure::FailureCode, run::spec::RunSpec};

    fn refused(input: &serde_json::Value) -> String {
        let failure = RunInput::parse(input).unwrap_err();
        assert_eq!(failure.code, FailureCode::InvalidRun);
        failure.detail
    }

    #[test]
    fn the_nightly_input_is_empty() {
        assert_eq!(RunInput::parse(&json!({})).unwrap(), RunInput::default());
    }

    #[test]
    fn wrong_input_is_refused_by_the_name_of_its_field() {
        assert!(refused(&json!({"source": {"bucket": "No Such"}})).contains("`source.bucket`"));
        assert!(refused(&json!({"mode": "move"})).contains("`mode`"));
        assert!(refused(&json!({"modus": "copy"})).contains("modus"));
        assert!(refused(&json!({"target": {"arn": "x"}})).contains("`target.arn`"));
        for number in [json!(-1), json!(1.5), json!("5")] {
            let wrong = refused(&json!({ "part_bytes": number }));
            assert!(wrong.contains("`part_bytes`") && wrong.contains("expected a whole number"));
        }
        assert!(refused(&json!({"shards": ["../x"]})).contains("`shards[0]`"));
        assert!(refused(&json!({"shards": ["2-1"]})).contains("`shards`"));
        assert!(refused(&json!({"rerun_of": "a b"})).contains("`rerun_of`"));
        for field in ["source", "target", "filters"] {
            let positional = refused(&json!({ field: ["a-bucket", "data/"] }));
            assert!(
                positional.contains(&format!("`{field}`")) && positional.contains("a JSON object"),
                "{positional}"
            );
            assert!(RunInput::parse(&json!({ field: null })).is_ok());
        }
        assert!(refused(&json!([])).contains("the input"));
        assert!(refused(&json!(null)).contains("the input"));
    }

    #[test]
    fn a_rerun_takes_its_shards_and_nothing_else() {
        let asked = json!({"rerun_of": "nightly-1", "shards": ["2-1", "2-7.p0"], "mode": null});
        assert!(RunInput::parse(&asked).is_ok());
        for (beside, field) in [
            (json!({"mode": "copy"}), "`mode`"),
            (json!({"source": {}}), "`source`"),
            (json!({"dry_run": true}), "`dry_run`"),
            (json!({"shards": []}), "`shards`"),
            (
                json!({"shards": vec!["2-1"; SHARDS_CHOSEN_MAX + 1]}),
                "`shards`",
            ),
        ] {
            let mut input = json!({"rerun_of": "nightly-1"});
            let (field_name, value) = beside.as_object().unwrap().iter().next().unwrap();
            input[field_name] = value.clone();
            assert!(refused(&input).contains(field), "{beside}");
        }
    }

    #[test]
    fn an_input_agrees_with_the_spec_that_was_settled_from_it_and_with_no_other() {
        let defaults = json!({
            "source": {"bucket": "source"},
            "target": {"bucket": "target", "role_arn": "arn:aws:iam::222222222222:role/Target"},
        });
        let input = |value| RunInput::parse(&value).unwrap();
        let typed = json!({
            "mode": "copy", "storage_class": "GLACIER_IR", "rounds_max": 2,
            "filters": {"include": ["a/**"], "modified_after": "2026-01-01T00:00:00.5Z", "size_max_bytes": 9},
        });
        let spec = RunSpec::settle(input(typed.clone()).or(input(defaults))).unwrap();
        assert!(input(typed).agrees_with(&spec));
        assert!(
            input(json!({})).agrees_with(&spec),
            "it states nothing else"
        );
        for other in [
            json!({"rerun_of": "nightly-1"}),
            json!({"mode": "sync"}),
            json!({"source": {"prefix": "x/"}}),
            json!({"filters": {"include": ["**"]}}),
            json!({"filters": {"modified_after": "2026-01-01T00:00:00Z"}}),
        ] {
            assert!(!input(other.clone()).agrees_with(&spec), "{other}");
        }
    }

    #[test]
    fn the_input_goes_before_the_defaults_field_by_field() {
        let input = RunInput::parse(&json!({"source": {"prefix": "a/"}, "dry_run": true})).unwrap();
        let defaults = RunInput::parse(
            &json!({"source": {"bucket": "source", "prefix": "z/"}, "tags": "ignore"}),
        )
        .unwrap();
        let settled = input.or(defaults);
        assert_eq!(settled.source.bucket.unwrap().as_str(), "source");
        assert_eq!(settled.source.prefix.unwrap().as_str(), "a/");
        assert_eq!(settled.dry_run, Some(true));
        assert_eq!(settled.tags, Some(TagPolicy::Ignore));
    }

    #[test]
    fn a_key_replaces_the_stacks_sse_and_the_other_way_round() {
        let key = json!({"kms_key_arn": "arn:aws:kms:eu-west-1:222222222222:key/1"});
        let sse = json!({"sse": "AES256"});
        let parse = |value: &serde_json::Value| RunInput::parse(value).unwrap();
        let keyed = parse(&key).or(parse(&sse));
        assert!(keyed.sse.is_none() && keyed.kms_key_arn.is_some());
        let plain = parse(&sse).or(parse(&key));
        assert!(plain.sse.is_some() && plain.kms_key_arn.is_none());
    }
}
