"""The Terraform modules deploy the templates, every parameter and file of them.

Neither Terraform nor its provider can be had from a package registry, so nothing here plans a deployment: the files are
parsed, and what they hand to CloudFormation is compared with the templates.
"""

import importlib.util
import re

import hcl2
import pytest

from .project import ROOT, SOURCE_POLICY_PATH, SOURCE_TEMPLATE_PATH, template

TERRAFORM = ROOT / "infra" / "terraform"

spec = importlib.util.spec_from_file_location("generate", TERRAFORM / "generate.py")
generate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(generate)


def module(name):
    """All blocks of a module by kind."""
    blocks = {}
    for path in sorted((TERRAFORM / name).glob("*.tf")):
        for kind, found in hcl2.loads(path.read_text("utf-8")).items():
            blocks.setdefault(kind, []).extend(found)
    return blocks


def named(blocks):
    return {name: body for block in blocks for name, body in block.items()}


@pytest.mark.parametrize("name", ["source-account", "target-account", "pair"])
def test_every_parameter_reaches_the_stack(name):
    blocks = module(name)
    (local,) = [block["parameters"] for block in blocks["locals"] if "parameters" in block]
    (path,) = [path for folder, path in generate.MODULES.items() if folder.name == name]
    expected = generate.parameters(template(path))
    left_out = set(template(path)["Parameters"]) - set(expected)
    assert left_out == ({"DataS3EndpointUrl", "AllowOtherDataS3Endpoint"} if name == "source-account" else set())
    assert set(local) == set(expected)
    variables = named(blocks["variable"])
    for parameter, value in local.items():
        (variable,) = re.findall(r"var\.(\w+)", value)
        assert variable == generate.snake(parameter)
        # Who must choose a value in the template must choose it here.
        assert ("default" in variables[variable]) == ("Default" in expected[parameter])
    stack = blocks["resource"][-1]["aws_cloudformation_stack"]["this"]
    assert stack["parameters"] == "${local.parameters}"


@pytest.mark.parametrize(
    "path", [path for path, _ in generate.files()], ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_what_is_written_is_what_the_templates_say(path):
    assert path.read_text("utf-8") == dict(generate.files())[path], "run `make terraform`"


def test_terraform_takes_the_patterns_and_they_take_the_defaults():
    """RE2 repeats at most 1,000 times, and a pattern that it refuses would refuse every value."""
    for template_path in generate.MODULES.values():
        for name, parameter in generate.parameters(template(template_path)).items():
            pattern, length_max = generate.repeatable(parameter.get("AllowedPattern", ""))
            assert all(int(times) <= generate.REPEATS_MAX for times in re.findall(r"[{,](\d+)[},]", pattern)), name
            # RE2 has neither looks around nor references.
            assert not re.search(r"\(\?[=!<]|\\[1-9]", pattern), name
            if "Default" in parameter:
                assert re.search(pattern, str(parameter["Default"])), name
            if length_max:
                assert re.search(parameter["AllowedPattern"], "a" * length_max)
                assert not re.search(parameter["AllowedPattern"], "a" * (length_max + 1))


def test_the_uploaded_template_names_no_file_beside_it():
    """What `aws cloudformation package` does with the files of the template, the module does."""
    text = SOURCE_TEMPLATE_PATH.read_text("utf-8")
    beside = re.findall(r"(?:CodeUri|DefinitionUri): (\.\./\S+)", text)
    assert beside
    body = (TERRAFORM / "source-account" / "main.tf").read_text("utf-8")
    (zips,) = re.findall(r'"/(.*)/", "s3://\$\{var\.artifacts_bucket\}/\$\{local\.folder\}/\$1"', body)
    (machine,) = re.findall(r'"(\S+)", "s3://\$\{var\.artifacts_bucket\}/\$\{local\.folder\}/"', body)
    uploaded = re.sub(zips.replace("\\\\", "\\"), r"s3://bucket/folder/\1", text).replace(
        machine, "s3://bucket/folder/"
    )
    left = re.findall(r"(?:CodeUri|DefinitionUri): (\S+)", uploaded)
    assert left == [f"s3://bucket/folder/{path.rsplit('/', 1)[1]}" for path in beside]
    assert "../" not in uploaded
    # What is uploaded is what the template then names.
    (local,) = [block for block in module("source-account")["locals"] if "zips" in block]
    functions = re.findall(r"\w+", local["zips"].split(" in ", 1)[1].split("]")[0])
    assert [f"{name}.zip" for name in functions] == [path.rsplit("/", 1)[1] for path in beside if path.endswith(".zip")]


def test_the_source_bucket_policy_gets_all_that_it_names():
    (output,) = [
        block["source_bucket_policy_json"]
        for block in module("target-account")["output"]
        if "source_bucket_policy_json" in block
    ]
    given = set(re.findall(r"(\w+)'?\s*[:=]", output["value"].split("{", 2)[2]))
    assert given == set(re.findall(r"\$\{(\w+)\}", SOURCE_POLICY_PATH.read_text("utf-8")))


def test_the_example_sets_what_the_modules_demand():
    example = named(module("example")["module"])
    for name, call in example.items():
        folder = call["source"].removeprefix("../")
        variables = named(module(folder)["variable"])
        given = set(call) - {"source", "providers", "depends_on"}
        demanded = {name for name, body in variables.items() if "default" not in body}
        assert demanded <= given <= set(variables), name
        outputs = named(module("source-account")["output"])
        for value in call.values():
            for output in re.findall(r"module\.source_account\.(\w+)", str(value)):
                assert output in outputs
