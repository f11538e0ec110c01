//! What a run is asked to do, settled: every default filled in, every contradiction refused.

mod checks;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Deserializer, Serialize};

use crate::run::option::{
    AclChoice, ArchivedPolicy, ClassChoice, Compare, Mode, OnChange, SseChoice, TagPolicy, Verify,
};
use crate::{
    copy::part_layout::{PART_BYTES_DEFAULT, SINGLE_COPY_BYTES_MAX},
    events::EventRun,
    failure::Failure,
    run::{
        event::RunKind,
        filter::Filters,
        input::RunInput,
        instant, invalid,
        list::SourceList,
        pair::{Pair, Source, Target},
        rerun::Rerun,
        transform::Transform,
    },
    value::{arn::KmsKeyArn, storage::StorageClass, time::Timestamp},
};

/// The most rounds that an input may ask for; each is a Map Run of its own.
pub const ROUNDS_MAX: u32 = 10;

/// How many objects a mirror may delete however few the target has: 5 percent of fewer than 20 objects is none.
pub(crate) const DELETE_MAX_OBJECTS_DEFAULT: u64 = 10;
/// The share of the target's objects that a mirror may delete, in percent.
pub(crate) const DELETE_MAX_PERCENT_DEFAULT: u8 = 5;

fn class_or_standard<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ClassChoice, D::Error> {
    let stored = Option::<ClassChoice>::deserialize(deserializer)?;
    Ok(stored.unwrap_or(ClassChoice::Class(StorageClass::Standard)))
}

fn delete_max_objects_default() -> u64 {
    DELETE_MAX_OBJECTS_DEFAULT
}

/// A run, settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// Source and target.
    pub pair: Pair,
    /// What is copied.
    pub mode: Mode,
    /// What makes two objects the same.
    pub compare: Compare,
    /// Which objects take part.
    pub filters: Filters,
    /// What is done about tags.
    pub tags: TagPolicy,
    /// The storage class at the target: each object's own, or one for all. Null in a record from before it could be
    /// preserved means what it meant then: S3's default, STANDARD.
    #[serde(deserialize_with = "class_or_standard")]
    pub storage_class: ClassChoice,
    /// What is done about archived objects.
    #[serde(default)]
    pub archived: ArchivedPolicy,
    /// The key that encrypts at the target; the bucket's default when absent.
    pub kms_key_arn: Option<KmsKeyArn>,
    /// How S3 encrypts at the target with keys of its own; the bucket's default when absent.
    #[serde(default)]
    pub sse: Option<SseChoice>,
    /// The access control list that each write names; none when absent.
    #[serde(default)]
    pub acl: Option<AclChoice>,
    /// Objects above this many bytes are copied in parts.
    pub multipart_threshold_bytes: u64,
    /// The wanted size of a part, in bytes.
    pub part_bytes: u64,
    /// A mirror deletes at most this share of the target's objects, or `delete_max_objects`, whichever is more.
    pub delete_max_percent: u8,
    /// A mirror may delete this many objects, whatever their share.
    #[serde(default = "delete_max_objects_default")]
    pub delete_max_objects: u64,
    /// Whether a mirror of a source of which no object takes part may delete anything.
    #[serde(default)]
    pub allow_empty_source: bool,
    /// What is done about objects that changed since they were planned.
    #[serde(default)]
    pub on_change: OnChange,
    /// How often the shards that are not done are offered.
    pub rounds_max: u32,
    /// How the target is proven complete.
    pub verify: Verify,
    /// Plan, estimate and report; copy nothing.
    pub dry_run: bool,
    /// What names the objects, instead of a listing of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<SourceList>,
    /// The instant whose state is copied, instead of the newest version of each object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// What is made of each object, instead of a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<Transform>,
    /// What events started the run, and told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<EventRun>,
    /// In a rerun: what it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun: Option<Rerun>,
}

impl RunSpec {
    /// Which function works on the shards.
    #[must_use]
    pub fn kind(&self) -> RunKind {
        match self.transform {
            None => RunKind::Copy,
            Some(_) => RunKind::Render,
        }
    }

