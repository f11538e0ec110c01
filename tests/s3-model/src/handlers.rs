//! Which handler answers which operation.

use crate::error::S3Error;
use crate::model::Inner;
use crate::operation::Operation;
use crate::reply::Reply;
use crate::request::Call;
use crate::{
    annotation, bucket_calls, completion, copy, delete, get, listing, multipart, multipart_listing,
    put, tagging, version_listing,
};

/// Carries a request out.
pub(crate) fn dispatch(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    match call.operation {
        Operation::GetObject | Operation::HeadObject => get::get_object(model, call),
        Operation::GetObjectAttributes => get::get_object_attributes(model, call),
        Operation::PutObject => put::put_object(model, call),
        Operation::CopyObject => copy::copy_object(model, call),
        Operation::DeleteObject => delete::delete_object(model, call),
        Operation::DeleteObjects => delete::delete_objects(model, call),
        Operation::ListObjectsV2 | Operation::ListObjects => listing::list_objects(model, call),
        Operation::ListObjectVersions => version_listing::list_object_versions(model, call),
        Operation::CreateMultipartUpload => multipart::create(model, call),
        Operation::UploadPart => multipart::upload_part(model, call),
        Operation::UploadPartCopy => multipart::upload_part_copy(model, call),
        Operation::CompleteMultipartUpload => completion::complete(model, call),
        Operation::AbortMultipartUpload => multipart::abort(model, call),
        Operation::ListParts => multipart_listing::list_parts(model, call),
        Operation::ListMultipartUploads => multipart_listing::list_multipart_uploads(model, call),
        Operation::GetObjectTagging
        | Operation::PutObjectTagging
        | Operation::DeleteObjectTagging => tagging::object_tagging(model, call),
        Operation::PutObjectAnnotation => annotation::put_object_annotation(model, call),
        Operation::ListObjectAnnotations => annotation::list_object_annotations(model, call),
        Operation::RestoreObject => bucket_calls::restore_object(model, call),
        Operation::CreateBucket => bucket_calls::create_bucket(model, call),
        Operation::DeleteBucket => bucket_calls::delete_bucket(model, call),
        Operation::HeadBucket => bucket_calls::head_bucket(model, call),
        Operation::ListBuckets => bucket_calls::list_buckets(model, call),
        Operation::GetBucketLocation => bucket_calls::get_bucket_location(model, call),
        Operation::GetBucketVersioning | Operation::PutBucketVersioning => {
            bucket_calls::bucket_versioning(model, call)
        }
        Operation::GetBucketPolicy | Operation::PutBucketPolicy | Operation::DeleteBucketPolicy => {
            bucket_calls::bucket_policy(model, call)
        }
    }
}
