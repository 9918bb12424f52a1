from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.synthesis import (
    Template,
    build_facts,
    build_test_plan,
    function,
    model,
    package,
    synthesize,
)

if TYPE_CHECKING:
    from pathlib import Path

    from support.synthesis import Deploys

FUNCTION = "AWS::Lambda::Function"
_OWN = "ApiFunctions"


def function_of(template: Template) -> dict[str, Any]:
    """The properties of the only function of the config."""
    (found,) = [
        resource["Properties"]
        for name, resource in template.resources.items()
        if resource["Type"] == FUNCTION and name.startswith(_OWN)
    ]
    properties: dict[str, Any] = found
    return properties


def statements(template: Template) -> list[dict[str, Any]]:
    """What the function's role may do besides writing its log."""
    ((name, role),) = [
        (name, resource["Properties"])
        for name, resource in template.resources.items()
        if resource["Type"] == "AWS::IAM::Role" and name.startswith(_OWN)
    ]
    (policy,) = role["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    assert "logs:PutLogEvents" in found[0]["Action"]
    attached = [each for each in template.of_type("AWS::IAM::Policy") if each["Roles"] == [{"Ref": name}]]
    invoke = [statement for each in attached for statement in each["PolicyDocument"]["Statement"]]
    return [*invoke, *found[1:]]


def test_the_function_is_as_the_config_says(template_of: Deploys) -> None:
    layer = "arn:aws:lambda:us-east-1:123456789012:layer:mine:3"
    written = function(
        memory=512,
        runtime="python3.14",
        handler="index.other",
        layers=[layer],
        environment={"LEVEL": "b"},
        timeout=60,
    )
    found = function_of(template_of(model(integration=written)))
    assert (found["MemorySize"], found["Runtime"], found["Handler"]) == (512, "python3.14", "index.other")
    assert (found["Timeout"], found["Layers"]) == (60, [layer])
    assert found["Environment"]["Variables"]["LEVEL"] == "b"


def test_the_function_knows_its_endpoint(template_of: Deploys) -> None:
    template = template_of(model(integration=function()))
    name = {"Fn::GetAtt": [template.id_of("AWS::SageMaker::Endpoint"), "EndpointName"]}
    assert function_of(template)["Environment"]["Variables"]["ENDPOINT_NAME"] == name


def test_a_known_container_tells_what_the_model_speaks(template_of: Deploys) -> None:
    variables = function_of(template_of(model(integration=function())))["Environment"]["Variables"]
    assert variables["MODEL_SPEAKS"] == "text-generation-inference"
    vllm = build_facts(image="763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm:0.9-gpu")
    variables = function_of(template_of(model(integration=function()), facts=vllm))["Environment"][
        "Variables"
    ]
    assert variables["MODEL_SPEAKS"] == "openai-chat"


def test_the_config_knows_better_what_the_model_speaks(template_of: Deploys) -> None:
    written = function(environment={"MODEL_SPEAKS": "mine"})
    variables = function_of(template_of(model(integration=written)))["Environment"]["Variables"]
    assert variables["MODEL_SPEAKS"] == "mine"
    unknown = function_of(template_of(package(integration=function())))["Environment"]["Variables"]
    assert "MODEL_SPEAKS" not in unknown


def test_invoking_is_allowed_on_this_endpoint_alone(template_of: Deploys) -> None:
    template = template_of(model(integration=function()))
    (invoke,) = statements(template)
    assert invoke["Action"] == "sagemaker:InvokeEndpoint"
    assert invoke["Resource"] == {"Ref": template.id_of("AWS::SageMaker::Endpoint")}


def test_bare_actions_are_allowed_on_everything_and_scoped_ones_where_they_say(template_of: Deploys) -> None:
    bare = function(permissions=["sagemaker:InvokeEndpoint", "s3:GetObject"])
    invoke, other = statements(template_of(model(integration=bare)))
    assert "Ref" in invoke["Resource"]
    assert (other["Action"], other["Resource"]) == ("s3:GetObject", "*")
    where = {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::mine/*"]}
    (scoped,) = statements(template_of(model(integration=function(permissions=where))))
    assert scoped["Resource"] == "arn:aws:s3:::mine/*"


def test_the_log_is_kept_for_a_month_and_goes_with_the_stack(template_of: Deploys) -> None:
    template = template_of(model(integration=function()))
    logs = [resource for resource in template.resources.values() if resource["Type"] == "AWS::Logs::LogGroup"]
    assert len(logs) == 3
    for log in logs:
        assert log["Properties"]["RetentionInDays"] == 30
        assert log["DeletionPolicy"] == "Delete"


def test_what_python_leaves_in_the_folder_is_not_shipped(tmp_path: Path) -> None:
    config = {"models": [model(integration=function())]}
    plan = build_test_plan(config, tmp_path)
    cache = tmp_path / "functions/echo/deep/__pycache__"
    cache.mkdir(parents=True)
    (cache / "index.cpython-311.pyc").write_bytes(b"compiled")
    (tmp_path / "functions/echo/old.pyc").write_bytes(b"compiled")
    synthesize(plan, tmp_path / "out")
    (shipped,) = [file for file in (tmp_path / "out").glob("asset.*") if (file / "index.py").exists()]
    assert [file.name for file in shipped.rglob("*") if file.is_file()] == ["index.py"]
