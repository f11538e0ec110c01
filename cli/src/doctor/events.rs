//! What starts runs from events: the source bucket's notifications, the rule, the queue and the intake.

use aws_sdk_eventbridge::{operation::describe_rule::DescribeRuleError, types::RuleState};

use super::{
    expected::Expected,
    finding::{DoctorFinding, Level},
};
use crate::{
    deployment::Deployment,
    events::{Notifications, Queues},
};

/// Whether the stack starts runs from events.
pub(super) fn are_expected(expected: &Expected) -> bool {
    expected.parameter("StartOnEvents") == "true"
}

/// Nothing where the stack does not start runs from events.
pub(super) async fn check(deployment: &Deployment, expected: &Expected) -> Vec<DoctorFinding> {
    if !are_expected(expected) {
        return Vec::new();
    }
    let lambda = aws_sdk_lambda::Client::new(&deployment.sdk);
    let mut findings = vec![
        notifications(deployment, expected).await,
        rule(deployment, expected).await,
        mapping(&lambda, expected).await,
    ];
    let queues = Queues::new(&deployment.sdk, &expected.stack);
    findings.push(dead_letters(&queues, expected).await);
    findings
}

async fn notifications(deployment: &Deployment, expected: &Expected) -> DoctorFinding {
    const CHECK: &str = "events";
    let bucket = &expected.agreement.pair.source.bucket;
    match Notifications::new(&deployment.sdk, bucket).is_on().await {
        Ok(true) => DoctorFinding::fine(
            CHECK,
            format!("s3://{bucket} sends its events to EventBridge"),
        ),
        Ok(false) => {
            let why = "No event starts a run, although the stack has StartOnEvents=true. If that is not intended:";
            let what = format!("s3://{bucket} does not send its events to EventBridge");
            let on = format!("shardlift {}events on", expected.flags);
            DoctorFinding::new(Level::Note, CHECK, what, why).fixed_by([on])
        }
        Err(error) => DoctorFinding::unknown(CHECK, &error),
    }
}

async fn rule(deployment: &Deployment, expected: &Expected) -> DoctorFinding {
    const CHECK: &str = "events rule";
    let name = format!("{}-events", expected.stack);
    let client = aws_sdk_eventbridge::Client::new(&deployment.sdk);
    match client.describe_rule().name(&name).send().await {
        Ok(found) if found.state() == Some(&RuleState::Disabled) => {
            let why = "No event reaches the queue. Enable the rule:";
            DoctorFinding::new(Level::Problem, CHECK, format!("{name} is disabled"), why)
                .fixed_by([format!("aws events enable-rule --name {name}")])
        }
        Ok(_) => DoctorFinding::fine(CHECK, format!("{name} is enabled")),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(DescribeRuleError::is_resource_not_found_exception) =>
        {
            let why = "No event reaches the queue. Deploy the stack again.";
            DoctorFinding::new(
                Level::Problem,
                CHECK,
                format!("there is no rule {name}"),
                why,
            )
        }
        Err(error) => DoctorFinding::failed_call(CHECK, "events:DescribeRule", &error),
    }
}

/// Whether Lambda takes messages from the queue for the intake.
async fn mapping(lambda: &aws_sdk_lambda::Client, expected: &Expected) -> DoctorFinding {
    const CHECK: &str = "events queue";
    let function = format!("{}-intake", expected.stack);
    let found = lambda
        .list_event_source_mappings()
        .function_name(&function)
        .send()
        .await;
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            return DoctorFinding::failed_call(CHECK, "lambda:ListEventSourceMappings", &error);
        }
    };
    let state = |one: &aws_sdk_lambda::types::EventSourceMappingConfiguration| {
        one.state().unwrap_or_default().to_owned()
    };
    match found.event_source_mappings() {
        [one]
            if matches!(
                state(one).as_str(),
                "Enabled" | "Enabling" | "Updating" | "Creating"
            ) =>
        {
            DoctorFinding::fine(CHECK, format!("{function} takes its messages"))
        }
        [one] => {
            let what = format!("its event source mapping is {}", state(one));
            let why = "Events stay in the queue, 14 days at most. Enable it:";
            let enable = format!(
                "aws lambda update-event-source-mapping --enabled --uuid {}",
                one.uuid().unwrap_or("UUID")
            );
            DoctorFinding::new(Level::Problem, CHECK, what, why).fixed_by([enable])
        }
        others => {
            let what = format!("{function} has {} event source mappings", others.len());
            let why = "It should have one. Deploy the stack again.";
            DoctorFinding::new(Level::Problem, CHECK, what, why)
        }
    }
}

async fn dead_letters(queues: &Queues, expected: &Expected) -> DoctorFinding {
    const CHECK: &str = "events dead letters";
    let depth = match queues.find().await {
        Ok(urls) => queues.depth(&urls.dead_letters).await,
        Err(error) => Err(error),
    };
    match depth.map(|depth| depth.visible + depth.in_flight) {
        Ok(0) => DoctorFinding::fine(CHECK, "none"),
        Ok(letters) => {
            let what = format!(
                "{letters} in the queue {}-events-dead-letters",
                expected.stack
            );
            let why = "What they tell of is copied by the next nightly run, or after fixing what the intake's log reports:";
            let redrive = format!("shardlift {}events redrive", expected.flags);
            DoctorFinding::new(Level::Problem, CHECK, what, why).fixed_by([redrive])
        }
        Err(error) => DoctorFinding::unknown(CHECK, &error),
    }
}
