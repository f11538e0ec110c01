use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{FileVersion, ListFiles},
    value::bucket::BucketName,
};

/// What the files of lists do. `write` puts a file under a key of the bucket.
pub async fn list_files_keep_their_promises(
    files: &impl ListFiles,
    bucket: &BucketName,
    write: impl AsyncFn(String, Vec<u8>),
) {
    let key = "lists/a b+c%.csv";
    assert_eq!(
        files.find(bucket, key).await,
        Ok(None),
        "absent is no fault"
    );
    let body: Vec<u8> = (0..=255_u8).cycle().take(3_000).collect();
    write(key.to_owned(), body.clone()).await;
    let version = found(files.find(bucket, key).await);
    assert_eq!(version.size_bytes, 3_000);
    for (range, expected) in [
        (0..3_000, &body[..]),
        (0..1, &body[..1]),
        (255..257, &body[255..257]),
        (2_999..3_000, &body[2_999..]),
    ] {
        let read = files.read(bucket, key, &version, range.clone()).await;
        assert_eq!(read, Ok(expected.to_vec()), "{range:?}");
    }
    write(key.to_owned(), b"another one".to_vec()).await;
    let stale = files.read(bucket, key, &version, 0..5).await;
    assert_eq!(
        stale.map_err(|fault| fault.kind),
        Err(FaultKind::ConditionFailed)
    );
    write(key.to_owned(), Vec::new()).await;
    let empty = found(files.find(bucket, key).await);
    assert_eq!(empty.size_bytes, 0);
}

fn found(answer: Result<Option<FileVersion>, CallFault>) -> FileVersion {
    answer.expect("no fault").expect("the file is there")
}
