//! ListParts and ListMultipartUploads.

use aws_sdk_s3::types::{EncodingType, Part};

use crate::backend::{Backend, Claim, OWNER};
use crate::refused;
use crate::upload::create;

#[tokio::test]
async fn parts_are_listed_page_by_page() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let upload = create(&client, &bucket, |create| create).await;
    for number in 1..=5 {
        upload.put(number, 3).await;
    }
    let list = || {
        client
            .list_parts()
            .bucket(&bucket)
            .key("t")
            .upload_id(&upload.id)
    };
    let first = list().max_parts(2).send().await.expect("a page");
    assert_eq!(
        (first.is_truncated(), first.next_part_number_marker()),
        (Some(true), Some("2"))
    );
    let rest = list().part_number_marker("2").send().await.expect("a page");
    let numbers: Vec<_> = rest.parts().iter().filter_map(Part::part_number).collect();
    assert_eq!((numbers, rest.is_truncated()), (vec![3, 4, 5], Some(false)));
    refused!(list().upload_id("made-up"), 404, "NoSuchUpload");
}

/// Facts 95 and 99.
#[tokio::test]
async fn uploads_are_listed_page_by_page_and_rolled_up() {
    let Some(backend) = Backend::open(Claim::ModelOnly("lists them all, unencoded")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    for key in ["a", "b/1", "b/2", "c d"] {
        client
            .create_multipart_upload()
            .bucket(&bucket)
            .key(key)
            .send()
            .await
            .expect("an upload");
    }
    let list = || {
        client
            .list_multipart_uploads()
            .bucket(&bucket)
            .encoding_type(EncodingType::Url)
    };
    let (mut keys, mut marker, mut id) = (Vec::new(), String::new(), String::new());
    for _ in 0..4 {
        let request = list()
            .delimiter("/")
            .max_uploads(1)
            .key_marker(&marker)
            .upload_id_marker(&id);
        let page = request.send().await.expect("a page");
        let uploads = page.uploads().iter().filter_map(|upload| upload.key());
        let prefixes = page.common_prefixes().iter();
        let prefixes = prefixes.filter_map(|common| common.prefix());
        let entries: Vec<_> = uploads.chain(prefixes).map(str::to_owned).collect();
        marker = page.next_key_marker().unwrap_or("").to_owned();
        id = page.next_upload_id_marker().unwrap_or("").to_owned();
        if page.is_truncated() == Some(true) && marker.is_empty() {
            // The page ends on a common prefix: the client has to name it itself.
            marker.clone_from(&entries[0]);
        }
        keys.extend(entries);
        if page.is_truncated() != Some(true) {
            break;
        }
    }
    assert_eq!(keys, ["a", "b/", "c+d"]);
    let whole = list().prefix("b/").send().await.expect("a page");
    assert_eq!(
        (whole.uploads().len(), whole.encoding_type()),
        (2, Some(&EncodingType::Url))
    );
}
