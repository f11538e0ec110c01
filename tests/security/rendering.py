"""Templates as CloudFormation would deploy them: parameters filled in, conditions decided."""

import re

NO_VALUE = object()


class Rendering:
    """A template with values for its parameters and for the attributes of its resources.

    `attributes` maps what `Ref`, `Fn::GetAtt` and `Fn::ImportValue` give to a text: "Topic", "PlannerRole.Arn",
    "stack-TopicArn".
    """

    def __init__(self, template, parameters, attributes):
        defaults = {name: p["Default"] for name, p in template["Parameters"].items() if "Default" in p}
        self._values = {**defaults, **parameters, **attributes}
        self._conditions = template.get("Conditions", {})
        self._template = template

    def resource(self, name):
        """A resource's properties, or None when its condition does not hold."""
        resource = self._template["Resources"][name]
        if "Condition" in resource and not self._holds(resource["Condition"]):
            return None
        return self._render(resource["Properties"])

    def _holds(self, condition):
        return self._decide(self._conditions[condition])

    def _decide(self, node):
        ((operator, operands),) = node.items()
        if operator == "Condition":
            return self._holds(operands)
        if operator == "Fn::Equals":
            left, right = (self._render(operand) for operand in operands)
            return left == right
        if operator == "Fn::Not":
            return not self._decide(operands[0])
        if operator == "Fn::And":
            return all(self._decide(operand) for operand in operands)
        raise AssertionError(f"no such condition is known: {operator}")

    def _render(self, node):
        if isinstance(node, list):
            return [item for item in map(self._render, node) if item is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, argument)
        rendered = {key: self._render(value) for key, value in node.items()}
        return {key: value for key, value in rendered.items() if value is not NO_VALUE}

    def _call(self, name, argument):
        if name == "Ref":
            return NO_VALUE if argument == "AWS::NoValue" else self._values[argument]
        if name == "Fn::GetAtt":
            return self._values[".".join(argument)]
        if name == "Fn::Sub":
            text, own = argument if isinstance(argument, list) else (argument, {})
            values = {**self._values, **{key: self._render(value) for key, value in own.items()}}
            return re.sub(r"\$\{([\w:.]+)\}", lambda match: str(values[match[1]]), text)
        if name == "Fn::If":
            condition, then, otherwise = argument
            return self._render(then if self._holds(condition) else otherwise)
        if name == "Fn::Split":
            separator, text = argument
            return self._render(text).split(separator)
        if name == "Fn::Join":
            separator, items = argument
            return separator.join(self._render(items))
        if name == "Fn::ImportValue":
            return self._values[self._render(argument)]
        if name == "Fn::Select":
            index, items = argument
            return self._render(items)[int(index)]
        raise AssertionError(f"no such function is known: {name}")


def canonical(document):
    """Statements by Sid, lists sorted, single values as lists: what a document means, not how it is written."""
    return {statement["Sid"]: _canonical(statement) for statement in document["Statement"]}


def _canonical(statement):
    told = {"Effect": statement["Effect"], "Action": _sorted(statement["Action"])}
    if "Resource" in statement:
        told["Resource"] = _sorted(statement["Resource"])
    if "Principal" in statement:
        principal = statement["Principal"]
        told["Principal"] = principal if principal == "*" else _sorted(principal["AWS"])
    told["Condition"] = {
        operator: {key: _sorted(values) for key, values in keys.items()}
        for operator, keys in statement.get("Condition", {}).items()
    }
    return told


def _sorted(values):
    return sorted(values) if isinstance(values, list) else [values]
