//! What a plan takes for the listing of the source.

use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    plan::{InstantState, OverwrittenInPlace},
    port::{
        BucketListing, ListRequest, ListedVersion, ObjectPage, PageProblem, SourceBucket,
        VersionMarker, VersionPage, VersionRequest,
    },
    run::spec::RunSpec,
    value::{
        id::VersionId,
        key::{KeyPrefix, ObjectKey},
        object::ListedObject,
        tally::RequestCounts,
        time::Timestamp,
    },
};

const OPERATION: &str = "s3:ListObjectVersions";
/// How many versions of one key are asked for at first: hardly any has more.
const VERSIONS_OF_A_KEY: u16 = 10;

/// What a plan takes for the listing of the source.
#[derive(Debug)]
pub(crate) enum SourceListing<'a, S> {
    /// The bucket as it is now.
    Bucket(&'a S),
    /// The bucket as it was at an instant.
    AsOf(&'a S, Timestamp),
}

impl<'a, S: SourceBucket> SourceListing<'a, S> {
    /// That of a run.
    pub(crate) fn of(bucket: &'a S, spec: &RunSpec) -> Self {
        match spec.as_of {
            None => Self::Bucket(bucket),
            Some(instant) => Self::AsOf(bucket, instant),
        }
    }

    /// The requests sent to the source so far.
    pub(crate) fn requests(&self) -> RequestCounts {
        self.bucket().requests()
    }

    /// One version of an object; nothing when it is gone, or a delete marker.
    pub(crate) async fn version(
        &self,
        key: &ObjectKey,
        version_id: &VersionId,
    ) -> Result<Option<ListedObject>, CallFault> {
        let is_it = |version: &ListedVersion| version.version_id() == Some(version_id);
        let mut versions = VersionsOf::new(self.bucket(), key);
        while let Some(version) = versions.next().await? {
            if is_it(&version) {
                return Ok(match version {
                    ListedVersion::Object(object) => Some(object),
                    ListedVersion::DeleteMarker { .. } => None,
                });
            }
        }
        Ok(None)
    }

    fn bucket(&self) -> &'a S {
        match self {
            Self::Bucket(bucket) | Self::AsOf(bucket, _) => bucket,
        }
    }
}

impl<S: SourceBucket> BucketListing for SourceListing<'_, S> {
    async fn list_page(&self, request: &ListRequest) -> Result<ObjectPage, CallFault> {
        match self {
            Self::Bucket(bucket) => bucket.list_page(request).await,
            Self::AsOf(bucket, instant) => list_instant(*bucket, *instant, request).await,
        }
    }

    async fn first_object(&self, request: &ListRequest) -> Result<Option<ListedObject>, CallFault> {
        let Self::AsOf(bucket, instant) = self else {
            return self.bucket().first_object(request).await;
        };
        let mut request = request.clone();
        loop {
            let page = list_instant(*bucket, *instant, &request).await?;
            let through = page.last_key().filter(|_| page.is_truncated).cloned();
            let first = page.objects.into_iter().next();
            if first.is_some() || through.is_none() {
                return Ok(first);
            }
            request.after = through;
        }
    }

    async fn object(&self, key: &ObjectKey) -> Result<Option<ListedObject>, CallFault> {
        let Self::AsOf(bucket, instant) = self else {
            return self.bucket().object(key).await;
        };
        let mut state = InstantState::new(*instant);
        let mut versions = VersionsOf::new(*bucket, key);
        while let Some(version) = versions.next().await? {
            let object = state
                .take(version)
                .map_err(|overwritten| unknown(&overwritten))?;
            if object.is_some() || state.is_decided() {
                return Ok(object);
            }
        }
        Ok(None)
    }

    async fn next_key(&self, request: &ListRequest) -> Result<Option<ObjectKey>, CallFault> {
        let Self::AsOf(bucket, _) = self else {
            return self.bucket().next_key(request).await;
        };
        let page = list_versions(*bucket, request, Some(1)).await?;
        Ok(page.versions.first().map(|version| version.key().clone()))
    }
}

