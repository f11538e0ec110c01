//! The input that a settled run states.

use super::{
    input::{RunInput, SourceInput, TargetInput},
    spec::RunSpec,
};

impl RunInput {
    /// Whether everything that this input states stands in `spec`: whether the spec can have been settled from it.
    #[must_use]
    pub fn agrees_with(self, spec: &RunSpec) -> bool {
        let asked = self.rerun_of.as_ref().map(|of| (of, &self.shards));
        let settled = spec.rerun.as_ref().map(|rerun| (&rerun.of, &rerun.shards));
        if asked.is_some() || settled.is_some() {
            return asked == settled;
        }
        RunSpec::settle(self.or(Self::of(spec))).is_ok_and(|settled| settled == *spec)
    }

    /// The input that states every field of `spec`.
    #[must_use]
    pub fn of(spec: &RunSpec) -> Self {
        let RunSpec { pair, .. } = spec.clone();
        // Beside a transform these are not stated.
        let copies = spec.transform.is_none();
        Self {
            source: SourceInput {
                bucket: Some(pair.source.bucket),
                prefix: Some(pair.source.prefix),
                list: spec.list.clone(),
                as_of: spec.as_of.map(|instant| instant.to_string()),
            },
            target: TargetInput {
                bucket: Some(pair.target.bucket),
                prefix: Some(pair.target.prefix),
                role_arn: Some(pair.target.role_arn),
                external_id: pair.target.external_id,
            },
            mode: Some(spec.mode),
            compare: copies.then_some(spec.compare),
            filters: spec.filters.as_input(),
            tags: Some(spec.tags),
            storage_class: Some(spec.storage_class),
            archived: Some(spec.archived),
            kms_key_arn: spec.kms_key_arn.clone(),
            sse: spec.sse,
            acl: spec.acl,
            request_payer: Some(spec.pair.source.request_payer),
            multipart_threshold_bytes: copies.then_some(spec.multipart_threshold_bytes),
            part_bytes: copies.then_some(spec.part_bytes),
            delete_max_percent: Some(spec.delete_max_percent),
            delete_max_objects: Some(spec.delete_max_objects),
            allow_empty_source: Some(spec.allow_empty_source),
            on_change: Some(spec.on_change),
            rounds_max: Some(spec.rounds_max),
            verify: Some(spec.verify),
            dry_run: Some(spec.dry_run),
            transform: spec.transform,
            events: spec.events.clone(),
            started_by: None,
            rerun_of: None,
            shards: None,
        }
    }
}
