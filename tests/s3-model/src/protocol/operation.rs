//! The S3 operations of the model, and how they are charged and limited.

use serde::{Deserialize, Serialize};

/// How an operation is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PriceClass {
    /// COPY, PUT, POST and LIST.
    Write,
    /// GET, HEAD and other requests at the same price.
    Read,
    /// DELETE and aborting an upload.
    Free,
}

/// Which limit of a key partition an operation draws on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RateClass {
    /// PUT, COPY, POST and DELETE: 3,500 per second.
    Write,
    /// GET, HEAD and LIST: 5,500 per second.
    Read,
    /// Bucket configuration, which partitions do not limit.
    Unlimited,
}

macro_rules! operations {
    ($($name:ident: $price:ident, $rate:ident;)+) => {
        /// An operation, under its name in S3's API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "the names are S3's own")]
        pub enum Operation { $($name),+ }

        impl Operation {
            /// Every operation, in the order of the counters.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Returns the name in S3's API.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            pub(crate) fn price(self) -> PriceClass {
                match self { $(Self::$name => PriceClass::$price),+ }
            }

            pub(crate) fn rate(self) -> RateClass {
                match self { $(Self::$name => RateClass::$rate),+ }
            }
        }
    };
}

operations! {
    AbortMultipartUpload: Free, Write;
    CompleteMultipartUpload: Write, Write;
    CopyObject: Write, Write;
    CreateBucket: Write, Unlimited;
    CreateMultipartUpload: Write, Write;
    DeleteBucket: Free, Unlimited;
    DeleteBucketPolicy: Free, Unlimited;
    DeleteObject: Free, Write;
    DeleteObjectTagging: Free, Write;
    DeleteObjects: Write, Write;
    GetBucketLocation: Read, Unlimited;
    GetBucketPolicy: Read, Unlimited;
    GetBucketVersioning: Read, Unlimited;
    GetObject: Read, Read;
    GetObjectAttributes: Read, Read;
    GetObjectTagging: Read, Read;
    HeadBucket: Read, Unlimited;
    HeadObject: Read, Read;
    ListBuckets: Write, Unlimited;
    ListMultipartUploads: Write, Read;
    ListObjectAnnotations: Write, Read;
    ListObjectVersions: Write, Read;
    ListObjects: Write, Read;
    ListObjectsV2: Write, Read;
    ListParts: Write, Read;
    PutBucketPolicy: Write, Unlimited;
    PutBucketVersioning: Write, Unlimited;
    PutObject: Write, Write;
    PutObjectAnnotation: Write, Write;
    PutObjectTagging: Write, Write;
    RestoreObject: Write, Write;
    UploadPart: Write, Write;
    UploadPartCopy: Write, Write;
}

impl Operation {
    /// Returns the index in tables with one entry per operation.
    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// Whether S3 may send status 200 with an error in the body.
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
