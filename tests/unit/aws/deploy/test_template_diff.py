"""What an update does to a deployed stack, decided from the two templates alone."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from centralized_ml_api.aws.deploy.changes import changes_data, describe_effects, render_changes
from centralized_ml_api.aws.deploy.template_diff import (
    Change,
    compare_templates,
    creation_order,
    is_replaced,
)

Template = dict[str, Any]


def attribute(name: str, of: str) -> dict[str, list[str]]:
    """`Fn::GetAtt`."""
    return {"Fn::GetAtt": [of, name]}


def template() -> Template:
    """A model behind an API and a function, in the form in which CDK writes it."""
    return {
        "Resources": {
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "MemorySize": 128,
                    "Environment": {"E": attribute("EndpointName", "Endpoint")},
                },
            },
            "Endpoint": {
                "Type": "AWS::SageMaker::Endpoint",
                "Properties": {"EndpointConfigName": attribute("EndpointConfigName", "Config")},
                "Metadata": {"aws:cdk:path": "CentralizedMlApiStack/Api/chat/Endpoint"},
            },
            "Config": {
                "Type": "AWS::SageMaker::EndpointConfig",
                "Properties": {
                    "ProductionVariants": [
                        {"ModelName": attribute("ModelName", "Model"), "InstanceType": "ml.g5.2xlarge"}
                    ]
                },
            },
            "Model": {
                "Type": "AWS::SageMaker::Model",
                "Properties": {"Containers": [{"Image": "mine:1", "Environment": {"A": "1"}}], "Tags": []},
            },
            "Api": {
                "Type": "AWS::ApiGateway::RestApi",
                "Properties": {
                    "Body": {"paths": {"/chat": {"post": {"Fn::Sub": "to ${Endpoint.EndpointName}"}}}}
                },
            },
        }
    }


def changed(**edits: Any) -> dict[str, str]:
    """What happens to each resource when these are edited; None takes one away."""
    new = template()
    for name, value in edits.items():
        if value is None:
            del new["Resources"][name]
        else:
            new["Resources"][name] = value
    return {each.logical_id: each.action for each in compare_templates(template(), new)}


def resource(name: str, **properties: Any) -> dict[str, Any]:
    """A resource of the template with other properties."""
    resource: dict[str, Any] = copy.deepcopy(template()["Resources"][name])
    resource["Properties"].update(properties)
    return resource


def test_nothing_changes_when_nothing_is_edited() -> None:
    assert changed() == {}
    assert render_changes(compare_templates(template(), template())) == "Nothing would change."


@pytest.mark.parametrize("containers", [[{"Image": "mine:2"}], [{"Image": "mine:1", "Environment": {}}]])
def test_another_image_or_environment_replaces_model_and_config_and_moves_the_endpoint(
    containers: list[dict[str, Any]],
) -> None:
    assert changed(Model=resource("Model", Containers=containers)) == {
        "Model": "replace",
        "Config": "replace",
        "Endpoint": "update",
    }


def test_another_instance_keeps_the_model() -> None:
    variants = [{"ModelName": attribute("ModelName", "Model"), "InstanceType": "ml.g5.4xlarge"}]
    edited = resource("Config", ProductionVariants=variants)
    assert changed(Config=edited) == {"Config": "replace", "Endpoint": "update"}


def test_tags_replace_nothing() -> None:
    assert changed(Model=resource("Model", Tags=[{"Key": "a", "Value": "b"}])) == {"Model": "update"}


def test_a_replaced_endpoint_changes_all_that_names_it() -> None:
    edited = resource("Endpoint", EndpointName="chat")
    assert changed(Endpoint=edited) == {"Endpoint": "replace", "Function": "update", "Api": "update"}


def test_more_memory_is_changed_in_place() -> None:
    assert changed(Function=resource("Function", MemorySize=256)) == {"Function": "update"}


def test_a_resource_of_another_type_is_another_resource() -> None:
    assert changed(Function={"Type": "AWS::Logs::LogGroup"}) == {"Function": "replace"}


def test_what_is_new_is_added_and_what_is_missing_is_removed() -> None:
    added = compare_templates({}, template())
    assert [change.action for change in added] == ["add"] * 5
    removed = compare_templates(template(), {"Resources": {}})
    assert [change.logical_id for change in removed] == [change.logical_id for change in reversed(added)]


def test_dependencies_are_created_first() -> None:
    order = creation_order(template()["Resources"])
    assert order.index("Model") < order.index("Config") < order.index("Endpoint") < order.index("Api")
    waiting: dict[str, dict[str, Any]] = {
        "A": {"Type": "T", "DependsOn": ["B"]},
        "B": {"Type": "T", "DependsOn": "C"},
        "C": {"Type": "T"},
    }
    assert creation_order(waiting) == ["C", "B", "A"]


def test_callers_are_told_what_they_notice() -> None:
    containers = [{"Image": "mine:2"}]
    new = {"Resources": {**template()["Resources"], "Model": resource("Model", Containers=containers)}}
    changes = compare_templates(template(), new)
    text = render_changes(changes)
    assert "  update   AWS::SageMaker::Endpoint Api/chat/Endpoint (EndpointConfigName): no downtime" in text
    assert "  replace  AWS::SageMaker::Model Model (Containers): nobody notices" in text
    (endpoint,) = [change for change in changes_data(changes) if change["type"] == "AWS::SageMaker::Endpoint"]
    assert (endpoint["action"], endpoint["because"]) == ("update", ["EndpointConfigName"])


def test_a_new_api_has_another_address() -> None:
    (change,) = compare_templates({"Resources": {"Api": template()["Resources"]["Api"]}}, {"Resources": {}})
    assert describe_effects([change]) == ["the API is gone"]


@pytest.mark.parametrize(
    ("changed", "replaced"), [({"Tags"}, False), ({"Containers", "Tags"}, True), (set[str](), False)]
)
def test_one_replacing_property_is_enough(changed: set[str], replaced: bool) -> None:  # noqa: FBT001  # a table
    assert is_replaced("AWS::SageMaker::Model", changed) is replaced


def test_an_unknown_type_is_changed_in_place() -> None:
    assert not is_replaced("AWS::GameLift::Fleet", {"Name"})


MODEL = "Api/Models/chat"
MOVED = [
    Change("New", f"{MODEL}/Endpoint1a2b3c4d", "AWS::SageMaker::Endpoint", "add"),
    Change("Api", "Api/Http", "AWS::ApiGateway::RestApi", "update", ("Body",)),
    Change("Old", f"{MODEL}/Endpoint", "AWS::SageMaker::Endpoint", "remove"),
]


def test_an_endpoint_that_takes_over_is_said_with_its_order_and_its_duration() -> None:
    added, _, removed = describe_effects(MOVED)
    assert added.startswith("no downtime: replaces the old endpoint")
    words = ["starts, usually in 5 to 20 minutes", "the API moves", "the old one is removed", "both are paid"]
    assert sorted(added.index(word) for word in words) == [added.index(word) for word in words]
    assert removed == "the API has moved to the new endpoint by then"


def test_endpoints_of_different_models_do_not_take_over_from_each_other() -> None:
    other = Change("Old", "Api/Models/paint/Endpoint", "AWS::SageMaker::Endpoint", "remove")
    added, removed = describe_effects([MOVED[0], other])
    assert added.startswith("answers once its instances are ready")
    assert removed == "its path is gone"