/// The objects of an instant, as one page of versions shows them: all keys up to the last one of which the page shows what
/// stood there. A key with more versions than a page has is followed to its end.
async fn list_instant<S: SourceBucket>(
    bucket: &S,
    instant: Timestamp,
    request: &ListRequest,
) -> Result<ObjectPage, CallFault> {
    let mut state = InstantState::new(instant);
    let (mut objects, mut passed) = (Vec::new(), None);
    let mut page = list_versions(bucket, request, None).await?;
    loop {
        let end = page.end();
        for version in page.versions {
            if state.key() != Some(version.key()) {
                // None of the key before is left.
                passed = state.key().cloned();
            }
            objects.extend(
                state
                    .take(version)
                    .map_err(|overwritten| unknown(&overwritten))?,
            );
        }
        if state.is_decided() {
            passed = state.key().cloned();
        }
        if !page.is_truncated || passed.is_some() {
            return Ok(ObjectPage {
                objects,
                listed_through: passed.filter(|_| page.is_truncated),
                is_truncated: page.is_truncated,
            });
        }
        let next = VersionRequest {
            prefix: request.prefix.clone(),
            after: end,
            versions_max: None,
        };
        page = checked_page(bucket, &next).await?;
    }
}

async fn list_versions<S: SourceBucket>(
    bucket: &S,
    request: &ListRequest,
    versions_max: Option<u16>,
) -> Result<VersionPage, CallFault> {
    let after = request.after.clone();
    let request = VersionRequest {
        prefix: request.prefix.clone(),
        after: after.map(|key| VersionMarker {
            key,
            version_id: None,
        }),
        versions_max,
    };
    checked_page(bucket, &request).await
}

/// One page. Adapters check what they read, and a plan does once more (P11).
async fn checked_page<S: SourceBucket>(
    bucket: &S,
    request: &VersionRequest,
) -> Result<VersionPage, CallFault> {
    let page = bucket.list_versions(request).await?;
    let malformed = |problem: PageProblem| {
        CallFault::new(OPERATION, FaultKind::MalformedResponse, problem.to_string())
    };
    page.check(request).map_err(malformed)?;
    Ok(page)
}

/// What nobody can know is a refusal of the run, and not of a call.
fn unknown(overwritten: &OverwrittenInPlace) -> CallFault {
    CallFault::new(OPERATION, FaultKind::Unknowable, overwritten.to_string())
}

/// The versions of one key, the newest first.
struct VersionsOf<'a, S> {
    bucket: &'a S,
    key: &'a ObjectKey,
    page: std::vec::IntoIter<ListedVersion>,
    /// The next request, unless everything is listed.
    next: Option<VersionRequest>,
}

impl<'a, S: SourceBucket> VersionsOf<'a, S> {
    fn new(bucket: &'a S, key: &'a ObjectKey) -> Self {
        let prefix = KeyPrefix::new(key.as_str()).ok();
        Self {
            bucket,
            key,
            page: Vec::new().into_iter(),
            // A key is a prefix, too, and comes before every longer one.
            next: prefix.map(|prefix| VersionRequest {
                prefix,
                after: None,
                versions_max: Some(VERSIONS_OF_A_KEY),
            }),
        }
    }

    async fn next(&mut self) -> Result<Option<ListedVersion>, CallFault> {
        loop {
            if let Some(version) = self.page.next() {
                return Ok(Some(version).filter(|version| version.key() == self.key));
            }
            let Some(request) = self.next.take() else {
                return Ok(None);
            };
            let page = checked_page(self.bucket, &request).await?;
            if page.is_truncated {
                self.next = Some(VersionRequest {
                    after: page.end(),
                    versions_max: None,
                    ..request
                });
            }
            self.page = page.versions.into_iter();
        }
    }
}

#[cfg(test)]
mod tests;
