use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    config::retry::RetryConfig,
    types::{AttributeValue, ConsumedCapacity, Put, ReturnConsumedCapacity, TransactWriteItem},
};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    value::tally::RequestCounts,
};

use super::{
    capacity_units::units_of,
    item::{Entry, Item, WriteMark},
    operation::{DELETE_ITEM, GET_ITEM, PUT_ITEM, QUERY, TRANSACT_WRITE_ITEMS},
    record_key::{PARTITION, RecordKey, SORT},
};
use crate::{
    fault_mapping::{call_fault, malformed_response, transaction_fault},
    request_counter::RequestCounter,
};

/// The ledger table: one method for each operation, which counts the capacity units that it consumed.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// Reads records and deletes locks; the SDK retries.
    reads: Client,
    /// Writes records with a mark; each request is sent once.
    writes: Client,
    name: String,
    counter: RequestCounter,
}

impl Table {
    pub(super) fn new(client: Client, name: String) -> Self {
        let config = client.config().to_builder();
        let sent_once = config.retry_config(RetryConfig::disabled()).build();
        Self {
            reads: client,
            writes: Client::from_conf(sent_once),
            name,
            counter: RequestCounter::default(),
        }
    }

    /// The capacity units consumed so far, by operation.
    pub(super) fn requests(&self) -> RequestCounts {
        self.counter.counts()
    }

    /// Writes one record under its condition.
    pub(super) async fn put(&self, entry: &Entry) -> Result<(), CallFault> {
        let condition = entry.condition();
        let sent = self
            .writes
            .put_item()
            .table_name(&self.name)
            .set_item(Some(entry.item.clone()))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(Some(condition.names))
            .set_expression_attribute_values(condition.values)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let response = sent.as_ref().ok();
        self.count(PUT_ITEM, response.and_then(|it| it.consumed_capacity()));
        sent.map(drop).map_err(|error| call_fault(PUT_ITEM, &error))
    }

    /// Writes all records under their conditions, or none.
    pub(super) async fn transact(
        &self,
        entries: &[Entry],
        mark: &WriteMark,
    ) -> Result<(), CallFault> {
        let mut writes = Vec::with_capacity(entries.len());
        for entry in entries {
            writes.push(
                TransactWriteItem::builder()
                    .put(self.put_of(entry)?)
                    .build(),
            );
        }
        let sent = self
            .writes
            .transact_write_items()
            .set_transact_items(Some(writes))
            .client_request_token(mark.as_str())
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let consumed = sent
            .as_ref()
            .map_or(&[][..], |response| response.consumed_capacity());
        let units = consumed.iter().map(|table| units_of(Some(table))).sum();
        // A transaction writes every record twice (prepare and commit), and is billed even if it is refused.
        let units_min = 2 * u64::try_from(entries.len()).unwrap_or(u64::MAX / 2);
        self.counter
            .add(TRANSACT_WRITE_ITEMS, std::cmp::max(units, units_min));
        sent.map(drop)
            .map_err(|error| transaction_fault(TRANSACT_WRITE_ITEMS, &error))
    }

    /// Reads one record, strongly consistent.
    pub(super) async fn get(&self, key: &RecordKey) -> Result<Option<Item>, CallFault> {
        let sent = self
            .reads
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key.attributes()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let response = sent.as_ref().ok();
        self.count(GET_ITEM, response.and_then(|it| it.consumed_capacity()));
        sent.map(|response| response.item)
            .map_err(|error| call_fault(GET_ITEM, &error))
    }

    /// Reads one page of a partition, strongly consistent: the records after the one with the sort key `after`. The
    /// second value is the sort key to continue after, if more records may follow.
    pub(super) async fn query(
        &self,
        partition: &str,
        after: Option<&str>,
    ) -> Result<(Vec<Item>, Option<String>), CallFault> {
        let start = after.map(|sort| RecordKey::new(partition, sort).attributes());
        let sent = self
            .reads
            .query()
            .table_name(&self.name)
            .key_condition_expression("#partition = :partition")
            .expression_attribute_names("#partition", PARTITION)
            .expression_attribute_values(":partition", AttributeValue::S(partition.to_owned()))
            .set_exclusive_start_key(start)
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let response = sent.as_ref().ok();
        self.count(QUERY, response.and_then(|it| it.consumed_capacity()));
        let response = sent.map_err(|error| call_fault(QUERY, &error))?;
        let last = response
            .last_evaluated_key
            .map(|key| sort_key_of(&key))
            .transpose()?;
        Ok((response.items.unwrap_or_default(), last))
    }

    /// Deletes a record if its attribute `name` has this value.
    pub(super) async fn delete_if(
        &self,
        key: &RecordKey,
        name: &str,
        value: &str,
    ) -> Result<(), CallFault> {
        let sent = self
            .reads
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key.attributes()))
            .condition_expression("#name = :value")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", AttributeValue::S(value.to_owned()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let response = sent.as_ref().ok();
        self.count(DELETE_ITEM, response.and_then(|it| it.consumed_capacity()));
        sent.map(drop)
            .map_err(|error| call_fault(DELETE_ITEM, &error))
    }

    fn put_of(&self, entry: &Entry) -> Result<Put, CallFault> {
        let condition = entry.condition();
        Put::builder()
            .table_name(&self.name)
            .set_item(Some(entry.item.clone()))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(Some(condition.names))
            .set_expression_attribute_values(condition.values)
            .build()
            .map_err(|error| {
                let message = error.to_string();
                CallFault::new(TRANSACT_WRITE_ITEMS, FaultKind::Rejected, message)
            })
    }

    fn count(&self, operation: &str, consumed: Option<&ConsumedCapacity>) {
        self.counter.add(operation, units_of(consumed));
    }
}

fn sort_key_of(key: &HashMap<String, AttributeValue>) -> Result<String, CallFault> {
    key.get(SORT)
        .and_then(|sort| sort.as_s().ok())
        .cloned()
        .ok_or_else(|| malformed_response(QUERY, "the last evaluated key has no sort key"))
}
