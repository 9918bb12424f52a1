"""Another instance type of a scaled model: a new endpoint, to which the API moves while it answers."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from support.aws_inventory import count_leftovers, take_inventory, take_paths

if TYPE_CHECKING:
    from support.aws_inventory import Inventory
    from support.deployment import Deployment

pytestmark = pytest.mark.slow

SCALING = {"min_capacity": 1, "max_capacity": 3, "invocations_per_instance": 5}
CONFIG: dict[str, Any] = {
    "models": [
        {
            "name": "chat",
            "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1",
            "instance": "ml.g5.2xlarge",
            "autoscaling": SCALING,
            "integration": {"type": "api"},
        }
    ]
}
EDITS: list[dict[str, Any]] = [
    {"instance": "ml.g5.4xlarge", "autoscaling": SCALING},
    {"instance": "ml.g5.12xlarge"},
    {"instance": "ml.g5.12xlarge", "autoscaling": SCALING},
]
"""One after the other: another type, another type without scaling, and scaling alone."""


def edited(changes: dict[str, Any]) -> dict[str, Any]:
    """The config with these values; what they do not name of the two keys is taken away."""
    config = copy.deepcopy(CONFIG)
    del config["models"][0]["instance"], config["models"][0]["autoscaling"]
    config["models"][0].update(changes)
    return config


def called_endpoint(deployment: Deployment) -> str:
    """The endpoint that the API calls."""
    method = take_paths(deployment.aws)["/chat"]["POST"]["methodIntegration"]
    uri: str = method["uri"]
    return uri.rpartition("endpoints/")[2].partition("/")[0]


def check(deployment: Deployment, changes: dict[str, Any]) -> Inventory:
    """One endpoint, of this type, scaled or not, and the API calls it."""
    there = take_inventory(deployment.aws)
    (endpoint,) = there.endpoints.values()
    assert there.variant_of(endpoint)["InstanceType"] == changes["instance"]
    assert called_endpoint(deployment) == endpoint["EndpointName"]
    scaled = [f"endpoint/{endpoint['EndpointName']}/variant/AllTraffic"] if "autoscaling" in changes else []
    assert list(there.scalable_targets) == scaled
    assert list(there.scaling_policies) == scaled
    return there


def test_a_scaled_model_gets_another_type_and_nothing_is_left_of_the_old_endpoint(
    deployment: Deployment,
) -> None:
    deployment.deploy(CONFIG)
    first = check(deployment, CONFIG["models"][0])
    deployment.write(edited(EDITS[0]))
    said = deployment.mlapi("plan", "--target", "aws", "--json")
    effects = [change["effect"] for change in json.loads(said.stdout)["changes"]]
    assert [effect for effect in effects if effect.startswith("no downtime: replaces")], effects
    for changes in EDITS:
        deployment.deploy(edited(changes))
        there = check(deployment, changes)
        assert list(there.apis) == list(first.apis), "the address of the API stays"
    compared = json.loads(deployment.mlapi("diff", "--json").stdout)
    assert compared["different"] is False
    assert deployment.mlapi("destroy", "--yes").returncode == 0
    assert count_leftovers(deployment.aws) == {}
