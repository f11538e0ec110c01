//! DynamoDB's operations as IAM names them.

pub(super) const PUT_ITEM: &str = "dynamodb:PutItem";
pub(super) const GET_ITEM: &str = "dynamodb:GetItem";
pub(super) const QUERY: &str = "dynamodb:Query";
pub(super) const DELETE_ITEM: &str = "dynamodb:DeleteItem";
pub(super) const TRANSACT_WRITE_ITEMS: &str = "dynamodb:TransactWriteItems";
