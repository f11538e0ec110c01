"""Deployed policies with one thing taken out of them, and put back."""

import copy
import json
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """One thing that is missing: a statement, an action of it, or a condition of it that no longer holds."""

    documents: tuple
    sids: tuple
    kind: str
    what: str

    @property
    def name(self):
        return f"{'+'.join(self.documents)}: {'+'.join(self.sids)} without {self.what or 'itself'}"

    def apply(self, document, sid):
        """The document without it."""
        mutated = copy.deepcopy(document)
        (statement,) = [s for s in mutated["Statement"] if s["Sid"] == sid]
        if self.kind == "statement":
            mutated["Statement"].remove(statement)
        elif self.kind == "action":
            statement["Action"] = [a for a in _listed(statement["Action"]) if a != self.what]
            if not statement["Action"]:
                mutated["Statement"].remove(statement)
        elif self.kind == "principal":
            left = [p for p in _listed(statement["Principal"]["AWS"]) if self.what not in p]
            statement["Principal"]["AWS"] = left
        elif self.kind == "condition":
            # Taking a condition away only widens; it is made impossible instead.
            operator, key = self.what.split(" ", 1)
            impossible = "false" if operator == "Bool" else "nobody/nothing"
            statement["Condition"][operator][key] = impossible
        else:
            raise AssertionError(self.kind)
        return mutated


def _listed(value):
    return value if isinstance(value, list) else [value]


def mutations_of(document, statements, only=("statement", "action", "condition")):
    """Each statement, action and condition of a document, one at a time."""
    for statement in statements:
        sid = statement["Sid"]
        if "statement" in only:
            yield Mutation((document,), (sid,), "statement", "")
        actions = _listed(statement["Action"])
        if "action" in only and len(actions) > 1:
            for action in actions:
                yield Mutation((document,), (sid,), "action", action)
        if "condition" in only:
            for operator, keys in statement.get("Condition", {}).items():
                for key in keys:
                    yield Mutation((document,), (sid,), "condition", f"{operator} {key}")


class Policies:
    """The policies of a deployment, by the names that `shardlift policy` gives them."""

    def __init__(self, deployment, outputs):
        self._deployment = deployment
        self._outputs = outputs

    @contextmanager
    def without(self, mutation):
        """The deployment while something is missing."""
        originals = {name: self._read(name) for name in mutation.documents}
        try:
            for name, sid in zip(mutation.documents, mutation.sids, strict=True):
                self._write(name, mutation.apply(originals[name], sid))
            yield
        finally:
            for name, original in originals.items():
                self._write(name, original)

    def _client(self, name, service):
        account = self._deployment.source if name in self._OF_SOURCE else self._deployment.target
        return account.client(service)

    _OF_SOURCE = ("source-bucket", "planner-role", "copier-role", "reporter-role")

    def _role_name(self, name):
        if name in ("target-role", "target-trust"):
            return self._deployment.target_role_name
        arn = self._outputs[name.replace("-", "_") + "_arn"]
        return arn.rpartition("/")[2]

    def _bucket(self, name):
        return self._outputs[name.replace("-", "_")]

    def _read(self, name):
        if name.endswith("-bucket"):
            policy = self._client(name, "s3").get_bucket_policy(Bucket=self._bucket(name))["Policy"]
            return json.loads(policy)
        iam, role = self._client(name, "iam"), self._role_name(name)
        if name == "target-trust":
            document = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        else:
            (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        return json.loads(document) if isinstance(document, str) else document

    def _write(self, name, document):
        text = json.dumps(document)
        if name.endswith("-bucket"):
            self._client(name, "s3").put_bucket_policy(Bucket=self._bucket(name), Policy=text)
            return
        iam, role = self._client(name, "iam"), self._role_name(name)
        if name == "target-trust":
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=text)
        else:
            (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
            iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=text)
