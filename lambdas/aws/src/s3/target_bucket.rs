use aws_sdk_s3::Client;
use shardlift_core::{
    copy::part_layout::Part,
    failure::fault::CallFault,
    port::{
        BucketListing, CopyOptions, CopyReceipt, CopySource, CreatedUpload, ListRequest, NewObject,
        ObjectAttributes, ObjectBytes, ObjectPage, ObjectRef, ObjectToDelete, PartReceipt, Probe,
        TagSet, TargetBucket, UploadSpec,
    },
    run::record::BucketFacts,
    value::{
        id::UploadId,
        key::{KeyPrefix, ObjectKey},
        object::ListedObject,
        tally::RequestCounts,
    },
};

use super::{
    abort_multipart_upload::abort_multipart_upload,
    complete_multipart_upload::complete_multipart_upload,
    copy_object::copy_object,
    create_multipart_upload::create_multipart_upload,
    delete_object::probe_delete_object,
    delete_objects::delete_objects,
    get_object::{probe_get_object, read_object},
    get_object_tagging::get_object_tagging,
    head_object::head_object,
    list_multipart_uploads::list_multipart_uploads,
    list_object_annotations::has_annotations,
    list_objects_v2::{first_object, list_page},
    list_parts::list_parts,
    owned_bucket::BucketPair,
    put_object::put_object,
    put_object_tagging::put_object_tagging,
    upload_part_copy::upload_part_copy,
};
use crate::request_counter::RequestCounter;

/// The clients of a target bucket, all with the credentials of the target role.
#[derive(Debug, Clone)]
pub(crate) struct TargetClients {
    /// Reads the target, in its Region.
    pub(crate) target_reads: Client,
    /// Lists the target, in its Region.
    pub(crate) target_listings: Client,
    /// Reads the source, in its Region.
    pub(crate) source_reads: Client,
    /// Writes the target, in its Region: S3 takes a copy request where the copy is written.
    pub(crate) writes: Client,
    /// Counts the requests of all of them.
    pub(crate) counter: RequestCounter,
}

/// The target bucket and the source's objects, through the target role.
#[derive(Debug, Clone)]
pub struct AwsTargetBucket {
    clients: TargetClients,
    buckets: BucketPair,
}

impl AwsTargetBucket {
    pub(crate) fn new(clients: TargetClients, buckets: BucketPair) -> Self {
        Self { clients, buckets }
    }
}

impl BucketListing for AwsTargetBucket {
    async fn list_page(&self, request: &ListRequest) -> Result<ObjectPage, CallFault> {
        list_page(&self.clients.target_listings, &self.buckets.target, request).await
    }

    async fn first_object(&self, request: &ListRequest) -> Result<Option<ListedObject>, CallFault> {
        first_object(&self.clients.target_listings, &self.buckets.target, request).await
    }
}

impl ObjectBytes for AwsTargetBucket {
    async fn read_source(&self, source: &CopySource, bytes_max: u64) -> Result<Vec<u8>, CallFault> {
        let (client, bucket) = (&self.clients.source_reads, &self.buckets.source);
        Box::pin(read_object(client, bucket, source, bytes_max)).await
    }

    async fn put_object(&self, object: &NewObject, bytes: &[u8]) -> Result<CopyReceipt, CallFault> {
        let (client, bucket) = (&self.clients.writes, &self.buckets.target);
        Box::pin(put_object(client, bucket, object, bytes)).await
    }
}

impl TargetBucket for AwsTargetBucket {
    fn facts(&self) -> &BucketFacts {
        &self.buckets.target.facts
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
        let (client, buckets) = (&self.clients.writes, &self.buckets);
        // Boxed because hundreds of copies wait for their permit, and the SDK's 20 KB are needed only after that.
        Box::pin(copy_object(client, buckets, source, target_key, options)).await
    }

    async fn head_source(&self, object: ObjectRef<'_>) -> Result<ObjectAttributes, CallFault> {
        head_object(&self.clients.source_reads, &self.buckets.source, object).await
    }

    async fn source_tags(&self, object: ObjectRef<'_>) -> Result<TagSet, CallFault> {
        get_object_tagging(&self.clients.source_reads, &self.buckets.source, object).await
    }

    async fn has_annotations(&self, object: ObjectRef<'_>) -> Result<bool, CallFault> {
        has_annotations(&self.clients.source_reads, &self.buckets.source, object).await
    }

    async fn head_target(&self, key: &ObjectKey) -> Result<ObjectAttributes, CallFault> {
        head_object(&self.clients.target_reads, &self.buckets.target, key.into()).await
    }

    async fn probe(&self, probe: Probe<'_>) -> Result<(), CallFault> {
        let (clients, buckets) = (&self.clients, &self.buckets);
        match probe {
            Probe::ReadSource(object) => {
                probe_get_object(&clients.source_reads, &buckets.source, object).await
            }
            Probe::DeleteTarget(key) => {
                probe_delete_object(&clients.target_reads, &buckets.target, key).await
            }
        }
    }

    async fn put_target_tags(&self, key: &ObjectKey, tags: &TagSet) -> Result<(), CallFault> {
        let (client, bucket) = (&self.clients.writes, &self.buckets.target);
        put_object_tagging(client, bucket, key, tags).await
    }

    async fn delete_objects(
        &self,
        objects: &[ObjectToDelete],
    ) -> Result<Vec<Result<(), CallFault>>, CallFault> {
        delete_objects(&self.clients.writes, &self.buckets.target, objects).await
    }

    async fn create_upload(&self, upload: &UploadSpec) -> Result<CreatedUpload, CallFault> {
        create_multipart_upload(&self.clients.writes, &self.buckets.target, upload).await
    }

    async fn copy_part(
        &self,
        source: &CopySource,
        target_key: &ObjectKey,
        upload_id: &UploadId,
        part: &Part,
    ) -> Result<PartReceipt, CallFault> {
        let (client, buckets) = (&self.clients.writes, &self.buckets);
        upload_part_copy(client, buckets, source, target_key, upload_id, part).await
    }

    async fn list_parts(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
    ) -> Result<Vec<PartReceipt>, CallFault> {
        let (client, bucket) = (&self.clients.target_reads, &self.buckets.target);
        list_parts(client, bucket, target_key, upload_id).await
    }

    async fn complete_upload(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
        parts: &[PartReceipt],
        size_bytes: u64,
    ) -> Result<CopyReceipt, CallFault> {
        let (client, bucket) = (&self.clients.writes, &self.buckets.target);
        complete_multipart_upload(client, bucket, target_key, upload_id, parts, size_bytes).await
    }

    async fn abort_upload(
        &self,
        target_key: &ObjectKey,
        upload_id: &UploadId,
    ) -> Result<(), CallFault> {
        let (client, bucket) = (&self.clients.target_reads, &self.buckets.target);
        abort_multipart_upload(client, bucket, target_key, upload_id).await
    }

    async fn list_uploads(
        &self,
        prefix: &KeyPrefix,
    ) -> Result<Vec<(ObjectKey, UploadId)>, CallFault> {
        list_multipart_uploads(&self.clients.target_reads, &self.buckets.target, prefix).await
    }
}
