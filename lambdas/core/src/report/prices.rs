//! AWS's list prices, from one data file, and which of them a report uses.
//!
//! `prices.json` names its sources and their date. `tests/static/test_prices.py` fails when that is more than a year ago.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};

use crate::{
    plan::{ClassWork, PlannedClasses},
    run::option::ClassChoice,
    value::{
        arn::Region,
        deadline,
        figures::grouped,
        storage::StorageClass,
        tally::{RENDITION_WRITES, RequestCounts},
    },
};

/// The Region whose prices stand in for those that the file does not have.
const FALLBACK_REGION: &str = "us-east-1";

static PRICE_LIST: LazyLock<PriceList> = LazyLock::new(|| {
    serde_json::from_str(include_str!("prices.json")).expect("a test reads the file")
});

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceList {
    #[expect(dead_code, reason = "for people")]
    source: Vec<String>,
    #[expect(dead_code, reason = "for people")]
    note: String,
    as_of: String,
    regions: BTreeMap<String, RegionPrices>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RegionPrices {
    s3: BTreeMap<StorageClass, ClassPrices>,
    ledger_write_unit_usd_per_million: f64,
    ledger_read_unit_usd_per_million: f64,
    transition_usd_per_1000: f64,
    function_invoke_usd_per_million: f64,
    /// Of x86_64, which costs more than arm64.
    function_gb_second_usd: f64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassPrices {
    write_usd_per_1000: f64,
    read_usd_per_1000: f64,
    /// What reading an object adds. Archived objects cannot be read.
    #[serde(default)]
    retrieval_usd_per_gb: f64,
}

/// Which list prices a cost was computed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prices {
    /// The Region whose prices these are.
    pub region: String,
    /// The target's Region, if the prices of that one are unknown and `region` stands in for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<Region>,
    /// The storage class that the copies were written with, or `preserve`.
    pub storage_class: ClassChoice,
    /// The planned copies by their class. With `preserve`, a request costs what it costs in these on average.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub classes: BTreeMap<StorageClass, ClassWork>,
    /// The date of the prices.
    pub as_of: String,
}

/// Those of reports from before prices depended on class and Region.
impl Default for Prices {
    fn default() -> Self {
        let standard = ClassChoice::Class(StorageClass::Standard);
        Self::of(None, standard, &PlannedClasses::default())
    }
}

impl Prices {
    /// The prices for these copies to a bucket in this Region.
    #[must_use]
    pub fn of(
        target_region: Option<&Region>,
        storage_class: ClassChoice,
        planned: &PlannedClasses,
    ) -> Self {
        let known = target_region.filter(|region| PRICE_LIST.regions.contains_key(region.as_str()));
        Self {
            region: known.map_or(FALLBACK_REGION, Region::as_str).to_owned(),
            instead_of: target_region.filter(|_| known.is_none()).cloned(),
            storage_class,
            classes: planned.copies.clone(),
            as_of: PRICE_LIST.as_of.clone(),
        }
    }

    /// The price in USD of one request of this operation; what AWS does not bill costs nothing.
    #[must_use]
    pub fn request_usd(&self, operation: &str) -> f64 {
        let standard = self.of_class(StorageClass::Standard);
        let region = self.of_region();
        match operation {
            "s3:CopyObject" | RENDITION_WRITES => {
                self.write_usd(|work| work.objects - work.uploads, Self::completed_usd)
            }
            "s3:CompleteMultipartUpload" => {
                self.write_usd(|work| work.uploads, Self::completed_usd)
            }
            "s3:CreateMultipartUpload" => self.write_usd(|work| work.uploads, Self::uploaded_usd),
            "s3:UploadPartCopy" => self.write_usd(|work| work.parts, Self::uploaded_usd),
            // The control bucket is STANDARD, and so are tags and every LIST, as the same page says.
            "s3:PutObject"
            | "s3:UploadPart"
            | "s3:ListObjectsV2"
            | "s3:ListObjectVersions"
            | "s3:ListParts"
            | "s3:ListMultipartUploads"
            | "s3:ListObjectAnnotations"
            | "s3:PutObjectTagging" => standard.write_usd_per_1000 / 1_000.0,
            // The class of a source object is not known.
            "s3:GetObject"
            | "s3:HeadObject"
            | "s3:HeadBucket"
            | "s3:GetObjectTagging"
            | "s3:GetObjectAttributes" => standard.read_usd_per_1000 / 1_000.0,
            // The ledger counts these in units, not in calls.
            "dynamodb:PutItem"
            | "dynamodb:UpdateItem"
            | "dynamodb:DeleteItem"
            | "dynamodb:TransactWriteItems" => {
                region.ledger_write_unit_usd_per_million / 1_000_000.0
            }
            "dynamodb:GetItem" | "dynamodb:Query" => {
                region.ledger_read_unit_usd_per_million / 1_000_000.0
            }
            "states:Transition" => region.transition_usd_per_1000 / 1_000.0,
            deadline::INVOKE => region.function_invoke_usd_per_million / 1_000_000.0,
            deadline::MB_MILLISECOND => region.function_gb_second_usd / 1_024.0 / 1_000.0,
            _ => 0.0,
        }
    }

    /// The price in USD of one write: `of` its class, and with `preserve` on average over the planned writes of this kind,
    /// of which `writes` tells the number.
    fn write_usd(
        &self,
        writes: impl Fn(&ClassWork) -> u64,
        of: impl Fn(&Self, StorageClass) -> f64,
    ) -> f64 {
        if let ClassChoice::Class(class) = self.storage_class {
            return of(self, class);
        }
        let planned: u64 = self.classes.values().map(&writes).sum();
        if planned == 0 {
            return of(self, StorageClass::Standard);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "request counts stay far below 2^52"
        )]
        let share = |work: &ClassWork| writes(work) as f64 / planned as f64;
        let classes = self.classes.iter();
        classes
            .map(|(&class, work)| share(work) * of(self, class))
            .fold(0.0, |sum, usd| sum + usd)
    }

    /// The price in USD of a write that makes an object of this class.
    fn completed_usd(&self, class: StorageClass) -> f64 {
        self.of_class(class).write_usd_per_1000 / 1_000.0
    }

    /// The price in USD of a write to an upload of this class. Until an upload to an archive is completed, its requests are
    /// billed at the rates of STANDARD, as note 7 of
    /// docs.aws.amazon.com/AmazonS3/latest/userguide/aws-usage-report-understand.html says.
    fn uploaded_usd(&self, class: StorageClass) -> f64 {
        self.completed_usd(if class.is_archive() {
            StorageClass::Standard
        } else {
            class
        })
    }

    /// The price in USD of these requests together.
    #[must_use]
    pub fn total_usd(&self, requests: &RequestCounts) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "request counts stay far below 2^52"
        )]
        let prices = requests
            .iter()
            .map(|(operation, &count)| self.request_usd(operation) * count as f64);
        // The sum of no numbers is -0.0, which JSON shows.
        prices.fold(0.0, |sum, usd| sum + usd)
    }

    /// What the prices are and what they leave out, for people.
    #[must_use]
    pub fn scope(&self) -> String {
        let Self { region, as_of, .. } = self;
        let class = match self.storage_class {
            ClassChoice::Class(class) => class.name().to_owned(),
            ClassChoice::Preserve => {
                format!("the class of each source object{}", self.planned_classes())
            }
        };
        let instead_of = self.instead_of.as_ref().map_or_else(String::new, |target| {
            format!(" (those of {target}, the target's Region, are not in Shardlift's price list)")
        });
        let per_gb = |class| self.of_class(class).retrieval_usd_per_gb;
        format!(
            "Requests and Lambda at the list prices of {region}{instead_of} for copies to {class}, as of {as_of}. \
             Not included: retrieval of source objects (${} per GB from STANDARD_IA or ONEZONE_IA, ${} from GLACIER_IR), \
             a PUT for each annotation that a copy carries, cold starts and killed invocations, KMS, data transfer between Regions, storage, \
             and charges for minimum storage durations.",
            per_gb(StorageClass::StandardIa),
            per_gb(StorageClass::GlacierIr),
        )
    }

    fn planned_classes(&self) -> String {
        let classes = self.classes.iter();
        let classes: Vec<_> = classes
            .map(|(class, work)| format!("{} {}", grouped(work.objects), class.name()))
            .collect();
        if classes.is_empty() {
            String::new()
        } else {
            format!(" (planned: {})", classes.join(", "))
        }
    }

    fn of_region(&self) -> &'static RegionPrices {
        let regions = &PRICE_LIST.regions;
        // A report of another release may name a Region that this one does not know.
        let known = regions.get(&self.region);
        known.unwrap_or_else(|| &regions[FALLBACK_REGION])
    }

    fn of_class(&self, class: StorageClass) -> ClassPrices {
        self.of_region().s3[&class]
    }
}
