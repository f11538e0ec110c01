//! Which objects take part in a run.

use serde::{Deserialize, Serialize};

use crate::{
    failure::Failure,
    run::{glob::GlobList, input::FilterInput, invalid},
    value::{object::ListedObject, time::Timestamp},
};

/// The glob that every key matches.
const EVERYTHING: &str = "**";

/// The filters of a run, settled and storable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filters {
    include: Vec<String>,
    exclude: Vec<String>,
    size_min_bytes: u64,
    size_max_bytes: Option<u64>,
    modified_after: Option<Timestamp>,
    modified_before: Option<Timestamp>,
}

impl Filters {
    /// Settles the filters.
    ///
    /// # Errors
    /// `InvalidRun`, naming the field.
    pub fn settle(input: FilterInput) -> Result<Self, Failure> {
        let instant = |text: Option<String>, field: &str| {
            text.map(|text| {
                Timestamp::parse(&text).map_err(|error| invalid(field, &error.to_string()))
            })
            .transpose()
        };
        let filters = Self {
            include: input.include.unwrap_or_else(|| vec![EVERYTHING.to_owned()]),
            exclude: input.exclude.unwrap_or_default(),
            size_min_bytes: input.size_min_bytes.unwrap_or(0),
            size_max_bytes: input.size_max_bytes,
            modified_after: instant(input.modified_after, "filters.modified_after")?,
            modified_before: instant(input.modified_before, "filters.modified_before")?,
        };
        if filters.include.is_empty() {
            return Err(invalid(
                "filters.include",
                "an empty list would match nothing; leave it out, or write [\"**\"], for everything",
            ));
        }
        if filters
            .size_max_bytes
            .is_some_and(|max| max < filters.size_min_bytes)
        {
            return Err(invalid(
                "filters.size_max_bytes",
                "it is smaller than size_min_bytes, so nothing could match",
            ));
        }
        if let (Some(after), Some(before)) = (filters.modified_after, filters.modified_before)
            && before <= after
        {
            return Err(invalid(
                "filters.modified_before",
                "it is not later than modified_after, so nothing could match",
            ));
        }
        filters.compile()?;
        Ok(filters)
    }

    /// The input that these filters would be settled from.
    pub(crate) fn as_input(&self) -> FilterInput {
        FilterInput {
            include: Some(self.include.clone()),
            exclude: Some(self.exclude.clone()),
            size_min_bytes: Some(self.size_min_bytes),
            size_max_bytes: self.size_max_bytes,
            modified_after: self.modified_after.map(|instant| instant.to_string()),
            modified_before: self.modified_before.map(|instant| instant.to_string()),
        }
    }

    /// Makes the filters ready for use.
    ///
    /// # Errors
    /// `InvalidRun`, naming the list that holds a malformed glob.
    pub fn compile(&self) -> Result<ObjectFilter, Failure> {
        let everything = self.include.iter().any(|glob| glob == EVERYTHING);
        Ok(ObjectFilter {
            include: if everything {
                None
            } else {
                Some(compile_globs(&self.include, "filters.include")?)
            },
            exclude: compile_globs(&self.exclude, "filters.exclude")?,
            bounds: self.clone(),
        })
    }
}

fn compile_globs(globs: &[String], field: &str) -> Result<GlobList, Failure> {
    GlobList::compile(globs).map_err(|error| invalid(field, &error.to_string()))
}

/// Filters ready for use.
#[derive(Debug, Clone)]
pub struct ObjectFilter {
    include: Option<GlobList>,
    exclude: GlobList,
    bounds: Filters,
}

