"""From the intake's role, each action, statement, folder and condition is taken away in turn: nothing is lost, an alarm
is raised, the log names the statement that is missing, and no other, and after the fix everything comes through."""

import json
import re
import time
from datetime import UTC, datetime

import pytest

from tests.workflow.event_pair import deployed

from .cases import intake_cases
from .mutations import Cut, Mutation, Policies
from .test_mutations import IN_WORDS, LOCK_STAYS

NAMED = re.compile(rf"{IN_WORDS['intake-role']} \(statement (\w+)\)")
TAKES_MESSAGES = "TakeTheMessages"
STARTS_NOTHING = Mutation((Cut("intake-role", "StartRuns", "statement"),))
# Makes the intake look at what waits, as the clock does.
WAKE = {"source": "aws.events", "detail-type": "Scheduled Event"}
# How often it is sent, so that the log of the invocation before arrives.
NUDGE_SECONDS = 5
# Events of S3 that this file makes up.
_sequencers = iter(range(1, 1_000))


@pytest.fixture(scope="module")
def events(server):
    """A pair whose failed messages are dead letters at the first failure, so that nobody waits for five."""
    pair = deployed(server, "intake-guarded")
    queue, sqs = pair.outputs["events_queue_url"], pair.client("sqs")
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])["Attributes"]
    once = {**json.loads(found["RedrivePolicy"]), "maxReceiveCount": 1}
    # Longer than an invocation takes on a busy machine, or a message would be a dead letter while it is being taken.
    changed = {"RedrivePolicy": json.dumps(once), "VisibilityTimeout": "6"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=changed)
    return pair


@pytest.fixture(scope="module")
def policies(events):
    return Policies(events.deployment, events.outputs, {})


def meet(events, policies, circumstance):
    """Brings about what a case needs. Returns the messages with which it happens again, if any."""
    if circumstance == "a lock that a dead run left":
        machine, arguments = events.client("stepfunctions"), {"stateMachineArn": events.outputs["state_machine_arn"]}
        with policies.without(LOCK_STAYS):
            machine.start_execution(**arguments, name=f"dead-{next(_sequencers)}", input="{}")
            events.wait_until(lambda: not any(one["status"] == "RUNNING" for one in events.executions()), "its end")
    if circumstance == "a list that waits already":
        with policies.without(STARTS_NOTHING):
            events.put("waits-already")
            events.wait_until(lambda: events.depth("events_dead_letters_url") > 0, "dead letters")
            events.wait_until(lambda: events.depth() == 0, "the end of all messages")
        assert events.waiting()
        queue = events.outputs["events_dead_letters_url"]
        events.client("sqs").purge_queue(QueueUrl=queue)
    if circumstance == "events that came again after their run":
        notify = events.client("s3").put_bucket_notification_configuration
        notify(Bucket=events.deployment.source_bucket, NotificationConfiguration={})
        events.put("again")
        again = events.event("again", next(_sequencers))
        events.send(again)
        events.wait_until(lambda: "again" in events.target(), "its run")
        events.settle()
        notify(Bucket=events.deployment.source_bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
        return [again]
    return []


def bring_through(events, tmp_path):
    """Puts dead letters back until there are none."""
    for _ in range(5):
        assert events.command(tmp_path, "redrive").returncode == 0
        events.settle()
        if events.depth("events_dead_letters_url") == 0:
            return
    raise AssertionError("there are dead letters after the fix")


def logged_since(events, instant):
    """What the intake logged since then, by the time of each line: on a busy machine the emulator reads some lines of
    an invocation only at the next one."""
    lines = "\n".join(events.intake_log()).splitlines()
    return "\n".join(line for line in lines if (line[:14], line[14:40] > instant) == ('{"timestamp":"', True))


def named_statements(events, instant):
    """The statements that the log names since then, once there is one."""
    nudged = time.monotonic()
    deadline = nudged + 120
    while not NAMED.search(logged_since(events, instant)):
        assert time.monotonic() < deadline, "\n".join(events.intake_log()[-40:])
        if time.monotonic() > nudged + NUDGE_SECONDS:
            events.send(WAKE)
            nudged = time.monotonic()
        time.sleep(0.1)
    return logged_since(events, instant)


@pytest.mark.parametrize("case", intake_cases(), ids=lambda case: case.mutation.name)
def test_what_the_intake_lacks_is_named_and_nothing_is_lost(events, policies, case, tmp_path, table):
    mutation = case.mutation
    if case.not_judged:
        table(("not judged here", mutation.name, case.not_judged))
        return
    # What a case left that failed is none of the next one's.
    bring_through(events, tmp_path)
    again = meet(events, policies, case.circumstance)
    events.wait_until(lambda: events.alarm("events-dead-letters") == "OK", "an alarm that is not raised")
    (cut,) = mutation.cuts
    key = f"without/{cut.sid}/{cut.what}"
    with policies.without(mutation):
        began = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
        if again:
            for message in again:
                events.send(message)
        else:
            events.put(key)
        if cut.sid == TAKES_MESSAGES and cut.what != "sqs:DeleteMessage":
            # Nobody takes them: they stay where they are.
            events.wait_until(lambda: events.alarm("events-not-taken") == "ALARM", "the alarm of messages not taken")
            assert events.depth() > 0
        else:
            events.wait_until(lambda: events.depth("events_dead_letters_url") > 0, "dead letters")
            events.wait_until(lambda: events.alarm("events-dead-letters") == "ALARM", "the alarm of dead letters")
        if cut.sid == TAKES_MESSAGES:
            told = logged_since(events, began)
        else:
            told = named_statements(events, began)
            assert key not in events.target()
    bring_through(events, tmp_path)
    assert again or key in events.target()
    assert events.target() == events.source()
    expected = set() if cut.sid == TAKES_MESSAGES else {cut.sid}
    assert set(NAMED.findall(told)) == expected, told
    if expected:
        assert policies.role_name(cut.document) in told, told
    table(("nothing taken" if cut.sid == TAKES_MESSAGES else "dead letters", mutation.name, "AccessDenied"))
