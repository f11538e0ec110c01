//! Which handler gets which operation.

use super::annotations::list_object_annotations::list_object_annotations;
use super::annotations::put_object_annotation::put_object_annotation;
use super::buckets::bucket_policy::{delete_bucket_policy, get_bucket_policy, put_bucket_policy};
use super::buckets::bucket_versioning::{get_bucket_versioning, put_bucket_versioning};
use super::buckets::create_bucket::create_bucket;
use super::buckets::delete_bucket::delete_bucket;
use super::buckets::get_bucket_location::get_bucket_location;
use super::buckets::head_bucket::head_bucket;
use super::buckets::list_buckets::list_buckets;
use super::listing::list_object_versions::list_object_versions;
use super::listing::list_objects::list_objects;
use super::listing::list_objects_v2::list_objects_v2;
use super::multipart::abort_multipart_upload::abort_multipart_upload;
use super::multipart::complete_multipart_upload::complete_multipart_upload;
use super::multipart::create_multipart_upload::create_multipart_upload;
use super::multipart::list_multipart_uploads::list_multipart_uploads;
use super::multipart::list_parts::list_parts;
use super::multipart::upload_part::upload_part;
use super::multipart::upload_part_copy::upload_part_copy;
use super::objects::copy_object::copy_object;
use super::objects::delete_object::delete_object;
use super::objects::delete_objects::delete_objects;
use super::objects::get_object::get_object;
use super::objects::get_object_attributes::get_object_attributes;
use super::objects::put_object::put_object;
use super::objects::restore_object::restore_object;
use super::request::Request;
use super::tagging::object_tagging::{
    delete_object_tagging, get_object_tagging, put_object_tagging,
};
use crate::protocol::error::S3Error;
use crate::protocol::operation::Operation;
use crate::protocol::response::Response;
use crate::state::ServerState;

/// Carries a request out.
pub(crate) fn dispatch(server: &ServerState, request: &Request<'_>) -> Result<Response, S3Error> {
    let handler = match request.operation {
        Operation::AbortMultipartUpload => abort_multipart_upload,
        Operation::CompleteMultipartUpload => complete_multipart_upload,
        Operation::CopyObject => copy_object,
        Operation::CreateBucket => create_bucket,
        Operation::CreateMultipartUpload => create_multipart_upload,
        Operation::DeleteBucket => delete_bucket,
        Operation::DeleteBucketPolicy => delete_bucket_policy,
        Operation::DeleteObject => delete_object,
        Operation::DeleteObjectTagging => delete_object_tagging,
        Operation::DeleteObjects => delete_objects,
        Operation::GetBucketLocation => get_bucket_location,
        Operation::GetBucketPolicy => get_bucket_policy,
        Operation::GetBucketVersioning => get_bucket_versioning,
        Operation::GetObject | Operation::HeadObject => get_object,
        Operation::GetObjectAttributes => get_object_attributes,
        Operation::GetObjectTagging => get_object_tagging,
        Operation::HeadBucket => head_bucket,
        Operation::ListBuckets => list_buckets,
        Operation::ListMultipartUploads => list_multipart_uploads,
        Operation::ListObjectAnnotations => list_object_annotations,
        Operation::ListObjectVersions => list_object_versions,
        Operation::ListObjects => list_objects,
        Operation::ListObjectsV2 => list_objects_v2,
        Operation::ListParts => list_parts,
        Operation::PutBucketPolicy => put_bucket_policy,
        Operation::PutBucketVersioning => put_bucket_versioning,
        Operation::PutObject => put_object,
        Operation::PutObjectAnnotation => put_object_annotation,
        Operation::PutObjectTagging => put_object_tagging,
        Operation::RestoreObject => restore_object,
        Operation::UploadPart => upload_part,
        Operation::UploadPartCopy => upload_part_copy,
    };
    handler(server, request)
}