impl ObjectFilter {
    /// Whether `object`, whose key below the source prefix is `relative_key`, takes part.
    #[must_use]
    pub fn admits(&self, relative_key: &str, object: &ListedObject) -> bool {
        let bounds = &self.bounds;
        object.size_bytes >= bounds.size_min_bytes
            && bounds
                .size_max_bytes
                .is_none_or(|max| object.size_bytes <= max)
            && bounds
                .modified_after
                .is_none_or(|after| object.modified_at >= after)
            && bounds
                .modified_before
                .is_none_or(|before| object.modified_at < before)
            && self.admits_key(relative_key)
    }

    /// Whether the globs alone let this key take part; what a mirror may delete is decided by the key alone.
    #[must_use]
    pub fn admits_key(&self, relative_key: &str) -> bool {
        self.include
            .as_ref()
            .is_none_or(|globs| globs.is_match(relative_key))
            && !self.exclude.is_match(relative_key)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::value::{key::ObjectKey, object::ETag, storage::ObjectStorage};

    fn filter(input: serde_json::Value) -> ObjectFilter {
        let input: FilterInput = serde_json::from_value(input).unwrap();
        Filters::settle(input).unwrap().compile().unwrap()
    }

    fn object(size_bytes: u64, modified: &str) -> ListedObject {
        ListedObject {
            key: ObjectKey::new("k").unwrap(),
            size_bytes,
            etag: ETag::new("e").unwrap(),
            modified_at: Timestamp::parse(modified).unwrap(),
            storage: ObjectStorage::default(),
            version_id: None,
        }
    }

    #[test]
    fn everything_takes_part_by_default_awkward_keys_too() {
        let filter = filter(json!({}));
        for key in [
            "a//b",
            "/lead",
            "..",
            "x/..",
            "trailing/",
            "line\nbreak",
            "\u{1f680}",
            "",
        ] {
            assert!(filter.admits_key(key), "{key:?}");
        }
    }

    #[test]
    fn a_star_stays_within_its_level() {
        let filter = filter(json!({"include": ["logs/*.gz", "all/**"], "exclude": ["**/secret*"]}));
        assert!(filter.admits_key("logs/a.gz"));
        assert!(!filter.admits_key("logs/deep/a.gz"));
        assert!(filter.admits_key("all/deep/er/x"));
        assert!(!filter.admits_key("all/deep/secret.txt"));
        assert!(filter.admits_key("all/.."));
    }

    #[test]
    fn sizes_and_times_bound_it() {
        let filter = filter(json!({
            "size_min_bytes": 10, "size_max_bytes": 20,
            "modified_after": "2026-01-01T00:00:00Z", "modified_before": "2026-02-01T00:00:00Z",
        }));
        assert!(filter.admits("k", &object(10, "2026-01-01T00:00:00Z")));
        assert!(filter.admits("k", &object(20, "2026-01-31T23:59:59Z")));
        assert!(!filter.admits("k", &object(9, "2026-01-10T00:00:00Z")));
        assert!(!filter.admits("k", &object(21, "2026-01-10T00:00:00Z")));
        assert!(!filter.admits("k", &object(15, "2026-02-01T00:00:00Z")));
        assert!(!filter.admits("k", &object(15, "2025-12-31T23:59:59Z")));
    }

    #[test]
    fn malformed_filters_are_refused_by_field() {
        for (input, field) in [
            (json!({"include": ["a[" ]}), "filters.include"),
            (json!({"include": []}), "filters.include"),
            (json!({"exclude": ["{a"]}), "filters.exclude"),
            (
                json!({"modified_after": "yesterday"}),
                "filters.modified_after",
            ),
            (
                json!({"size_min_bytes": 2, "size_max_bytes": 1}),
                "filters.size_max_bytes",
            ),
            (
                json!({"modified_after": "2026-01-02T00:00:00Z", "modified_before": "2026-01-01T00:00:00Z"}),
                "filters.modified_before",
            ),
        ] {
            let failure =
                Filters::settle(serde_json::from_value(input.clone()).unwrap()).unwrap_err();
            assert!(
                failure.detail.contains(field),
                "{input}: {}",
                failure.detail
            );
        }
    }
}
