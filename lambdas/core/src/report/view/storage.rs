//! What people read about storage classes and archived objects.

use crate::{
    report::run_report::Report, run::option::ClassChoice, value::figures::counted,
    value::storage::StorageClass,
};

/// Of copies whose class is not that of their source: the class that they have. Nothing where there are none.
pub(super) fn class_changed(report: &Report) -> Option<String> {
    let class = match report.cost_usd.prices.storage_class {
        ClassChoice::Class(class) => class,
        ClassChoice::Preserve => StorageClass::Standard,
    };
    (report.class_changed > 0).then(|| format!("to {}", class.name()))
}

/// The warning about classes that should be kept and cannot be. Where a class was chosen, a figure says enough.
pub(super) fn class_not_kept(report: &Report) -> Option<String> {
    let objects = report.class_changed;
    let is_preserved = report.cost_usd.prices.storage_class == ClassChoice::Preserve;
    (objects > 0 && is_preserved).then(|| {
        format!(
            "S3's default, STANDARD, replaces the storage class of {}: it is one that no copy can have \
             (EXPRESS_ONEZONE, OUTPOSTS), or that this release does not know",
            counted(objects, "object")
        )
    })
}

/// The warning about archived objects that were left out.
pub(super) fn archived_skipped(report: &Report) -> Option<String> {
    let objects = report.skipped.archived();
    (objects > 0).then(|| {
        format!(
            "{} left out because the run has archived = skip. A run after their restore copies them",
            counted(objects, "archived object")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        report::run_report::tests::report,
        value::{skips::SkipReason, tally::Count},
    };

    fn with_changes(choice: ClassChoice) -> Report {
        let mut changed = report();
        changed.class_changed = 1;
        changed.cost_usd.prices.storage_class = choice;
        changed
    }

    #[test]
    fn a_class_that_was_chosen_is_a_figure_and_one_that_cannot_be_kept_a_warning_too() {
        let chosen = with_changes(ClassChoice::Class(StorageClass::GlacierIr));
        assert_eq!(class_changed(&chosen).unwrap(), "to GLACIER_IR");
        assert_eq!(class_not_kept(&chosen), None);
        let kept = with_changes(ClassChoice::Preserve);
        assert_eq!(class_changed(&kept).unwrap(), "to STANDARD");
        assert!(class_not_kept(&kept).unwrap().contains("class of 1 object"));
        assert_eq!(class_changed(&report()), None);
    }

    #[test]
    fn archived_objects_that_were_left_out_are_counted() {
        assert_eq!(archived_skipped(&report()), None);
        let mut skipping = report();
        let count = Count {
            objects: 3,
            bytes: 9,
        };
        skipping
            .skipped
            .count
            .add_count(SkipReason::Archived, count);
        let warning = archived_skipped(&skipping).unwrap();
        assert!(
            warning.starts_with("3 archived objects left out"),
            "{warning}"
        );
    }
}
