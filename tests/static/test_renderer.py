"""The renderer, the one function that bytes of objects pass through, exists only where somebody asked for it."""

from .project import ROOT, SOURCE_TEMPLATE_PATH, TARGET_TEMPLATE_PATH, by_sid, template

CONDITION = "RendersImages"


def test_everything_about_it_depends_on_the_option():
    source = template(SOURCE_TEMPLATE_PATH)
    assert source["Conditions"][CONDITION] == {"Fn::Equals": [{"Ref": "EnableTransforms"}, "true"]}
    for kind in ("Resources", "Outputs"):
        parts = {name: part for name, part in source[kind].items() if name.startswith("Renderer")}
        assert parts
        assert {part.get("Condition") for part in parts.values()} == {CONDITION}
    machine = by_sid(source["Resources"]["StateMachineRole"])
    (renderer,) = [r["Fn::If"] for r in machine["CallTheFunctions"]["Resource"] if "Fn::If" in r]
    assert renderer[:2] == [CONDITION, {"Fn::GetAtt": ["RendererFunction", "Arn"]}]


def test_the_target_role_trusts_it_only_where_it_is_named():
    target = template(TARGET_TEMPLATE_PATH)
    (statement,) = target["Resources"]["TargetRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    *_others, renderer = statement["Principal"]["AWS"]
    assert renderer["Fn::If"][:2] == ["TrustsRenderer", {"Ref": "RendererRoleArn"}]
    assert target["Parameters"]["RendererRoleArn"]["Default"] == ""


def test_the_machine_calls_it_by_the_name_that_it_has():
    """Where it is not deployed, nothing can be referred to."""
    source = template(SOURCE_TEMPLATE_PATH)
    name = source["Resources"]["RendererFunction"]["Properties"]["FunctionName"]["Fn::Sub"]
    called = source["Resources"]["StateMachine"]["Properties"]["DefinitionSubstitutions"]["RendererFunctionArn"]
    assert called["Fn::Sub"].endswith(f":function:{name}")


def test_its_code_logs_nothing_itself():
    """P10: what is logged of an object is its key, its size and its outcome, by the session that both workers share."""
    sources = sorted((ROOT / "lambdas" / "renderer" / "src").glob("*.rs"))
    assert sources
    assert [path.name for path in sources if "tracing::" in path.read_text()] == []
