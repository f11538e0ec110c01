"""Event source mappings of queues as AWS has them, where MiniStack 1.5.33 is laxer or reports less.

A mapping collects messages for its window, hands them over as one batch, and uses the function's role for the queue
(https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html,
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html). MiniStack takes ten messages at once at most,
asks for no permission, and counts no invocation.
"""

import functools
import threading
import time

import ministack.core.iam_evaluator as iam
import ministack.services.lambda_svc as functions
import ministack.services.sqs as sqs
from ministack.core.responses import get_account_id, get_region

# What Lambda hands over at once at most: 6 MB, of which each message takes its text and some words about it.
BATCH_BYTES_MAX = 6_000_000
MESSAGE_BYTES = 600
TAKING = ("sqs:ReceiveMessage", "sqs:GetQueueAttributes")

# When the window of a mapping began, by its id.
_collecting_since = {}


def fix_mappings_of_queues(wait_scale):
    """Mappings collect for their window, shortened by `wait_scale`, need permissions, and count invocations."""
    _collect_for_the_window(wait_scale)
    _delete_with_the_role()
    _count_invocations()


def _collect_for_the_window(wait_scale):
    def receive(queue_url, max_number):
        mapping, function, queue_arn = _mapping_of(queue_url)
        if mapping is None or not all(_role_may(function, action, queue_arn) for action in TAKING):
            return []
        with sqs._queues_lock:
            queue = sqs._get_q(queue_url)
            sqs._expire_retained(queue)
            sqs._dlq_sweep(queue)
            now = time.time()
            visible = [message for message in queue["messages"] if message.get("visible_at", 0) <= now]
            count = _batch_count(visible, int(max_number))
            is_full = count < len(visible) or count == int(max_number)
            window = mapping.get("MaximumBatchingWindowInSeconds", 0) * wait_scale
            if not count or not (is_full or _has_collected(mapping["UUID"], window)):
                return []
            _collecting_since.pop(mapping["UUID"], None)
            return sqs._collect_msgs(queue, count, int(queue["attributes"].get("VisibilityTimeout", "30")))

    sqs._receive_messages_for_esm = receive


def _batch_count(visible, count_max):
    """How many of the messages fit one batch; one at least."""
    count, size = 0, 0
    for message in visible[:count_max]:
        size += len(message["body"].encode()) + MESSAGE_BYTES
        if count and size > BATCH_BYTES_MAX:
            break
        count += 1
    return count


def _has_collected(mapping_id, window):
    """Whether the window has passed since its first message. Begins it, and wakes the poller at its end."""
    now = time.monotonic()
    since = _collecting_since.get(mapping_id)
    if since is None:
        since = _collecting_since[mapping_id] = now
        if window:
            timer = threading.Timer(window, functions._esm_wake.set)
            timer.daemon = True
            timer.start()
    return now - since >= window


def _delete_with_the_role():
    delete = sqs._delete_messages_for_esm

    @functools.wraps(delete)
    def deleting(queue_url, receipt_handles):
        mapping, function, queue_arn = _mapping_of(queue_url)
        if mapping is None or _role_may(function, "sqs:DeleteMessage", queue_arn):
            delete(queue_url, receipt_handles)

    sqs._delete_messages_for_esm = deleting


def _count_invocations():
    run_batch = functions._run_sqs_batch

    @functools.wraps(run_batch)
    def counting(esm, func_rec, *arguments):
        began = time.time()
        run_batch(esm, func_rec, *arguments)
        name = (func_rec.get("config") or func_rec)["FunctionName"]
        has_failed = esm.get("LastProcessingResult") == "FAILED"
        functions._emit_lambda_metrics(name, (time.time() - began) * 1000, has_failed, False)

    functions._run_sqs_batch = counting


def _mapping_of(queue_url):
    """The mapping of a queue of the current account and Region, its function's configuration, and the queue's ARN."""
    queue_arn = sqs._get_q(queue_url)["attributes"]["QueueArn"]
    for account, region, mapping in functions._iter_all_esms():
        if (account, region) == (get_account_id(), get_region()) and mapping.get("EventSourceArn") == queue_arn:
            _, config = functions._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
            return mapping, config, queue_arn
    return None, None, queue_arn


def _role_may(config, action, resource_arn):
    """Whether the role of a function may do this."""
    role, account = config["Role"].rpartition("/")[2], config["Role"].split(":")[4]
    context = iam.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{role}/{config['FunctionName']}",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource_arn,
        region=get_region(),
    )
    return iam.evaluate(context, iam._gather_role_policies(role, account)).decision == "Allow"
