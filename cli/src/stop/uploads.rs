//! The unfinished uploads of a run that ended without a report, which nobody else aborts (P8).

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3::{
    Client,
    operation::abort_multipart_upload::AbortMultipartUploadError,
    types::{EncodingType, MultipartUpload},
};
use percent_encoding::percent_decode_str;
use shardlift_core::{
    access::preflight,
    port::Ledger,
    run::{
        lock::LockedPrefix,
        record::{BucketFacts, RunRecord},
    },
    value::{figures::counted, key::ObjectKey, printable::Printable, time::Timestamp},
};

use crate::{
    arguments::StackArguments, connection::Connection, deployment::Deployment, error::CommandError,
    rerun::writing_now, run_end::RunEnd, shell,
};

/// The clocks of S3 and of Step Functions may differ by so much, and S3 cuts off what is less than a second.
const CLOCK_SKEW_SECONDS: i64 = 60;

/// What became of the uploads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Swept {
    /// There was none.
    Nothing,
    /// So many were aborted, and none is left.
    Aborted(u64),
    /// Some are left, or may be.
    Left {
        /// How many were aborted.
        aborted: u64,
        /// How many are left, where that is known.
        left: Option<u64>,
        /// Why, and what a person does about it.
        why: String,
    },
}

/// Aborts the uploads of a run.
///
/// An upload is the run's if its key is one that the run planned to copy, and if it was begun after the run. No other run
/// writes these keys: the lock of the target prefix keeps it away, unless it took the lock over after the stop. So the
/// uploads are listed first, and aborted only if no such run goes on then.
pub(super) async fn sweep(
    stack: &StackArguments,
    profile: Option<&str>,
    connection: &Connection,
    end: &RunEnd,
) -> Result<Swept, CommandError> {
    let Some(record) = &end.record else {
        // Before its record is written, a run writes nothing at the target.
        return Ok(Swept::Nothing);
    };
    let target = &record.spec.pair.target;
    let place = format!(
        "s3://{}/{}",
        target.bucket,
        Printable(target.prefix.as_str())
    );
    let sdk = Deployment::target_sdk(stack, profile).await?;
    let client = client(&sdk, &record.target);
    let begun = match unfinished(&client, record, end.execution.started_at).await {
        Ok(begun) => begun,
        Err(error) => {
            let why = format!(
                "Uploads below {place} may be left: {error}. With --target-profile, name a profile of the target account that \
                 may list and abort them. They cost money until they are aborted; a lifecycle rule of the bucket \
                 (AbortIncompleteMultipartUpload) does that too."
            );
            let (aborted, left) = (0, None);
            return Ok(Swept::Left { aborted, left, why });
        }
    };
    let begun = of_run(connection, record, begun).await?;
    let found: u64 = begun.values().map(|ids| ids.len() as u64).sum();
    if found == 0 {
        return Ok(Swept::Nothing);
    }
    if let Some(other) =
        writing_now(connection, &LockedPrefix::of(&record.spec.pair), &end.run).await?
    {
        let why = format!(
            "{} below {place} left alone: run {} is writing there now, and they may be its own. Try again when it has ended.",
            counted(found, "unfinished upload"),
            shell::quoted(&other)
        );
        let (aborted, left) = (0, Some(found));
        return Ok(Swept::Left { aborted, left, why });
    }
    let mut aborted = 0;
    for (key, id) in begun
        .iter()
        .flat_map(|(key, ids)| ids.iter().map(move |id| (key, id)))
    {
        if let Err(error) = abort(&client, record, key, id).await {
            let why = format!(
                "{} below {place} left: {error}. With --target-profile, name a profile of the target account that may abort them.",
                counted(found - aborted, "unfinished upload")
            );
            let left = Some(found - aborted);
            return Ok(Swept::Left { aborted, left, why });
        }
        aborted += 1;
    }
    Ok(Swept::Aborted(aborted))
}

/// Upload ids by key.
type Uploads = BTreeMap<ObjectKey, Vec<String>>;

fn client(sdk: &aws_config::SdkConfig, facts: &BucketFacts) -> Client {
    let region = aws_config::Region::new(facts.region.to_string());
    Client::from_conf(
        aws_sdk_s3::config::Builder::from(sdk)
            .region(region)
            .force_path_style(sdk.endpoint_url().is_some())
            .build(),
    )
}

