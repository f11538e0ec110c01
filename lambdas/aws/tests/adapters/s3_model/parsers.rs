//! Our parser of listings and the SDK's agree on any keys.

use aws_sdk_s3::types::EncodingType;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use shardlift_aws::AwsAccounts;
use shardlift_core::{
    port::{Accounts, BucketListing, ListRequest},
    value::key::{KeyPrefix, ObjectKey},
};
use shardlift_s3_model::{BucketSpec, Model, ObjectSpec};
use shardlift_testkit::key_strategies::any_key;

use super::{
    local_sts::LocalSts,
    world::{OWN_ACCOUNT, config, source},
};

/// Key, size, ETag without quotes, and time in milliseconds.
type Line = (String, u64, String, i64);

async fn by_the_sdk(client: &aws_sdk_s3::Client) -> Vec<Line> {
    let response = client
        .list_objects_v2()
        .bucket("source-bucket")
        .encoding_type(EncodingType::Url)
        .send()
        .await
        .unwrap();
    let lines = response.contents().iter().map(|object| {
        let encoded = object.key().unwrap().replace('+', " ");
        let key = percent_encoding::percent_decode_str(&encoded);
        (
            key.decode_utf8().unwrap().into_owned(),
            u64::try_from(object.size().unwrap()).unwrap(),
            object.e_tag().unwrap().trim_matches('"').to_owned(),
            object.last_modified().unwrap().to_millis().unwrap(),
        )
    });
    lines.collect()
}

async fn by_our_own(listing: &impl BucketListing) -> Vec<Line> {
    let request = ListRequest {
        prefix: KeyPrefix::default(),
        after: None,
    };
    let page = listing.list_page(&request).await.unwrap();
    let lines = page.objects.into_iter().map(|object| {
        (
            object.key.into(),
            object.size_bytes,
            object.etag.into(),
            object.modified_at.as_millis(),
        )
    });
    lines.collect()
}

#[test]
fn both_parsers_agree_on_any_keys() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let model = Model::builder().build().unwrap();
    let server = runtime.block_on(model.start()).unwrap();
    let sts = LocalSts::default();
    let sdk_config = runtime.block_on(config(&sts));
    let accounts = AwsAccounts::new(&sdk_config, Some(server.endpoint_url()));
    let sdk = aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::config::Builder::from(&sdk_config)
            .endpoint_url(server.endpoint_url())
            .force_path_style(true)
            .build(),
    );
    let keys = prop::collection::btree_set(any_key(), 0..40);
    let mut runner = TestRunner::new(Config {
        cases: 64,
        failure_persistence: None,
        ..Config::default()
    });
    let agreed = runner.run(&keys, |keys| {
        let bucket = BucketSpec::new("source-bucket").owner(OWN_ACCOUNT);
        model.create_bucket(bucket).unwrap();
        let view = model.bucket("source-bucket").unwrap();
        for (size, key) in (0..).zip(&keys) {
            prop_assert!(ObjectKey::new(key.as_str()).is_ok());
            view.put(key, ObjectSpec::synthetic(size, size));
        }
        let (theirs, ours) = runtime.block_on(async {
            let listing = accounts.open_source(&source()).await.unwrap();
            (by_the_sdk(&sdk).await, by_our_own(&listing).await)
        });
        let listed: Vec<&String> = ours.iter().map(|line| &line.0).collect();
        prop_assert_eq!(listed, keys.iter().collect::<Vec<_>>());
        prop_assert_eq!(ours, theirs);
        Ok(())
    });
    agreed.unwrap();
}
