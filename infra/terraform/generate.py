"""Writes what the Terraform modules take over from the templates: variables for parameters, outputs for outputs.

The modules deploy the templates themselves, so that there is one description of each account. Run `make terraform`
after a change of a template's parameters or outputs; a test says when that was forgotten.
"""

import json
import re
import sys
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

INFRA = Path(__file__).resolve().parent.parent
# Each module and its template.
MODULES = {
    INFRA / "terraform" / "source-account": INFRA / "template.yaml",
    INFRA / "terraform" / "target-account": INFRA / "target-account.yaml",
    INFRA / "terraform" / "pair": INFRA / "pair.yaml",
}
# For the project's own tests only.
GROUP_LEFT_OUT = "Tests only"
HEADER = "# Written by infra/terraform/generate.py from infra/{template}: change it there, then run `make terraform`.\n"
# Terraform's regular expressions repeat at most so often (https://github.com/google/re2/wiki/Syntax).
REPEATS_MAX = 1000


def snake(name):
    """`RunKmsKeyArn` as `run_kms_key_arn`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def text(value):
    """A string of HCL, in which `${` and `%{` would begin templates."""
    return json.dumps(value, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def parameters(template):
    """The parameters that a user sets, by name."""
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    left_out = [name for group in groups if group["Label"]["default"] == GROUP_LEFT_OUT for name in group["Parameters"]]
    return {name: parameter for name, parameter in template["Parameters"].items() if name not in left_out}


def kind(parameter):
    """The type of its variable."""
    if parameter.get("AllowedValues") == ["true", "false"]:
        return "bool"
    if parameter["Type"] == "Number":
        return "number"
    is_list = ",(" in parameter.get("AllowedPattern", "") or "(," in parameter.get("AllowedPattern", "")
    return "list(string)" if is_list else "string"


def default(parameter):
    """The default in HCL, or nothing where the user must say."""
    if "Default" not in parameter:
        return None
    value = parameter["Default"]
    match kind(parameter):
        case "list(string)":
            return "[" + ", ".join(text(item) for item in value.split(",") if item) + "]"
        case "string":
            return text(value)
        case _:
            return str(value)


def as_string(name, parameter):
    """The variable's value as CloudFormation takes it."""
    match kind(parameter):
        case "list(string)":
            return f'join(",", var.{snake(name)})'
        case "string":
            return f"var.{snake(name)}"
        case _:
            return f"tostring(var.{snake(name)})"


def conditions(name, parameter):
    """What a value must be, as a condition and in words, so that `terraform plan` says it and not the deployment."""
    value = as_string(name, parameter)
    found = {}
    if kind(parameter) == "string" and "AllowedValues" in parameter:
        allowed = parameter["AllowedValues"]
        words = f"one of {', '.join(text(one) for one in allowed)}"
        found[f"contains([{', '.join(text(one) for one in allowed)}], {value})"] = words
    if "AllowedPattern" in parameter:
        pattern, length_max = repeatable(parameter["AllowedPattern"])
        found[f"can(regex({text(pattern)}, {value}))"] = parameter["ConstraintDescription"]
        if length_max:
            found[f"length({value}) <= {length_max}"] = parameter["ConstraintDescription"]
    if "MaxLength" in parameter:
        found[f"length({value}) <= {parameter['MaxLength']}"] = f"at most {parameter['MaxLength']} characters long"
    if "MinValue" in parameter:
        found[f"var.{snake(name)} >= {parameter['MinValue']}"] = f"at least {parameter['MinValue']}"
    if "MaxValue" in parameter:
        found[f"var.{snake(name)} <= {parameter['MaxValue']}"] = f"at most {parameter['MaxValue']}"
    return found


def repeatable(pattern):
    """The pattern without a repetition that is too large for Terraform, and the length that it stood for."""
    too_large = [match for match in re.finditer(r"\{(\d+),(\d+)\}", pattern) if int(match[2]) > REPEATS_MAX]
    if not too_large:
        return pattern, None
    whole = re.fullmatch(r"\^(\[[^\]]+\])\{(\d+),(\d+)\}\$", pattern)
    if not whole:
        raise ValueError(f"{pattern}: only one class of characters can be repeated more than {REPEATS_MAX} times")
    return f"^{whole[1]}{{{whole[2]},}}$", int(whole[3])


def variable(name, parameter):
    lines = [f'variable "{snake(name)}" {{', f"  type        = {kind(parameter)}"]
    lines.append(f"  description = {text(' '.join(parameter['Description'].split()))}")
    value = default(parameter)
    if value is not None:
        lines.append(f"  default     = {value}")
    lines.append("  nullable    = false")
    for condition, words in conditions(name, parameter).items():
        message = text(f"{snake(name)} must be {words}.")
        lines += ["  validation {", f"    condition     = {condition}", f"    error_message = {message}", "  }"]
    return "\n".join([*lines, "}", ""])


def parameters_file(template_path):
    template = yaml_parse(template_path.read_text("utf-8"))
    found = parameters(template)
    width = max(len(name) for name in found)
    local = [f"    {name:{width}} = {as_string(name, parameter)}" for name, parameter in found.items()]
    locals_ = "\n".join(["locals {", "  parameters = {", *local, "  }", "}", ""])
    blocks = [variable(name, parameter) for name, parameter in found.items()]
    return "\n".join([HEADER.format(template=template_path.name), *blocks, locals_])


def output_value(name, output):
    """The stack's output; null where the stack has it under a condition that is not met."""
    found = "aws_cloudformation_stack.this.outputs"
    return f"lookup({found}, {text(name)}, null)" if "Condition" in output else f"{found}[{text(name)}]"


def outputs_file(template_path):
    template = yaml_parse(template_path.read_text("utf-8"))
    blocks = [
        "\n".join(
            [
                f'output "{snake(name)}" {{',
                f"  description = {text(' '.join(output['Description'].split()))}",
                f"  value       = {output_value(name, output)}",
                "}",
                "",
            ]
        )
        for name, output in template["Outputs"].items()
    ]
    return "\n".join([HEADER.format(template=template_path.name), *blocks])


def files():
    """Every written file and what belongs into it."""
    for module, template_path in MODULES.items():
        yield module / "parameters.tf", parameters_file(template_path)
        yield module / "outputs.tf", outputs_file(template_path)


def main():
    for path, content in files():
        path.write_text(content, "utf-8")
        sys.stdout.write(f"{path.relative_to(INFRA.parent)}\n")


if __name__ == "__main__":
    main()
