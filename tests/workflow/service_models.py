"""Requests as AWS's own service models (botocore's data) read them: the operation, its parameters, and what is wrong.

The SDK that made a request, and the emulator that answered it, are not asked. Only the model says what a request means.
"""

import base64
import json
import re
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl, unquote

import botocore.session
from botocore.validate import ParamValidator
from defusedxml import ElementTree

SERVICES = {"s3": "s3", "dynamodb": "dynamodb", "sts": "sts", "sns": "sns", "states": "stepfunctions"}
SERVICES |= {"cloudformation": "cloudformation"}
SCOPE = re.compile(r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/[a-z0-9-]+/([a-z0-9]+)/aws4_request")
# Of every request, whatever the operation: signing, retries, and how the body is sent.
COMMON_HEADERS = re.compile(
    r"x-amz-(date|content-sha256|security-token|user-agent|trailer|decoded-content-length|expected-trailer)|amz-sdk-.*"
)
# The SDKs name the operation in a parameter that S3 ignores.
OPERATION_ID = "x-id"
NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


class NotOfTheModelError(Exception):
    """A request that the model has no place for."""


@dataclass(frozen=True)
class Call:
    """What the model makes of a request."""

    service: str
    operation: str
    parameters: dict
    problems: list

    @property
    def name(self):
        return f"{self.service}:{self.operation}"


@cache
def model_of(service):
    return botocore.session.get_session().get_service_model(SERVICES[service])


def read(request):
    """The call that a recorded request is."""
    service = SCOPE.match(request["headers"].get("authorization", ""))[1]
    readers = {"rest-xml": read_rest, "json": read_json, "query": read_query}
    try:
        operation, parameters = readers[model_of(service).metadata["protocol"]](model_of(service), request)
    except NotOfTheModelError as problem:
        return Call(service, "?", {}, [str(problem)])
    return Call(service, operation.name, parameters, problems_of(operation.input_shape, parameters))


def problems_of(shape, parameters):
    """What the model does not allow: unknown and missing members and wrong types by botocore, the rest here."""
    found = ParamValidator().validate(parameters, shape).generate_report()
    return [*filter(None, found.splitlines()), *limits_of(shape, parameters, shape.name)]


def limits_of(shape, value, path):
    """Enumerations, lengths and patterns, which botocore leaves to the service."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name in value.keys() & shape.members.keys():
            yield from limits_of(shape.members[name], value[name], f"{path}.{name}")
    elif shape.type_name == "list":
        yield from length_of(shape, value, path)
        for number, item in enumerate(value):
            yield from limits_of(shape.member, item, f"{path}[{number}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from limits_of(shape.key, key, f"{path} (key)")
            yield from limits_of(shape.value, item, f"{path}.{key}")
    elif shape.type_name == "string":
        yield from length_of(shape, value, path)
        if shape.enum and value not in shape.enum:
            yield f"{path}: {value!r} is none of {', '.join(shape.enum)}"
        pattern = shape.metadata.get("pattern")
        if pattern and not re.search(pattern, value):
            yield f"{path}: {value!r} does not match {pattern}"
    elif shape.type_name in ("integer", "long") and not is_in_range(shape, value):
        yield f"{path}: {value} is out of range"


def is_in_range(shape, value):
    return shape.metadata.get("min", value) <= value <= shape.metadata.get("max", value)


def length_of(shape, value, path):
    if not shape.metadata.get("min", 0) <= len(value) <= shape.metadata.get("max", len(value)):
        yield f"{path}: {len(value)} is no length of {shape.name}"


# ------------------------------------------------------------------ REST and XML: S3
def read_rest(model, request):
    path = unquote(request["path"], encoding="utf-8", errors="surrogateescape")
    bucket, _slash, key = path.removeprefix("/").partition("/")
    query = parse_qsl(request["query"], keep_blank_values=True, encoding="utf-8")
    if len(dict(query)) < len(query):
        raise NotOfTheModelError(f"a parameter is there twice: {request['query']}")
    uri = {"Bucket": bucket} | ({"Key": key} if key else {})
    fitting = [
        operation
        for operation in map(model.operation_model, model.operation_names)
        if fits(operation, request, uri, dict(query))
    ]
    if not fitting:
        raise NotOfTheModelError(f"no operation is {request['method']} {request['path']}?{request['query']}")
    # CopyObject and UploadPart are a PutObject with more required members.
    operation = max(
        fitting, key=lambda operation: (len(literals(operation)), len(operation.input_shape.required_members))
    )
    named = dict(query).get(OPERATION_ID, operation.name)
    if named != operation.name:
        raise NotOfTheModelError(f"{OPERATION_ID} is {named}, but the request is {operation.name}")
    return operation, rest_parameters(operation, request, uri, dict(query))


def literals(operation):
    """The parameters that an operation's address has itself, such as `uploads`."""
    return dict(parse_qsl(operation.http["requestUri"].partition("?")[2], keep_blank_values=True))


def fits(operation, request, uri, query):
    """Whether a request has the method, the address and the required members of an operation."""
    address = operation.http["requestUri"].partition("?")[0]
    if operation.http["method"] != request["method"] or set(re.findall(r"\{(\w+)\+?\}", address)) != set(uri):
        return False
    if not literals(operation).items() <= query.items():
        return False
    shape = operation.input_shape
    places = {"querystring": query, "header": request["headers"]}
    return all(
        member.serialization["name"].lower() in {name.lower() for name in places[place_of(member)]}
        for member in map(shape.members.get, shape.required_members)
        if place_of(member) in places
    )


def place_of(member):
    """Where a member travels: uri, querystring, header, headers, or nothing for the body."""
    return member.serialization.get("location")


def rest_parameters(operation, request, uri, query):
    shape, headers = operation.input_shape, request["headers"]
    rest_query = query.keys() - literals(operation).keys() - {OPERATION_ID}
    rest_headers = {
        name for name in headers if name.startswith(("x-amz-", "amz-")) and not COMMON_HEADERS.fullmatch(name)
    }
    parameters = {}
    for name, member in shape.members.items():
        wire = member.serialization.get("name", name)
        if place_of(member) == "uri":
            parameters[name] = uri[wire]
        elif place_of(member) == "querystring" and wire in query:
            parameters[name] = scalar(member, query[wire])
            rest_query -= {wire}
        elif place_of(member) == "header" and wire.lower() in headers:
            parameters[name] = header_value(member, headers[wire.lower()])
            rest_headers -= {wire.lower()}
        elif place_of(member) == "headers":
            prefixed = {header for header in headers if header.startswith(wire.lower())}
            parameters[name] = {header.removeprefix(wire.lower()): headers[header] for header in prefixed}
            rest_headers -= prefixed
    if operation.http_checksum:
        rest_headers -= {f"x-amz-checksum-{headers.get('x-amz-sdk-checksum-algorithm', '').lower()}"}
    if rest_query or rest_headers:
        raise NotOfTheModelError(f"{operation.name} knows nothing of {sorted(rest_query | rest_headers)}")
    return parameters | rest_body(shape, base64.b64decode(request["body"]))


def rest_body(shape, body):
    payload = shape.serialization.get("payload")
    if payload is None:
        if body:
            raise NotOfTheModelError(f"{shape.name} has no body")
        return {}
    if shape.members[payload].type_name != "structure":
        return {payload: body}
    element = ElementTree.fromstring(body)
    root = shape.members[payload].serialization.get("name", payload)
    if element.tag.removeprefix(NAMESPACE) != root:
        raise NotOfTheModelError(f"the body is {element.tag}, and not {root}")
    return {payload: from_xml(shape.members[payload], element)}


def list_from_xml(shape, element):
    """A list in an element of its own."""
    expected = shape.member.serialization.get("name", "member")
    wrong = [item.tag for item in element if item.tag.removeprefix(NAMESPACE) != expected]
    if wrong:
        raise NotOfTheModelError(f"{shape.name} has {wrong}, and not {expected}")
    return [from_xml(shape.member, item) for item in element]


def header_value(shape, text):
    """A list travels in a header as one text, with commas."""
    if shape.type_name == "list":
        return [scalar(shape.member, item.strip()) for item in text.split(",")]
    return scalar(shape, text)


def from_xml(shape, element):
    if shape.type_name != "structure":
        return scalar(shape, element.text or "")
    found = {}
    by_tag = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
    for child in element:
        tag = child.tag.removeprefix(NAMESPACE)
        if tag not in by_tag:
            raise NotOfTheModelError(f"{shape.name} has no element {tag}")
        name, member = by_tag[tag]
        if member.type_name == "list" and member.serialization.get("flattened"):
            found.setdefault(name, []).append(from_xml(member.member, child))
        elif name in found:
            raise NotOfTheModelError(f"{shape.name} has {tag} twice")
        elif member.type_name == "list":
            found[name] = list_from_xml(member, child)
        else:
            found[name] = from_xml(member, child)
    return found


def scalar(shape, text):
    """A text of the wire as the type of its shape; as it is when it is none, for the validator to see."""
    if shape.type_name in ("integer", "long") and re.fullmatch(r"-?\d+", text):
        return int(text)
    if shape.type_name == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


# ------------------------------------------------------------ JSON: DynamoDB, Step Functions
def read_json(model, request):
    prefix, _dot, name = request["headers"].get("x-amz-target", "").rpartition(".")
    version = model.metadata["jsonVersion"]
    if prefix != model.metadata["targetPrefix"] or name not in model.operation_names:
        raise NotOfTheModelError(f"no operation is {prefix}.{name}")
    if request["headers"].get("content-type") != f"application/x-amz-json-{version}":
        raise NotOfTheModelError(f"{name}: the content type is {request['headers'].get('content-type')}")
    return model.operation_model(name), json.loads(base64.b64decode(request["body"]))


# ------------------------------------------------------------------ forms: STS, SNS, CloudFormation
def read_query(model, request):
    form = parse_qsl(base64.b64decode(request["body"]).decode(), keep_blank_values=True, strict_parsing=True)
    fields = dict(form)
    if len(fields) < len(form):
        raise NotOfTheModelError("a field is there twice")
    name, version = fields.pop("Action", None), fields.pop("Version", None)
    if name not in model.operation_names or version != model.api_version:
        raise NotOfTheModelError(f"no operation is {name} of {version}")
    shape = model.operation_model(name).input_shape
    parameters = from_form(shape, fields, "")
    if fields:
        raise NotOfTheModelError(f"{name} knows nothing of {sorted(fields)}")
    return model.operation_model(name), parameters


def from_form(shape, fields, prefix):
    """The value under a prefix of the form's names; what it takes is taken from `fields`."""
    if shape.type_name == "structure":
        found = {}
        for name, member in shape.members.items():
            inner = f"{prefix}.{name}" if prefix else name
            if any(field == inner or field.startswith(f"{inner}.") for field in fields):
                found[name] = from_form(member, fields, inner)
        return found
    if shape.type_name in ("list", "map"):
        return from_numbered(shape, fields, prefix)
    return scalar(shape, fields.pop(prefix))


def from_numbered(shape, fields, prefix):
    """A list or a map: its entries are numbered from 1."""
    word = ("member" if shape.type_name == "list" else "entry") + "."
    entry = f"{prefix}." + ("" if shape.serialization.get("flattened") else word)
    items, number = [], 1
    while any(field.startswith(f"{entry}{number}") for field in fields):
        inner = f"{entry}{number}"
        if shape.type_name == "list":
            items.append(from_form(shape.member, fields, inner))
        else:
            key = fields.pop(f"{inner}.{shape.key.serialization.get('name', 'key')}")
            items.append(
                (key, from_form(shape.value, fields, f"{inner}.{shape.value.serialization.get('name', 'value')}"))
            )
        number += 1
    return items if shape.type_name == "list" else dict(items)
