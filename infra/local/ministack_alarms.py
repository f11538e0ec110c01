"""Metrics and alarms as CloudWatch has them, where MiniStack 1.5.33 has none or judges otherwise.

MiniStack sends no metrics of queues, reads none from the functions' logs, and judges an alarm by all metrics of its
name, whatever their dimensions, and never again without new data. Here, queues and logs have the metrics that AWS
documents (docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html,
docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html), and an
alarm is judged by its own metric, over its periods, with its treatment of missing data
(docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html).

Time passes faster: a period and the minute between two samples are shortened by the same factor as the waits of Step
Functions, and the age of a message is told in that time. Periods end now, not at full minutes.
"""

import functools
import json
import logging
import threading
import time

import ministack.services.cloudwatch as cloudwatch
import ministack.services.lambda_svc as functions
import ministack.services.sqs as sqs
from ministack.core.responses import request_scope

SAMPLE_SECONDS = 60
# Of a queue, the newest of each metric that are kept: more than the longest period of its alarms needs.
SAMPLES_MAX = 1_000
COMPARISONS = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
logger = logging.getLogger("alarms")


def fix_alarms(wait_scale):
    """Sends the metrics of queues and logs, and judges alarms by their own metrics."""
    cloudwatch._evaluate_alarm = functools.partial(_judge, wait_scale)
    _read_metrics_from_logs()
    threading.Thread(target=_watch, args=(wait_scale,), daemon=True, name="alarms").start()


def _watch(wait_scale):
    while True:
        time.sleep(SAMPLE_SECONDS * wait_scale)
        try:
            _sample_queues(wait_scale)
            scopes = {scoped[:2] for scoped, _ in list(cloudwatch._alarms.all_items())}
            for account, region in scopes:
                with request_scope(account, region):
                    cloudwatch._evaluate_all_alarms()
        except Exception:
            # The next sample is taken all the same: an alarm that stays silent fails its test.
            logger.exception("the alarms could not be judged")


def _sample_queues(wait_scale):
    for scoped, queue in list(sqs._queues.all_items()):
        account, region = scoped[:2]
        now = time.time()
        messages = list(queue["messages"])
        visible = sum(message.get("visible_at", 0) <= now for message in messages)
        oldest = min((message.get("sent_at", now) for message in messages), default=now)
        dimensions = {"QueueName": queue["attributes"]["QueueArn"].rpartition(":")[2]}
        with request_scope(account, region):
            for name, value, unit in (
                ("ApproximateNumberOfMessagesVisible", visible, "Count"),
                ("ApproximateNumberOfMessagesNotVisible", len(messages) - visible, "Count"),
                ("ApproximateAgeOfOldestMessage", (now - oldest) / wait_scale, "Seconds"),
            ):
                cloudwatch.record_metric("AWS/SQS", name, value, unit, dimensions)
                key = ("AWS/SQS", name, cloudwatch._dims_key(dimensions))
                del cloudwatch._metric_bucket(key)[:-SAMPLES_MAX]


def _read_metrics_from_logs():
    emit_logs = functions._emit_lambda_logs

    @functools.wraps(emit_logs)
    def emitting(func, request_id, log_text, *arguments, **named):
        emit_logs(func, request_id, log_text, *arguments, **named)
        for line in (log_text or "").splitlines():
            if '"CloudWatchMetrics"' in line:
                _record_embedded(line)

    functions._emit_lambda_logs = emitting


def _record_embedded(line):
    """Records the metrics of a line in CloudWatch's embedded format. What is no such line has none."""
    try:
        document = json.loads(line[line.index("{") :])
        directives = document["_aws"]["CloudWatchMetrics"]
    except (ValueError, KeyError, TypeError):
        return
    for directive in directives:
        for names in directive["Dimensions"]:
            dimensions = {name: document[name] for name in names}
            for metric in directive["Metrics"]:
                value, unit = document[metric["Name"]], metric.get("Unit", "None")
                cloudwatch.record_metric(directive["Namespace"], metric["Name"], value, unit, dimensions)


def _judge(wait_scale, alarm):
    """Moves an alarm to the state that its metric demands now, and does what it says for that."""
    values = _datapoints(wait_scale, alarm)
    state = _state_of(alarm, values)
    earlier = alarm["StateValue"]
    if state == earlier:
        return
    name, threshold = alarm["AlarmName"], alarm["Threshold"]
    reason = (
        f"Threshold Crossed: datapoints {values} of {alarm['MetricName']}, {alarm['ComparisonOperator']} {threshold}"
    )
    alarm |= {"StateValue": state, "StateReason": reason, "StateUpdatedTimestamp": int(time.time())}
    cloudwatch._record_history(name, earlier, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, earlier, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _datapoints(wait_scale, alarm):
    """The metric over the alarm's periods, the last one first; nothing for a period without data."""
    dimensions = {one["Name"]: one["Value"] for one in alarm.get("Dimensions", [])}
    points = list(
        cloudwatch._metrics.get((alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))) or []
    )
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic")
    period, now = alarm["Period"] * wait_scale, time.time()
    values = []
    for number in range(alarm["EvaluationPeriods"]):
        end = now - number * period
        within = [point for point in points if end - period < point["Timestamp"] <= end]
        values.append(cloudwatch._stat_value(cloudwatch._calc_stats(within), statistic, within) if within else None)
    return values


def _state_of(alarm, values):
    compare, treatment = COMPARISONS[alarm["ComparisonOperator"]], alarm.get("TreatMissingData", "missing")
    if all(value is None for value in values):
        if treatment == "ignore":
            return alarm["StateValue"]
        if treatment == "missing":
            return "INSUFFICIENT_DATA"
    present = [value for value in values if value is not None]
    breaches = sum(compare(value, alarm["Threshold"]) for value in present)
    breaches += (len(values) - len(present)) * (treatment == "breaching")
    return "ALARM" if breaches >= (alarm.get("DatapointsToAlarm") or len(values)) else "OK"
