use aws_sdk_s3::{
    Client,
    types::{AnnotationDirective, ServerSideEncryption, StorageClass, TaggingDirective},
};
use shardlift_core::{
    copy::part_layout::Part,
    failure::fault::CallFault,
    port::{
        BucketListing, CopyOptions, CopyReceipt, CopySource, CreatedUpload, ListRequest,
        ObjectAttributes, ObjectPage, ObjectToDelete, PartReceipt, Probe, TagSet, TargetBucket,
        UploadSpec,
    },
    run::record::BucketFacts,
    value::{
        bucket::BucketName,
        id::UploadId,
        key::{KeyPrefix, ObjectKey},
        object::ListedObject,
        tally::RequestCounts,
    },
};

use super::{
    checksums::{checksum_type, checksums_of},
    copy_source::copy_source,
    listing::{first_object, list_page, unquoted_etag},
    object_attributes::head_object,
    spoken_key::spoken,
    tagging::tagging_header,
};
use crate::{
    fault_mapping::{bad_answer, call_fault},
    request_counter::RequestCounter,
};

const COPY_OBJECT: &str = "s3:CopyObject";
const GET_TAGS: &str = "s3:GetObjectTagging";
const LIST_ANNOTATIONS: &str = "s3:ListObjectAnnotations";

/// The clients of a target handle, all with the credentials of the target role.
#[derive(Debug, Clone)]
pub(crate) struct TargetClients {
    /// Reads, in the target bucket's Region.
    pub(crate) asking_target: Client,
    /// Listings, in the target bucket's Region.
    pub(crate) listing: Client,
    /// Reads, in the source bucket's Region.
    pub(crate) asking_source: Client,
    /// Copies: a copy is sent to the target bucket's Region.
    pub(crate) copying: Client,
    /// What all of them sent.
    pub(crate) counter: RequestCounter,
}

/// The target bucket and the source's objects, through the target role.
#[derive(Debug, Clone)]
pub struct AwsTargetBucket {
    pub(super) clients: TargetClients,
    pub(super) bucket: BucketName,
    pub(super) facts: BucketFacts,
    pub(super) source_bucket: BucketName,
    pub(super) source_facts: BucketFacts,
}

impl AwsTargetBucket {
    pub(crate) fn new(
        clients: TargetClients,
        (bucket, facts): (BucketName, BucketFacts),
        (source_bucket, source_facts): (BucketName, BucketFacts),
    ) -> Self {
        Self {
            clients,
            bucket,
            facts,
            source_bucket,
            source_facts,
        }
    }

    async fn copy(
        &self,
        source: &CopySource,
        target_key: &ObjectKey,
        options: &CopyOptions,
    ) -> Result<CopyReceipt, CallFault> {
        let mut call = self
            .clients
            .copying
            .copy_object()
            .bucket(self.bucket.as_str())
            .key(spoken(target_key))
            .copy_source(copy_source(&self.source_bucket, &source.key))
            .copy_source_if_match(quoted(source.etag.as_str()))
            .expected_bucket_owner(self.facts.owner.as_str())
            .expected_source_bucket_owner(self.source_facts.owner.as_str())
            .set_storage_class(
                options
                    .storage_class
                    .map(|class| StorageClass::from(class.name())),
            );
        if let Some(key) = &options.kms_key_arn {
            call = call
                .server_side_encryption(ServerSideEncryption::AwsKms)
                .ssekms_key_id(key.as_str());
        }
        if let Some(tags) = &options.tags {
            call = call
                .tagging_directive(TaggingDirective::Replace)
                .annotation_directive(AnnotationDirective::Exclude)
                .set_tagging(tagging_header(tags));
        }
        let answer = call
            .send()
            .await
            .map_err(|error| call_fault(COPY_OBJECT, &error))?;
        let result = answer
            .copy_object_result()
            .ok_or_else(|| bad_answer(COPY_OBJECT, "the answer has no result"))?;
        Ok(CopyReceipt {
            etag: unquoted_etag(COPY_OBJECT, result.e_tag())?,
            version_id: answer.version_id().map(str::to_owned),
            checksums: checksums_of!(result),
            checksum_type: checksum_type(result.checksum_type()),
        })
    }
}

