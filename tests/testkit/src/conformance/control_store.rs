use shardlift_core::port::ControlStore;

/// What every control store does. `folder` is one that nobody else uses, with its trailing slash.
pub async fn control_store_keeps_its_promises(store: &impl ControlStore, folder: &str) {
    let key = format!("{folder}manifests/1-0.jsonl.zst");
    assert_eq!(store.get(&key).await, Ok(None), "absent is no fault");
    let bytes: Vec<u8> = (0..=255_u8).cycle().take(300_000).collect();
    for body in [bytes, Vec::new(), b"shorter than before".to_vec()] {
        for _ in 0..2 {
            let written = store.put(&key, "application/zstd", body.clone()).await;
            assert_eq!(written, Ok(()), "a repeated write is the same write");
            assert_eq!(store.get(&key).await, Ok(Some(body.clone())));
        }
    }
    assert_eq!(store.get(folder).await, Ok(None), "a folder is no object");
}
