"""Deployed policies with one thing taken out of them, and put back."""

import copy
import json
from contextlib import contextmanager
from dataclasses import dataclass

# What stands before the name of a document: of any run, and of events.
FOLDERS = ("/runs/*/", "/lists/events/")


@dataclass(frozen=True)
class Cut:
    """One thing taken out of a document: a statement, an action (or several), a resource or a principal of it, or a
    condition that no longer holds."""

    document: str
    sid: str
    kind: str
    what: str = ""

    @property
    def name(self):
        return f"{self.document}: {self.sid}" + (f" without {self.what}" if self.what else "")

    def apply(self, document):
        """The document without it."""
        mutated = copy.deepcopy(document)
        (statement,) = [s for s in mutated["Statement"] if s.get("Sid") == self.sid]
        if self.kind == "statement":
            mutated["Statement"].remove(statement)
        elif self.kind == "action":
            statement["Action"] = [a for a in listed(statement["Action"]) if a not in self.what.split()]
            if not statement["Action"]:
                mutated["Statement"].remove(statement)
        elif self.kind == "resource":
            left = [r for r in listed(statement["Resource"]) if not r.endswith(self.what)]
            assert len(left) + 1 == len(statement["Resource"])
            statement["Resource"] = left
        elif self.kind == "principal":
            left = [p for p in listed(statement["Principal"]["AWS"]) if self.what not in p]
            statement["Principal"]["AWS"] = left
        elif self.kind == "condition":
            # Taking a condition away only widens; it is made impossible instead.
            operator, key = self.what.split(" ", 1)
            impossible = {"Bool": "false", "Null": "true"}.get(operator, "nobody/nothing")
            statement["Condition"][operator][key] = impossible
        else:
            raise AssertionError(self.kind)
        return mutated


@dataclass(frozen=True)
class Mutation:
    """What is missing in one case: one cut, or two where either document alone would allow the call."""

    cuts: tuple

    @property
    def name(self):
        return " + ".join(cut.name for cut in self.cuts)


def cuts_of(document, statements):
    """Each statement, action, document of a run and condition of a document, one at a time."""
    for statement in statements:
        sid = statement["Sid"]
        yield Cut(document, sid, "statement")
        actions = listed(statement["Action"])
        if len(actions) > 1:
            for action in actions:
                yield Cut(document, sid, "action", action)
        resources = listed(statement.get("Resource", []))
        for folder in FOLDERS:
            if len(resources) > 1 and all(folder in resource for resource in resources):
                yield from (Cut(document, sid, "resource", resource.rpartition(folder)[2]) for resource in resources)
        for operator, keys in statement.get("Condition", {}).items():
            for key in keys:
                yield Cut(document, sid, "condition", f"{operator} {key}")


def listed(value):
    return value if isinstance(value, list) else [value]


class Policies:
    """The policies of a deployment, by the names that `shardlift policy` gives them."""

    def __init__(self, deployment, outputs, keys):
        self._deployment = deployment
        self._outputs = outputs
        # The ARNs of the keys, as "source-key" and "target-key".
        self._keys = keys

    @contextmanager
    def without(self, mutation):
        """The deployment while something is missing."""
        originals = {cut.document: self.read(cut.document) for cut in mutation.cuts}
        try:
            for cut in mutation.cuts:
                self.write(cut.document, cut.apply(originals[cut.document]))
            yield
        finally:
            for name, original in originals.items():
                self.write(name, original)

    def _client(self, name, service):
        account = self._deployment.source if name in self._OF_SOURCE else self._deployment.target
        return account.client(service)

    _FUNCTIONS = ("planner", "copier", "renderer", "reporter", "intake")
    _OF_SOURCE = ("source-bucket", "source-key", *(f"{name}-role" for name in _FUNCTIONS))

    def role_name(self, name):
        if name in ("target-role", "target-trust"):
            return self._deployment.target_role_name
        arn = self._outputs[name.replace("-", "_") + "_arn"]
        return arn.rpartition("/")[2]

    def _bucket(self, name):
        return self._outputs[name.replace("-", "_")]

    def _inline_policy(self, name):
        """The name of a role's policy. Where the stack starts runs from events, the reporter has another one."""
        names = self._client(name, "iam").list_role_policies(RoleName=self.role_name(name))["PolicyNames"]
        (policy,) = names if len(names) == 1 else [one for one in names if one == name.removesuffix("-role")]
        return policy

    def read(self, name):
        """A document as it is deployed."""
        if name.endswith("-bucket"):
            policy = self._client(name, "s3").get_bucket_policy(Bucket=self._bucket(name))["Policy"]
            return json.loads(policy)
        if name.endswith("-key"):
            policy = self._client(name, "kms").get_key_policy(KeyId=self._keys[name], PolicyName="default")["Policy"]
            return json.loads(policy)
        iam, role = self._client(name, "iam"), self.role_name(name)
        if name == "target-trust":
            document = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        else:
            policy = self._inline_policy(name)
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        return json.loads(document) if isinstance(document, str) else document

    def write(self, name, document):
        """Puts a document in the place of the deployed one."""
        text = json.dumps(document)
        if name.endswith("-bucket"):
            self._client(name, "s3").put_bucket_policy(Bucket=self._bucket(name), Policy=text)
            return
        if name.endswith("-key"):
            self._client(name, "kms").put_key_policy(KeyId=self._keys[name], PolicyName="default", Policy=text)
            return
        iam, role = self._client(name, "iam"), self.role_name(name)
        if name == "target-trust":
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=text)
        else:
            policy = self._inline_policy(name)
            iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=text)
