use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use shardlift_aws::{DynamoLedger, clients};
use shardlift_core::{failure::fault::FaultKind, port::Ledger};
use shardlift_testkit::conformance::{ledger_keeps_its_promises, run_record};

use super::stack::{config, fresh_name};

async fn ledger() -> DynamoLedger {
    let client = clients::ledger_client(&config().await);
    let table = fresh_name("ledger");
    let mut call = client
        .create_table()
        .table_name(&table)
        .billing_mode(BillingMode::PayPerRequest);
    for (name, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind);
        call = call
            .attribute_definitions(attribute.build().unwrap())
            .key_schema(key.build().unwrap());
    }
    call.send().await.unwrap();
    DynamoLedger::new(client, table)
}

#[tokio::test]
async fn the_ledger() {
    ledger_keeps_its_promises(&ledger().await, &fresh_name("run")).await;
}

#[tokio::test]
async fn a_table_that_does_not_exist_is_reported() {
    let client = clients::ledger_client(&config().await);
    let absent = DynamoLedger::new(client, "absent");
    let record = run_record("run");
    for fault in [
        absent.create_run(&record).await.unwrap_err(),
        absent.read_run(&record.run_id).await.unwrap_err(),
        absent.read_shards(&record.run_id, None).await.unwrap_err(),
    ] {
        assert_eq!(fault.kind, FaultKind::NoSuchResource, "{fault}");
    }
}
