"""More models than one stack has room for: nested stacks, deployed, updated and destroyed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.aws_inventory import count_leftovers, take_inventory

if TYPE_CHECKING:
    from support.deployment import Deployment

pytestmark = pytest.mark.slow

COUNT = 110


def many() -> dict[str, Any]:
    """Five resources for each of so many models: past the 500 of one stack.

    The last one alone does not scale: its instance type can change in place.
    """
    model = {
        "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1",
        "instance": "ml.g5.2xlarge",
        "speaks": "openai-chat",
        "autoscaling": {"min_capacity": 1, "max_capacity": 2, "invocations_per_instance": 5},
        "integration": {"type": "api"},
    }
    models = [{"name": f"m{number}", **model} for number in range(COUNT)]
    del models[-1]["autoscaling"]
    return {"models": models}


def test_models_in_nested_stacks_are_deployed_compared_updated_and_destroyed(deployment: Deployment) -> None:
    config = many()
    deployment.deploy(config)
    first = take_inventory(deployment.aws)
    assert len(first.stacks) > 1, "they do not fit into one stack"
    assert (len(first.endpoints), len(first.scalable_targets)) == (COUNT, COUNT - 1)
    tables = [json.loads(parameter["Value"]) for parameter in first.parameters.values()]
    known = {name: row["endpoint"] for table in tables for name, row in table.items()}
    assert set(known) == {f"m{number}" for number in range(COUNT)}, "the streaming function finds them all"
    assert set(known.values()) == set(first.endpoints)

    config["models"][-1]["instance"] = "ml.g5.4xlarge"
    deployment.write(config)
    changes = json.loads(deployment.mlapi("plan", "--target", "aws", "--json").stdout)["changes"]
    assert [(change["action"], change["type"].rpartition("::")[2]) for change in changes] == [
        ("replace", "EndpointConfig"),
        ("update", "Endpoint"),
    ], "only the edited model changes, wherever its stack is"

    deployment.deploy(config)
    there = take_inventory(deployment.aws)
    assert (len(there.endpoints), len(there.endpoint_configs), len(there.models)) == (COUNT, COUNT, COUNT)
    assert list(there.endpoints) == list(first.endpoints), "every endpoint stays"
    types = [variant["InstanceType"] for variant in map(there.variant_of, there.endpoints.values())]
    assert types.count("ml.g5.4xlarge") == 1
    assert deployment.mlapi("destroy", "--yes").returncode == 0
    assert count_leftovers(deployment.aws) == {}