impl BucketListing for AwsTargetBucket {
    async fn list_page(&self, request: &ListRequest) -> Result<ObjectPage, CallFault> {
        list_page(
            &self.clients.listing,
            &self.bucket,
            &self.facts.owner,
            request,
        )
        .await
    }

    async fn first_object(&self, request: &ListRequest) -> Result<Option<ListedObject>, CallFault> {
        first_object(
            &self.clients.listing,
            &self.bucket,
            &self.facts.owner,
            request,
        )
        .await
    }
}

impl TargetBucket for AwsTargetBucket {
    fn facts(&self) -> &BucketFacts {
        &self.facts
    }

    fn requests(&self) -> RequestCounts {
        self.clients.counter.counts()
    }

    async fn copy_object(
        &self,
        source: &CopySource,
        target_key: &ObjectKey,
        options: &CopyOptions,
    ) -> Result<CopyReceipt, CallFault> {
        // Boxed: hundreds of copies wait for their turn, and 20 KB of SDK are needed only once it has come.
        Box::pin(self.copy(source, target_key, options)).await
    }

    async fn head_source(&self, key: &ObjectKey) -> Result<ObjectAttributes, CallFault> {
        let client = &self.clients.asking_source;
        head_object(client, &self.source_bucket, &self.source_facts.owner, key).await
    }

    async fn source_tags(&self, key: &ObjectKey) -> Result<TagSet, CallFault> {
        let answer = self
            .clients
            .asking_source
            .get_object_tagging()
            .bucket(self.source_bucket.as_str())
            .key(spoken(key))
            .expected_bucket_owner(self.source_facts.owner.as_str())
            .send()
            .await
            .map_err(|error| call_fault(GET_TAGS, &error))?;
        Ok(answer
            .tag_set()
            .iter()
            .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
            .collect())
    }

    async fn has_annotations(&self, key: &ObjectKey) -> Result<bool, CallFault> {
        let answer = self
            .clients
            .asking_source
            .list_object_annotations()
            .bucket(self.source_bucket.as_str())
            .key(spoken(key))
            .max_annotation_results(1)
            .expected_bucket_owner(self.source_facts.owner.as_str())
            .send()
            .await
            .map_err(|error| call_fault(LIST_ANNOTATIONS, &error))?;
        Ok(!answer.annotations().is_empty())
    }

    async fn head_target(&self, key: &ObjectKey) -> Result<ObjectAttributes, CallFault> {
        let client = &self.clients.asking_target;
        head_object(client, &self.bucket, &self.facts.owner, key).await
    }

    async fn probe(&self, probe: Probe<'_>) -> Result<(), CallFault> {
        self.ask(probe).await
    }

    async fn delete_objects(
        &self,
        objects: &[ObjectToDelete],
    ) -> Result<Vec<Result<(), CallFault>>, CallFault> {
        self.delete_all(objects).await
    }

    async fn create_upload(&self, upload: &UploadSpec) -> Result<CreatedUpload, CallFault> {
        self.create(upload).await
    }

    async fn copy_part(
        &self,
        source: &CopySource,
        target_key: &ObjectKey,
        upload_id: &UploadId,
        part: &Part,
    ) -> Result<PartReceipt, CallFault> {
        self.copy_one_part(source, target_key, upload_id, part)
            .await
    }

    async fn list_parts(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
    ) -> Result<Vec<PartReceipt>, CallFault> {
        self.all_parts(target_key, upload_id).await
    }

    async fn complete_upload(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
        parts: &[PartReceipt],
        size_bytes: u64,
    ) -> Result<CopyReceipt, CallFault> {
        self.complete(target_key, upload_id, parts, size_bytes)
            .await
    }

    async fn abort_upload(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
    ) -> Result<(), CallFault> {
        self.abort(target_key, upload_id).await
    }

    async fn list_uploads(
        &self,
        prefix: &KeyPrefix,
    ) -> Result<Vec<(ObjectKey, UploadId)>, CallFault> {
        self.all_uploads(prefix).await
    }
}

/// An ETag as the conditional headers take it.
pub(super) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}
