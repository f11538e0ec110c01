use shardlift_aws::{AwsAccounts, SfnExecutions};
use shardlift_core::{
    port::{Accounts, ExecutionState, Executions},
    value::arn::ExecutionArn,
};

use super::stack::{config, fresh_name};

/// A machine that waits for an hour.
const WAITING: &str =
    r#"{"StartAt":"Wait","States":{"Wait":{"Type":"Wait","Seconds":3600,"End":true}}}"#;

#[tokio::test]
async fn an_execution_runs_until_it_is_stopped() {
    let client = aws_sdk_sfn::Client::new(&config().await);
    let machine = client
        .create_state_machine()
        .name(fresh_name("machine"))
        .definition(WAITING)
        .role_arn("arn:aws:iam::111111111111:role/machine")
        .send()
        .await
        .unwrap();
    let started = client
        .start_execution()
        .state_machine_arn(machine.state_machine_arn())
        .send()
        .await
        .unwrap();
    let execution = ExecutionArn::new(started.execution_arn()).unwrap();
    let executions = SfnExecutions::new(client.clone());
    assert_eq!(
        executions.state(&execution).await,
        Ok(ExecutionState::Running)
    );
    client
        .stop_execution()
        .execution_arn(execution.as_str())
        .send()
        .await
        .unwrap();
    assert_eq!(
        executions.state(&execution).await,
        Ok(ExecutionState::Ended)
    );
    let absent = ExecutionArn::new(format!("{execution}-absent")).unwrap();
    assert_eq!(executions.state(&absent).await, Ok(ExecutionState::Unknown));
}

#[tokio::test]
async fn the_caller_knows_its_own_name() {
    let accounts = AwsAccounts::new(&config().await, None);
    let principal = accounts.own_principal().await.unwrap();
    assert!(principal.as_str().contains("111111111111"), "{principal}");
}
