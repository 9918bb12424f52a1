"""Editing a config that is deployed: each edit arrives on the same stack, without collision or leftover."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from support.aws_inventory import Inventory, count_leftovers, take_inventory, take_paths
from support.deployment import ROOT, Config, Deployment

pytestmark = pytest.mark.slow

PACKAGE = "arn:aws:sagemaker:us-east-1:865070037744:model-package/mine"
REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine"
PROPERTIES = {"code": str(ROOT / "functions/example_function"), "permissions": [], "timeout": 20}
SCALING = {"min_capacity": 1, "max_capacity": 3, "invocations_per_instance": 5}


def start() -> Config:
    """Two models behind the API itself."""
    api = {"type": "api"}
    chat = {"name": "chat", "image": f"{REPOSITORY}:1", "instance": "ml.g5.2xlarge", "integration": api}
    paint = {"name": "paint", "model_package_arn": PACKAGE, "instance": "ml.g5.2xlarge", "integration": api}
    return {"models": [chat, paint]}


@dataclass(frozen=True, slots=True)
class Step:
    """One edit of the config as it is then, how it shows on AWS, and whether another endpoint takes over."""

    name: str
    edit: Callable[[Config], None]
    shows: Callable[[Deployment, Inventory], object]
    moves: bool = False


def edit(name: str, **changes: Any) -> Callable[[Config], None]:
    """Changes keys of a model; None takes one away."""

    def edited(config: Config) -> None:
        for model in config["models"]:
            if model["name"] == name:
                model.update(changes)
                for key in [key for key, value in changes.items() if value is None]:
                    del model[key]

    return edited


def container(there: Inventory) -> dict[str, Any]:
    """What the first model runs."""
    model = there.model_of(there.endpoint_of("chat"))
    found: dict[str, Any] = model.get("PrimaryContainer") or model["Containers"][0]
    return found


def method(deployment: Deployment, path: str = "/paint") -> dict[str, Any]:
    """What a POST on a path leads to."""
    found: dict[str, Any] = take_paths(deployment.aws)[path]["POST"]["methodIntegration"]
    return found


def shows_instance(_: Deployment, there: Inventory) -> object:
    """Another instance type is in the variant."""
    return there.variant_of(there.endpoint_of("chat"))["InstanceType"] == "ml.g5.4xlarge"


def shows_image(_: Deployment, there: Inventory) -> object:
    """Another image is in the container."""
    return container(there)["Image"] == f"{REPOSITORY}:2"


def shows_environment(_: Deployment, there: Inventory) -> object:
    """The variable is in the container."""
    return container(there)["Environment"] == {"A": "1"}


def shows_scaling(_: Deployment, there: Inventory) -> object:
    """There is a target with these limits."""
    return [target["MaxCapacity"] for target in there.scalable_targets.values()] == [3]


def shows_wider_scaling(_: Deployment, there: Inventory) -> object:
    """The same target has other limits."""
    return [target["MaxCapacity"] for target in there.scalable_targets.values()] == [9]


def shows_headers(deployment: Deployment, there: Inventory) -> object:
    """The header is mapped."""
    del there
    return "X-Mine" in json.dumps(method(deployment)["requestParameters"])


def own_functions(there: Inventory) -> dict[str, Any]:
    """The functions of the config: all but the one that comes with the API."""
    return {name: function for name, function in there.functions.items() if "Functions" in name}


def shows_function(deployment: Deployment, there: Inventory) -> object:
    """A function stands between."""
    return [name in method(deployment)["uri"] for name in own_functions(there)] == [True]


def shows_memory(_: Deployment, there: Inventory) -> object:
    """The function has more memory."""
    return [function["MemorySize"] for function in own_functions(there).values()] == [1024]


def shows_no_function(deployment: Deployment, there: Inventory) -> object:
    """The API calls the endpoint itself again."""
    endpoint = there.endpoint_of("paint")["EndpointName"]
    return not own_functions(there) and method(deployment)["uri"].endswith(
        f"endpoints/{endpoint}/invocations"
    )


def shows_package(_: Deployment, there: Inventory) -> object:
    """Another source altogether."""
    return container(there)["ModelPackageName"] == PACKAGE


def shows_third(deployment: Deployment, there: Inventory) -> object:
    """A path and an endpoint more."""
    return len(there.endpoints) == 3 and "/third" in take_paths(deployment.aws)


def shows_no_paint(deployment: Deployment, there: Inventory) -> object:
    """A path and an endpoint less."""
    return len(there.endpoints) == 2 and "/paint" not in take_paths(deployment.aws)


def add_third(config: Config) -> None:
    """A model more."""
    config["models"].append({**config["models"][1], "name": "third"})


def remove_paint(config: Config) -> None:
    """A model less."""
    config["models"] = [model for model in config["models"] if model["name"] != "paint"]


FUNCTION = {"type": "lambda", "properties": PROPERTIES}
LARGER = {"type": "lambda", "properties": {**PROPERTIES, "memory": 1024}}
ROUNDS = [
    [
        Step("another instance type", edit("chat", instance="ml.g5.4xlarge"), shows_instance),
        Step("a header", edit("paint", integration={"type": "api", "headers": ["X-Mine"]}), shows_headers),
    ],
    [
        Step("another image", edit("chat", image=f"{REPOSITORY}:2"), shows_image),
        Step("a function", edit("paint", integration=FUNCTION), shows_function),
    ],
    [
        Step("an environment", edit("chat", environment={"A": "1"}), shows_environment),
        Step("more memory", edit("paint", integration=LARGER), shows_memory),
    ],
    [
        Step("autoscaling", edit("chat", autoscaling=SCALING), shows_scaling, moves=True),
        Step("no function", edit("paint", integration={"type": "api"}), shows_no_function),
    ],
    [
        Step("other limits", edit("chat", autoscaling={**SCALING, "max_capacity": 9}), shows_wider_scaling),
        Step("a model more", add_third, shows_third),
    ],
    [
        Step(
            "a package, not scaled",
            edit("chat", image=None, environment=None, autoscaling=None, model_package_arn=PACKAGE),
            shows_package,
            moves=True,
        ),
        Step("a model less", remove_paint, shows_no_paint),
    ],
]
"""What is edited together touches different models, so that each deploy serves two edits."""


def test_every_edit_arrives_on_the_same_stack_without_collision_or_leftover(deployment: Deployment) -> None:
    config = start()
    deployment.deploy(config)
    first = take_inventory(deployment.aws)
    for steps in ROUNDS:
        for step in steps:
            step.edit(config)
        deployment.deploy(config)
        there = take_inventory(deployment.aws)
        for step in steps:
            assert step.shows(deployment, there), f"{step.name}: {step.shows.__doc__}"
        names = " and ".join(step.name for step in steps)
        check_counts(config, there, names)
        first = check_continuity(first, there, names, moved=any(step.moves for step in steps))
    compared = json.loads(deployment.mlapi("diff", "--json").stdout)
    assert compared["different"] is False, "a deployed config has no difference, however often it was edited"
    assert deployment.mlapi("destroy", "--yes").returncode == 0
    assert count_leftovers(deployment.aws) == {}, "nothing is left, in any service"


def check_counts(config: Config, there: Inventory, step: str) -> None:
    """One model, one configuration and one endpoint for each model, and nothing of before."""
    models = config["models"]
    functions = [model for model in models if model["integration"]["type"] == "lambda"]
    scaled = [model for model in models if "autoscaling" in model]
    counts = there.counts()
    sagemaker = [counts[kind] for kind in ("models", "endpoint_configs", "endpoints")]
    assert sagemaker == [len(models)] * 3, f"{step}: no replaced resource is left"
    assert counts["functions"] == 1 + len(functions), f"{step}: one function for each `lambda`, and ours"
    assert counts.get("scalable_targets", 0) == len(scaled), f"{step}: scaled exactly where it is asked for"
    assert counts.get("scaling_policies", 0) == len(scaled), f"{step}: scaled exactly where it is asked for"
    assert counts["log_groups"] == 2 + len(functions), f"{step}: one for the API, one for each function"


def check_continuity(first: Inventory, there: Inventory, step: str, *, moved: bool) -> Inventory:
    """Callers keep the address, and the endpoint unless scaling comes or goes; what to compare with next."""
    assert list(there.apis) == list(first.apis), f"{step}: the address of the API stays"
    before, after = first.endpoint_of("chat"), there.endpoint_of("chat")
    if moved:
        assert after["EndpointArn"] != before["EndpointArn"], f"{step}: another endpoint took over"
        return there
    assert after["EndpointArn"] == before["EndpointArn"], f"{step}: the endpoint is updated where it is"
    assert after["CreationTime"] == before["CreationTime"], f"{step}: the endpoint is never made anew"
    return first
