//! The stack's own parts: its functions, their share of the account's concurrency, its schedule and its topic.

use aws_sdk_lambda::types::{LastUpdateStatus, State};

use super::{
    events,
    expected::Expected,
    finding::{DoctorFinding, Level},
};
use crate::{deployment::Deployment, schedules::Schedules};

/// What a planner, a reporter and other functions need beside the copiers.
const SPARE_CONCURRENCY: i32 = 2;
/// What SNS says in place of the ARN of a subscription that nobody confirmed
/// (docs.aws.amazon.com/sns/latest/api/API_Subscription.html).
const PENDING: &str = "PendingConfirmation";

pub(super) async fn check(deployment: &Deployment, expected: &Expected) -> Vec<DoctorFinding> {
    let sdk = &deployment.sdk;
    let lambda = aws_sdk_lambda::Client::new(sdk);
    let mut findings = vec![stack(expected)];
    findings.push(machine(deployment).await);
    let renderer = (expected.parameter("EnableTransforms") == "true").then_some("renderer");
    let intake = events::are_expected(expected).then_some("intake");
    for name in ["planner", "copier", "reporter"]
        .into_iter()
        .chain(renderer)
        .chain(intake)
    {
        findings.push(function(&lambda, expected, name).await);
    }
    findings.push(concurrency(&lambda, expected).await);
    findings.push(schedule(deployment, expected).await);
    findings.push(subscriptions(&aws_sdk_sns::Client::new(sdk), expected).await);
    findings
}

fn stack(expected: &Expected) -> DoctorFinding {
    let (status, name) = (expected.description.status(), &expected.stack);
    let what = format!("{name} is {status}");
    if status.ends_with("_COMPLETE") && !status.contains("ROLLBACK") {
        return DoctorFinding::fine("stack", what);
    }
    // After a rollback the stack is whole, but not what was deployed last.
    let level = match status {
        "UPDATE_ROLLBACK_COMPLETE" => Level::Note,
        _ => Level::Problem,
    };
    let why = "Its last deployment failed, or is still in progress. To see what failed:";
    let events = format!(
        "aws cloudformation describe-stack-events --stack-name {name} --query \"StackEvents[?contains(ResourceStatus, 'FAILED')]\""
    );
    DoctorFinding::new(level, "stack", what, why).fixed_by([events])
}

async fn machine(deployment: &Deployment) -> DoctorFinding {
    const CHECK: &str = "state machine";
    let arn = deployment.parts.state_machine_arn.to_string();
    let found = aws_sdk_sfn::Client::new(&deployment.sdk)
        .list_executions()
        .state_machine_arn(&arn)
        .max_results(1)
        .send()
        .await;
    match found {
        Ok(found) => match found.executions() {
            [latest, ..] => DoctorFinding::fine(
                CHECK,
                format!(
                    "{}; the latest run is {}",
                    latest.status().as_str(),
                    latest.name()
                ),
            ),
            [] => DoctorFinding::fine(CHECK, "no run yet"),
        },
        Err(error) => DoctorFinding::failed_call(CHECK, "states:ListExecutions", &error),
    }
}

async fn function(
    lambda: &aws_sdk_lambda::Client,
    expected: &Expected,
    name: &'static str,
) -> DoctorFinding {
    let function = format!("{}-{name}", expected.stack);
    let found = lambda
        .get_function_configuration()
        .function_name(&function)
        .send()
        .await;
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            return DoctorFinding::failed_call(name, "lambda:GetFunctionConfiguration", &error);
        }
    };
    // Neither is told by every stack; what is told must be good.
    let is_active = found.state().is_none_or(|state| *state == State::Active);
    let update = found.last_update_status();
    let is_updated = update.is_none_or(|update| *update == LastUpdateStatus::Successful);
    if is_active && is_updated {
        return DoctorFinding::fine(name, format!("{function} is active"));
    }
    let reason = found.last_update_status_reason().or(found.state_reason());
    DoctorFinding::new(
        Level::Problem,
        name,
        format!("{function} is not ready: {}", reason.unwrap_or("Lambda gives no reason")),
        "Its calls fail. Deploy the stack again with zips of the functions for its processor (parameter Architecture):",
    )
    .fixed_by(["make package".to_owned()])
}

