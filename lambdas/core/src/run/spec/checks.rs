//! What a run may not be asked to do.

use super::{ROUNDS_MAX, RunSpec};
use crate::{
    copy::part_layout::{PART_BYTES_MAX, PART_BYTES_MIN, SINGLE_COPY_BYTES_MAX},
    failure::Failure,
    run::{
        input::RunInput,
        instant, invalid,
        list::{ListFormat, SourceList},
        option::{Compare, Mode, Verify},
    },
};

/// Refuses, beside a transform, what is about copies: a rendition has neither size nor ETag of its source, and is written in
/// one request.
///
/// # Errors
/// `InvalidRun`, naming the field.
pub(super) fn check_transform(input: &RunInput) -> Result<(), Failure> {
    let Some(transform) = &input.transform else {
        return Ok(());
    };
    transform.check_bounds()?;
    let other_compare = input.compare.filter(|it| *it != Compare::SizeAndMtime);
    let contradictions = [
        (
            "compare",
            other_compare.is_some(),
            "a rendition has neither the size nor the ETag of its source, so it is compared by time alone",
        ),
        (
            "multipart_threshold_bytes",
            input.multipart_threshold_bytes.is_some(),
            "a rendition is written in one request",
        ),
        (
            "part_bytes",
            input.part_bytes.is_some(),
            "a rendition is written in one request",
        ),
        (
            "verify",
            input.verify == Some(Verify::Checksum),
            "a rendition has other checksums than its source; relist compares all renditions with what S3 said when they were written",
        ),
        (
            "mode",
            input.mode == Some(Mode::Audit),
            "an audit compares copies",
        ),
        (
            "source.as_of",
            input.source.as_of.is_some(),
            "renditions are made of the newest versions",
        ),
    ];
    for (field, is_stated, why) in contradictions {
        if is_stated {
            let problem = format!("it cannot stand beside a transform: {why}; leave it out");
            return Err(invalid(field, &problem));
        }
    }
    Ok(())
}

impl RunSpec {
    /// Refuses contradictions and numbers out of their bounds.
    ///
    /// # Errors
    /// `InvalidRun`, naming the field.
    pub(super) fn check_bounds(&self) -> Result<(), Failure> {
        if self.pair.overlaps() {
            return Err(invalid(
                "target",
                "the target overlaps its source; choose another bucket, or prefixes of which neither contains the other",
            ));
        }
        if !self.pair.prefixes_agree() {
            return Err(invalid(
                "target.prefix",
                "one of source.prefix and target.prefix is empty or ends in a slash and the other does not, so names would run together; end both in a slash, or neither",
            ));
        }
        if self.sse.is_some() && self.kms_key_arn.is_some() {
            return Err(invalid(
                "sse",
                "an object is encrypted with S3's own keys (sse) or with a key of yours (kms_key_arn), so only one of the two can be given",
            ));
        }
        if !(PART_BYTES_MIN..=SINGLE_COPY_BYTES_MAX).contains(&self.multipart_threshold_bytes) {
            return Err(invalid(
                "multipart_threshold_bytes",
                &format!(
                    "expected {PART_BYTES_MIN} (5 MiB) to {SINGLE_COPY_BYTES_MAX} (5 GiB), found {}",
                    self.multipart_threshold_bytes
                ),
            ));
        }
        if !(PART_BYTES_MIN..=PART_BYTES_MAX).contains(&self.part_bytes) {
            return Err(invalid(
                "part_bytes",
                &format!(
                    "expected {PART_BYTES_MIN} (5 MiB) to {PART_BYTES_MAX} (5 GiB), found {}",
                    self.part_bytes
                ),
            ));
        }
        if self.delete_max_percent > 100 {
            return Err(invalid(
                "delete_max_percent",
                &format!("expected 0 to 100, found {}", self.delete_max_percent),
            ));
        }
        self.check_list()?;
        if self.as_of.is_some() {
            instant::check_beside(self.mode, self.list.is_some())?;
        }
        if self.dry_run && !self.mode.writes() {
            return Err(invalid(
                "dry_run",
                "an audit writes nothing anyway; leave dry_run out",
            ));
        }
        if !(1..=ROUNDS_MAX).contains(&self.rounds_max) {
            return Err(invalid(
                "rounds_max",
                &format!("expected 1 to {ROUNDS_MAX}, found {}", self.rounds_max),
            ));
        }
        Ok(())
    }

    /// Whether the run's mode makes sense of its list.
    fn check_list(&self) -> Result<(), Failure> {
        match &self.list {
            None if self.events.is_some() => Err(invalid(
                "events",
                "a run with events needs the list of their keys (source.list); the intake starts such runs",
            )),
            None => Ok(()),
            Some(list) => self.check_list_mode(list),
        }
    }

    /// A list says what to copy and not what else there is; an inventory is of all that there is, and events tell of
    /// deletions.
    fn check_list_mode(&self, list: &SourceList) -> Result<(), Failure> {
        let is_allowed = match self.mode {
            Mode::Copy | Mode::Sync => true,
            Mode::Mirror => self.events.is_some() || list.format == ListFormat::Inventory,
            Mode::Audit => false,
        };
        if is_allowed {
            return Ok(());
        }
        Err(invalid(
            "mode",
            &format!(
                "a list (source.list) says what to copy but not what else exists, so the mode must be copy or sync, or mirror with a list in the format inventory; found {} with {}",
                self.mode.name(),
                list.format.name()
            ),
        ))
    }
}
