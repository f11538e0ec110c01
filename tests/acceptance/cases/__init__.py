"""All cases, in the order in which they are played. Each file is a subject."""

from . import conformance, deployment, machine, objects, permissions, runs, schedule

DEPLOYMENT_CASES = tuple(deployment.CASES.cases)
ALL_CASES = tuple(
    case for subject in (runs, schedule, objects, permissions, machine, conformance) for case in subject.CASES.cases
)
