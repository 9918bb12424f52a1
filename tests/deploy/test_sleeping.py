"""A model that sleeps on the simulated AWS, from the deploy to the destroy."""

from __future__ import annotations

import copy
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from support.aws_inventory import count_leftovers, take_inventory, take_paths

if TYPE_CHECKING:
    from support.deployment import Deployment

pytestmark = pytest.mark.slow

AWAKE = {"min_capacity": 1, "max_capacity": 2, "invocations_per_instance": 5}
SLEEPS = {**AWAKE, "min_capacity": 0, "resources": {"memory_mb": 1024, "accelerators": 1}}
CONFIG: dict[str, Any] = {
    "models": [
        {
            "name": "chat",
            "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1",
            "instance": "ml.g5.2xlarge",
            "autoscaling": AWAKE,
            "integration": {"type": "api"},
        }
    ]
}


def edited(**changes: Any) -> dict[str, Any]:
    config = copy.deepcopy(CONFIG)
    config["models"][0].update(changes)
    return config


def test_a_model_moves_to_sleep_sleeps_wakes_is_updated_and_leaves_nothing(deployment: Deployment) -> None:
    deployment.deploy(CONFIG)
    assert take_inventory(deployment.aws).components == {}
    deployment.write(edited(autoscaling=SLEEPS))
    said = json.loads(deployment.mlapi("plan", "--target", "aws", "--json").stdout)
    effects = [change["effect"] for change in said["changes"] if "Endpoint" in change["type"]]
    assert [effect for effect in effects if effect.startswith("no downtime: replaces")], effects

    deployment.deploy(edited(autoscaling=SLEEPS))
    there = take_inventory(deployment.aws)
    (endpoint,), ((name, component),) = there.endpoints.values(), there.components.items()
    assert component["EndpointName"] == endpoint["EndpointName"]
    assert list(there.scalable_targets) == [f"inference-component/{name}"]
    method = take_paths(deployment.aws)["/chat"]["POST"]["methodIntegration"]
    named = method["requestParameters"]["integration.request.header.X-Amzn-SageMaker-Inference-Component"]
    assert named == f"'{name}'"

    sagemaker = deployment.aws.client("sagemaker")
    sagemaker.update_inference_component_runtime_config(
        InferenceComponentName=name, DesiredRuntimeConfig={"CopyCount": 0}
    )
    aws = [sys.executable, "-m", "centralized_ml_api"]
    asleep = json.loads(deployment.run([*aws, "status", "--target", "aws", "--json"]).stdout)
    assert asleep["endpoints"][0]["state"] == "asleep"
    woken = deployment.run([*aws, "wake", "chat", "--target", "aws"])
    assert woken.stdout == "chat is ready.\n", woken.stderr
    assert take_inventory(deployment.aws).components[name]["RuntimeConfig"]["CurrentCopyCount"] == 1
    hours = [{"from": "2020-01-01T08:00:00Z", "to": "2098-01-01T18:00:00Z"}]
    other = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:2"
    deployment.deploy({**edited(autoscaling=SLEEPS, image=other), "event": {"hours": hours}})
    updated = take_inventory(deployment.aws)
    (target,) = updated.scalable_targets.values()
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 2), "it is within the hours"
    assert list(updated.components) == [name], "the component stays"
    model = updated.models[updated.components[name]["Specification"]["ModelName"]]
    assert model["PrimaryContainer"]["Image"] == other
    assert list(updated.endpoints) == list(there.endpoints)

    assert deployment.mlapi("destroy", "--yes").returncode == 0
    assert count_leftovers(deployment.aws) == {}
