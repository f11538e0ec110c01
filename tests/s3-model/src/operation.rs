//! The operations of S3 that the model answers, and how they are counted and charged.

use serde::{Deserialize, Serialize};

/// How an operation is charged and limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PriceClass {
    /// COPY, PUT, POST and LIST.
    Write,
    /// GET, HEAD and what is charged like them.
    Read,
    /// DELETE and aborting.
    Free,
}

macro_rules! operations {
    ($($name:ident: $price:ident, $rate:ident;)+) => {
        /// An operation, under its name in S3's API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "the names are S3's own")]
        pub enum Operation { $($name),+ }

        impl Operation {
            /// Every operation, in the order of the counters.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The name in S3's API.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            pub(crate) fn price(self) -> PriceClass {
                match self { $(Self::$name => PriceClass::$price),+ }
            }

            /// Which of a partition's two limits the operation draws on.
            pub(crate) fn rate(self) -> RateClass {
                match self { $(Self::$name => RateClass::$rate),+ }
            }
        }
    };
}

/// Which limit of a key partition an operation draws on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RateClass {
    /// 3,500 PUT, COPY, POST and DELETE a second.
    Change,
    /// 5,500 GET, HEAD and LIST a second.
    Look,
    /// Bucket configuration, which partitions do not limit.
    Aside,
}

operations! {
    AbortMultipartUpload: Free, Change;
    CompleteMultipartUpload: Write, Change;
    CopyObject: Write, Change;
    CreateBucket: Write, Aside;
    CreateMultipartUpload: Write, Change;
    DeleteBucket: Free, Aside;
    DeleteBucketPolicy: Free, Aside;
    DeleteObject: Free, Change;
    DeleteObjectTagging: Free, Change;
    DeleteObjects: Write, Change;
    GetBucketLocation: Read, Aside;
    GetBucketPolicy: Read, Aside;
    GetBucketVersioning: Read, Aside;
    GetObject: Read, Look;
    GetObjectAttributes: Read, Look;
    GetObjectTagging: Read, Look;
    HeadBucket: Read, Aside;
    HeadObject: Read, Look;
    ListBuckets: Write, Aside;
    ListMultipartUploads: Write, Look;
    ListObjectAnnotations: Write, Look;
    ListObjectVersions: Write, Look;
    ListObjects: Write, Look;
    ListObjectsV2: Write, Look;
    ListParts: Write, Look;
    PutBucketPolicy: Write, Aside;
    PutBucketVersioning: Write, Aside;
    PutObject: Write, Change;
    PutObjectAnnotation: Write, Change;
    PutObjectTagging: Write, Change;
    RestoreObject: Write, Change;
    UploadPart: Write, Change;
    UploadPartCopy: Write, Change;
}

impl Operation {
    /// The place in tables that hold one entry per operation.
    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// Whether S3 may answer 200 and put an error into the body.
    pub(crate) fn can_fail_in_200(self) -> bool {
        matches!(
            self,
            Self::CopyObject
                | Self::UploadPartCopy
                | Self::CompleteMultipartUpload
                | Self::DeleteObjects
        )
    }
}
