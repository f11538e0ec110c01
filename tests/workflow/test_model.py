"""The real functions on the local stack, copying inside the S3 model: the control plane (ledger, manifests, index,
reports) stays on the local stack, the data plane is as strict and as large as S3."""

import json

import pytest
from shardlift_local.deployment import Deployment
from shardlift_local.package import FUNCTIONS

from tests.model_server import successes
from tests.report_sums import checked

from .execution import Machine
from .modelled import take_over_buckets

OBJECTS = 2_500
GIB = 2**30
# 5 GiB is the last size that one CopyObject takes; what is larger goes by parts.
SIZES = {"sizes/0": 0, "sizes/5-gib": 5 * GIB, "sizes/5-gib-and-1": 5 * GIB + 1, "sizes/300-gib": 300 * GIB}


@pytest.fixture(scope="module")
def machine(server, model):
    """The real templates with the model as their S3 of object data."""
    parameters = {"DataS3EndpointUrl": model.endpoint_url}
    deployment = Deployment(server.endpoint_url, name="modelled", parameters=parameters)
    machine = Machine(deployment, deployment.deploy())
    fill(model, deployment)
    return machine


def fill(model, deployment):
    """Both buckets with their true owners, and objects whose content is named instead of held."""
    take_over_buckets(model, deployment)
    source = deployment.source_bucket
    model.control("POST", f"objects/{source}", {"key": "many/", "size_bytes": 64 * 1024, "count": OBJECTS})
    for seed, (key, size_bytes) in enumerate(SIZES.items()):
        document = {"key": key, "size_bytes": size_bytes, "seed": seed, "metadata": {"named": key}}
        model.control("POST", f"objects/{source}", document)


def test_real_functions_copy_inside_the_model(machine, model):
    assert FUNCTIONS == ("planner", "copier", "renderer", "reporter", "intake"), "these have data of copies: no others"
    outputs = machine.outputs
    execution = machine.run({})
    assert execution.status == "SUCCEEDED", execution.cause

    compared = model.compare(outputs["source_bucket"], outputs["target_bucket"])
    assert compared["identical"] == OBJECTS + len(SIZES)
    assert not any(compared[difference] for difference in ("missing", "different", "extra"))

    counters = model.counters()
    assert successes(counters, "CopyObject") == OBJECTS + 2
    assert successes(counters, "CompleteMultipartUpload") == 2
    # The data plane is the model alone, and the control plane is not in it.
    local_target = machine.deployment.target.client("s3").list_objects_v2(Bucket=outputs["target_bucket"])
    assert local_target["KeyCount"] == 0
    stored = machine.deployment.source.client("s3").get_object(
        Bucket=outputs["control_bucket"], Key=f"runs/{execution.run_id}/report.json"
    )
    report = checked(json.load(stored["Body"]))
    assert report["copied"]["objects"] == OBJECTS + len(SIZES)
