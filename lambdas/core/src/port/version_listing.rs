//! What a bucket tells about its past.

use super::PageProblem;
use crate::value::{
    id::VersionId,
    key::{KeyPrefix, ObjectKey},
    object::ListedObject,
    time::Timestamp,
};

/// Whether a bucket keeps versions
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versioning {
    /// It never did: whatever was overwritten or deleted is gone without a trace.
    Never,
    /// Every write makes a version of its own.
    Enabled,
    /// It did: now each write takes the place of the version `null`, and the others stay.
    Suspended,
}

/// Where a listing of versions goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionMarker {
    /// After this key.
    pub key: ObjectKey,
    /// Of that key: after this version, which is newer than the next. Without it, no version of the key is listed.
    pub version_id: Option<VersionId>,
}

/// A question for one page of a listing of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRequest {
    /// Only keys under it.
    pub prefix: KeyPrefix,
    /// Only what comes after this.
    pub after: Option<VersionMarker>,
    /// No more than so many; as many as S3 gives when absent.
    pub versions_max: Option<u16>,
}

/// One entry of a listing of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListedVersion {
    /// An object, with the id of this version of it.
    Object(ListedObject),
    /// The mark that the key was deleted.
    DeleteMarker {
        /// The key.
        key: ObjectKey,
        /// The id of the mark.
        version_id: VersionId,
        /// When the key was deleted, in whole seconds.
        modified_at: Timestamp,
    },
}

impl ListedVersion {
    /// Its key.
    #[must_use]
    pub fn key(&self) -> &ObjectKey {
        match self {
            Self::Object(object) => &object.key,
            Self::DeleteMarker { key, .. } => key,
        }
    }

    /// Its id.
    #[must_use]
    pub fn version_id(&self) -> Option<&VersionId> {
        match self {
            Self::Object(object) => object.version_id.as_ref(),
            Self::DeleteMarker { version_id, .. } => Some(version_id),
        }
    }

    /// When it was written.
    #[must_use]
    pub fn modified_at(&self) -> Timestamp {
        match self {
            Self::Object(object) => object.modified_at,
            Self::DeleteMarker { modified_at, .. } => *modified_at,
        }
    }
}

/// One page of a listing of versions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VersionPage {
    /// Up to 1,000, in key order, of each key the newest first.
    pub versions: Vec<ListedVersion>,
    /// Whether more may follow.
    pub is_truncated: bool,
}

impl VersionPage {
    /// Holds the page to what the response to `request` can say (P11), as [`ObjectPage::check`](super::ObjectPage::check)
    /// does.
    ///
    /// # Errors
    /// What a listing cannot say.
    pub fn check(&self, request: &VersionRequest) -> Result<(), PageProblem> {
        if self.is_truncated && self.versions.is_empty() {
            return Err(PageProblem::NoKey);
        }
        let after = request.after.as_ref();
        // Of a key without a version, everything lies before the page.
        let mut before = after.map(|after| (&after.key, after.version_id.as_ref()));
        for version in &self.versions {
            let (key, id) = (version.key(), version.version_id());
            if key.relative_to(&request.prefix).is_none() {
                return Err(PageProblem::OutsidePrefix { key: key.clone() });
            }
            let is_next = before.is_none_or(|(before, version_before)| {
                key > before || (key == before && version_before.is_some() && version_before != id)
            });
            if let (false, Some((before, _))) = (is_next, before) {
                return Err(PageProblem::OutOfOrder {
                    key: key.clone(),
                    before: before.clone(),
                });
            }
            before = Some((key, id));
        }
        Ok(())
    }

    /// Where the next page begins; nothing where this one holds nothing.
    #[must_use]
    pub fn end(&self) -> Option<VersionMarker> {
        self.versions.last().map(|last| VersionMarker {
            key: last.key().clone(),
            version_id: last.version_id().cloned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        after: Option<(&str, Option<&str>)>,
        entries: &[(&str, &str)],
        is_truncated: bool,
    ) -> Result<(), PageProblem> {
        let id = |text: &str| VersionId::new(text).unwrap();
        let marker = |(key, version): (&str, Option<&str>)| VersionMarker {
            key: ObjectKey::new(key).unwrap(),
            version_id: version.map(id),
        };
        let entry = |(key, version): &(&str, &str)| ListedVersion::DeleteMarker {
            key: ObjectKey::new(*key).unwrap(),
            version_id: id(version),
            modified_at: Timestamp::default(),
        };
        let page = VersionPage {
            versions: entries.iter().map(entry).collect(),
            is_truncated,
        };
        page.check(&VersionRequest {
            prefix: KeyPrefix::new("p/").unwrap(),
            after: after.map(marker),
            versions_max: None,
        })
    }

    #[test]
    fn a_page_of_versions_that_cannot_be_is_refused() {
        assert_eq!(check(None, &[], true), Err(PageProblem::NoKey));
        assert_eq!(check(None, &[], false), Ok(()));
        let is_outside = |page| matches!(page, Err(PageProblem::OutsidePrefix { .. }));
        assert!(is_outside(check(None, &[("p/a", "2"), ("q", "1")], false)));
        let is_out_of_order = |page| matches!(page, Err(PageProblem::OutOfOrder { .. }));
        assert!(is_out_of_order(check(
            None,
            &[("p/b", "1"), ("p/a", "1")],
            false
        )));
        // The same version again.
        assert!(is_out_of_order(check(
            None,
            &[("p/a", "1"), ("p/a", "1")],
            false
        )));
        assert!(is_out_of_order(check(
            Some(("p/a", Some("1"))),
            &[("p/a", "1")],
            true
        )));
        // Versions of a key of which none is left.
        assert!(is_out_of_order(check(
            Some(("p/a", None)),
            &[("p/a", "1")],
            true
        )));
        assert_eq!(
            check(
                Some(("p/a", Some("2"))),
                &[("p/a", "1"), ("p/b", "1")],
                true
            ),
            Ok(())
        );
        assert_eq!(check(None, &[("p/a", "2"), ("p/a", "1")], true), Ok(()));
    }
}
