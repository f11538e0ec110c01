"""All cases, in the order in which they are played. Each file is a subject."""

from . import conformance, deployment, machine, objects, permissions, runs

DEPLOYMENT_CASES = tuple(deployment.CASES.cases)
ALL_CASES = (
    *runs.CASES.cases,
    *objects.CASES.cases,
    *permissions.CASES.cases,
    *machine.CASES.cases,
    *conformance.CASES.cases,
)