    /// Whether the plan lists the target, so that it knows all that stands there.
    #[must_use]
    pub fn lists_target(&self) -> bool {
        let is_listed = match self.mode {
            Mode::Copy => false,
            // A list says what to copy. That of a mirror is an inventory of all that the source has, or one of events.
            Mode::Sync | Mode::Audit => self.list.is_none(),
            Mode::Mirror => self.events.is_none(),
        };
        is_listed && self.rerun.is_none()
    }

    /// Whether the run may read versions by their ids: those of an instant, or those that a list may name.
    #[must_use]
    pub fn may_name_versions(&self) -> bool {
        let lists = |list: &SourceList| list.format.may_name_versions();
        self.as_of.is_some() || self.list.as_ref().is_some_and(lists)
    }

    /// Whether the run is so small that trials of permissions and an upload of them would be most of its work: one of a few
    /// events. Its copies show what is refused, object by object.
    #[must_use]
    pub fn is_light(&self) -> bool {
        let events = self.events.as_ref();
        events.is_some_and(EventRun::is_small)
    }

    /// Settles the input of a run whose open fields were already taken from the stack's defaults.
    ///
    /// # Errors
    /// `InvalidRun`, naming the field that is missing, out of bounds or contradictory. A rerun is not settled here but
    /// from its earlier run, see [`EarlierRun`](crate::plan::rerun::EarlierRun).
    pub fn settle(input: RunInput) -> Result<Self, Failure> {
        if input.rerun_of.is_some() {
            return Err(Failure::invariant(
                "a rerun was to be settled from its input alone",
            ));
        }
        checks::check_transform(&input)?;
        let pair = Pair {
            source: Source {
                bucket: required(input.source.bucket, "source.bucket")?,
                prefix: input.source.prefix.unwrap_or_default(),
                request_payer: input.request_payer.unwrap_or(false),
            },
            target: Target {
                bucket: required(input.target.bucket, "target.bucket")?,
                prefix: input.target.prefix.unwrap_or_default(),
                role_arn: required(input.target.role_arn, "target.role_arn")?,
                external_id: input.target.external_id,
            },
        };
        let spec = Self {
            pair,
            mode: input.mode.unwrap_or(Mode::Sync),
            compare: input.compare.unwrap_or(Compare::SizeAndMtime),
            filters: Filters::settle(input.filters)?,
            tags: input.tags.unwrap_or(TagPolicy::Preserve),
            storage_class: input.storage_class.unwrap_or_default(),
            archived: input.archived.unwrap_or_default(),
            kms_key_arn: input.kms_key_arn,
            sse: input.sse,
            acl: input.acl,
            multipart_threshold_bytes: input
                .multipart_threshold_bytes
                .unwrap_or(SINGLE_COPY_BYTES_MAX),
            part_bytes: input.part_bytes.unwrap_or(PART_BYTES_DEFAULT),
            delete_max_percent: input
                .delete_max_percent
                .unwrap_or(DELETE_MAX_PERCENT_DEFAULT),
            delete_max_objects: input
                .delete_max_objects
                .unwrap_or(DELETE_MAX_OBJECTS_DEFAULT),
            allow_empty_source: input.allow_empty_source.unwrap_or(false),
            on_change: input.on_change.unwrap_or_default(),
            rounds_max: input.rounds_max.unwrap_or(3),
            verify: input.verify.unwrap_or(Verify::Relist),
            dry_run: input.dry_run.unwrap_or(false),
            list: input.source.list,
            as_of: input
                .source
                .as_of
                .as_deref()
                .map(instant::parse)
                .transpose()?,
            transform: input.transform,
            events: input.events,
            rerun: None,
        };
        spec.check_bounds()?;
        Ok(spec)
    }
}

fn required<T>(value: Option<T>, field: &str) -> Result<T, Failure> {
    value.ok_or_else(|| {
        invalid(
            field,
            "it is neither in the input nor among the stack's parameters",
        )
    })
}