/// A new account has a quota of 10 for all functions of a Region together.
async fn concurrency(lambda: &aws_sdk_lambda::Client, expected: &Expected) -> DoctorFinding {
    const CHECK: &str = "concurrency";
    let limit = match lambda.get_account_settings().send().await {
        Ok(found) => found.account_limit().map_or(0, |limit| {
            limit
                .unreserved_concurrent_executions()
                .unwrap_or(limit.concurrent_executions())
        }),
        Err(error) => {
            return DoctorFinding::failed_call(CHECK, "lambda:GetAccountSettings", &error);
        }
    };
    let copiers = expected.parameter("CopierConcurrency").parse().unwrap_or(0);
    let what =
        format!("up to {copiers} copiers, and the account may run {limit} functions at once");
    if copiers + SPARE_CONCURRENCY <= limit {
        return DoctorFinding::fine(CHECK, what);
    }
    let why = format!(
        "Copiers wait for a slot and lose nothing, but they leave none for your other functions. Deploy the stack with \
         CopierConcurrency={}, or ask AWS for more:",
        (limit - SPARE_CONCURRENCY).max(1)
    );
    // The quota's code: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
    let ask = "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000";
    DoctorFinding::new(Level::Note, CHECK, what, why).fixed_by([ask.to_owned()])
}

async fn schedule(deployment: &Deployment, expected: &Expected) -> DoctorFinding {
    const CHECK: &str = "schedule";
    match Schedules::of(deployment).own().await {
        Ok(schedule) if schedule.is_enabled => {
            DoctorFinding::fine(CHECK, format!("{} {}", schedule.expression, schedule.zone))
        }
        Ok(_) => {
            let why = if events::are_expected(expected) {
                "Events alone start runs. What no event told of is found by nobody, and nothing proves what these runs copied: \
                 deploy the stack with ScheduleState=ENABLED."
            } else {
                "No run starts by itself. If that is not intended, deploy the stack with ScheduleState=ENABLED."
            };
            DoctorFinding::new(Level::Note, CHECK, "disabled", why)
        }
        Err(error) => DoctorFinding::unknown(CHECK, &error),
    }
}

async fn subscriptions(sns: &aws_sdk_sns::Client, expected: &Expected) -> DoctorFinding {
    const CHECK: &str = "notifications";
    let topic = match expected.description.output("TopicArn") {
        Ok(topic) => topic,
        Err(error) => return DoctorFinding::unknown(CHECK, &error),
    };
    let mut pages = sns
        .list_subscriptions_by_topic()
        .topic_arn(&topic)
        .into_paginator()
        .items()
        .send();
    let (mut confirmed, mut pending) = (0, Vec::new());
    while let Some(found) = pages.next().await {
        match found {
            Ok(one) if one.subscription_arn() == Some(PENDING) => {
                pending.push(one.endpoint().unwrap_or_default().to_owned());
            }
            Ok(_) => confirmed += 1,
            Err(error) => {
                return DoctorFinding::failed_call(CHECK, "sns:ListSubscriptionsByTopic", &error);
            }
        }
    }
    judged(&topic, confirmed, &pending)
}

fn judged(topic: &str, confirmed: u32, pending: &[String]) -> DoctorFinding {
    const CHECK: &str = "notifications";
    let subscribe = format!(
        "aws sns subscribe --topic-arn {topic} --protocol email --notification-endpoint YOU@EXAMPLE.COM"
    );
    match (confirmed, pending) {
        (0, []) => DoctorFinding::new(
            Level::Problem,
            CHECK,
            "nobody is subscribed to the topic",
            "Nobody notices a run that fails.",
        )
        .fixed_by([subscribe]),
        (0, [first, ..]) => DoctorFinding::new(
            Level::Problem,
            CHECK,
            format!("{first} has not confirmed the subscription"),
            "SNS sends nothing until its confirmation link is opened. If the email is lost, subscribe again:",
        )
        .fixed_by([subscribe]),
        (_, [first, ..]) => DoctorFinding::new(
            Level::Note,
            CHECK,
            format!("confirmed: {confirmed}; not yet: {first}"),
            "SNS sends nothing to an address until its confirmation link is opened.",
        ),
        (_, []) => DoctorFinding::fine(CHECK, format!("confirmed: {confirmed}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_nobody_hears_is_a_problem() {
        let topic = "arn:aws:sns:eu-west-1:111111111111:shardlift";
        let me = ["me@example.com".to_owned()];
        for (confirmed, pending, level) in [
            (0, &[][..], Level::Problem),
            (0, &me[..], Level::Problem),
            (1, &me[..], Level::Note),
            (2, &[][..], Level::Fine),
        ] {
            let finding = judged(topic, confirmed, pending);
            assert_eq!(finding.level, level, "{finding:?}");
            assert_eq!(finding.fix.is_empty(), confirmed > 0);
        }
    }
}