/// The unfinished uploads below the target prefix that were begun after the run.
async fn unfinished(
    client: &Client,
    record: &RunRecord,
    since: Timestamp,
) -> Result<Uploads, CommandError> {
    let target = &record.spec.pair.target;
    let mut pages = client
        .list_multipart_uploads()
        .bucket(target.bucket.as_str())
        .prefix(target.prefix.as_str())
        .encoding_type(EncodingType::Url)
        .expected_bucket_owner(record.target.owner.as_str());
    let mut found = Uploads::new();
    loop {
        let page = pages
            .clone()
            .send()
            .await
            .map_err(|error| CommandError::call("s3:ListBucketMultipartUploads", &error))?;
        let is_of_now = |upload: &&MultipartUpload| {
            upload.initiated().is_none_or(|begun| {
                begun.secs().saturating_add(CLOCK_SKEW_SECONDS) >= since.as_epoch_seconds()
            })
        };
        for upload in page.uploads().iter().filter(is_of_now) {
            if let (Some(key), Some(id)) = (upload.key(), upload.upload_id())
                && let Some(key) = decoded(key)
            {
                found.entry(key).or_default().push(id.to_owned());
            }
        }
        if page.is_truncated() != Some(true) || page.next_key_marker().is_none() {
            return Ok(found);
        }
        pages = pages
            .set_key_marker(page.next_key_marker.as_deref().map(plain))
            .set_upload_id_marker(page.next_upload_id_marker);
    }
}

/// A key as S3 encodes it in this listing, with `+` for a space; nothing for what is no key, so not one of the run.
fn decoded(encoded: &str) -> Option<ObjectKey> {
    let spaced = encoded.replace('+', " ");
    let text = percent_decode_str(&spaced).decode_utf8().ok()?;
    ObjectKey::new(text.into_owned()).ok()
}

/// A marker as S3 takes it.
fn plain(encoded: &str) -> String {
    let key = decoded(encoded);
    key.map_or_else(|| encoded.to_owned(), |key| key.as_str().to_owned())
}

/// Those whose keys the run planned to copy, and the upload of its permission checks.
async fn of_run(
    connection: &Connection,
    record: &RunRecord,
    mut begun: Uploads,
) -> Result<Uploads, CommandError> {
    let pair = &record.spec.pair;
    let mut own = BTreeSet::new();
    own.extend(
        pair.target
            .prefix
            .join(&preflight::probe_name(&record.run_id)),
    );
    let mut shards = connection.ledger.shards(&record.run_id);
    while own.len() <= begun.len()
        && let Some(shard) = shards.next().await?
    {
        if !shard.work.copies_manifest() {
            continue;
        }
        let documents = connection.documents(&record.run_id);
        let manifest = documents.manifest(&shard.shard_id).await?;
        let keys = manifest.objects.iter();
        let keys = keys.filter_map(|object| pair.target_key(&object.key)?.ok());
        own.extend(keys.filter(|key| begun.contains_key(key)));
    }
    begun.retain(|key, _ids| own.contains(key));
    Ok(begun)
}

async fn abort(
    client: &Client,
    record: &RunRecord,
    key: &ObjectKey,
    id: &str,
) -> Result<(), CommandError> {
    let aborted = client
        .abort_multipart_upload()
        .bucket(record.spec.pair.target.bucket.as_str())
        .key(key.as_str())
        .upload_id(id)
        .expected_bucket_owner(record.target.owner.as_str())
        .send()
        .await;
    match aborted {
        Ok(_) => Ok(()),
        // A copier that ended meanwhile completed it, or aborted it itself.
        Err(error)
            if error
                .as_service_error()
                .is_some_and(AbortMultipartUploadError::is_no_such_upload) =>
        {
            Ok(())
        }
        Err(error) => Err(CommandError::call("s3:AbortMultipartUpload", &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_listing_are_read_as_s3_encodes_them() {
        assert_eq!(decoded("a+b%2Bc%E2%82%AC").unwrap().as_str(), "a b+c€");
        assert_eq!(decoded("%ff"), None);
        assert_eq!(plain("x%2By"), "x+y");
    }
}
