"""`plan --target aws`, `deploy`, `diff` and `destroy` beyond the straight way."""

from __future__ import annotations

import copy
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.stack.live_endpoints import UNKNOWN_TYPE
from support.aws_inventory import count_leftovers, take_inventory
from support.deployment import STACK
from support.moto_extension.sagemaker_endpoint import ROLLS_BACK

if TYPE_CHECKING:
    from support.deployment import Deployment

pytestmark = pytest.mark.slow

CONFIG: dict[str, Any] = {
    "models": [
        {
            "name": "chat",
            "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1",
            "instance": "ml.g5.2xlarge",
            "integration": {"type": "api"},
        }
    ]
}


def plan(deployment: Deployment) -> dict[str, Any]:
    """What `plan` answers to a script."""
    done = deployment.mlapi("plan", "--target", "aws", "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_plan_names_what_an_edit_replaces_and_a_broken_config_is_still_destroyed(
    deployment: Deployment,
) -> None:
    deployment.write(CONFIG)
    assert plan(deployment)["changes"] is None, "there is nothing to compare with before a deploy"
    said = deployment.deploy(CONFIG).stderr
    assert "The API is PUBLIC" in said
    assert "Billed by the hour from now until it is destroyed, called or not: chat 1 x ml.g5.2xlarge." in said
    assert plan(deployment)["changes"] == [], "nothing changes after a deploy"
    again = json.loads(deployment.mlapi("deploy", "--yes", "--json").stdout)
    assert (again["stack"], again["region"]) == (STACK, "us-east-1")
    assert again["address"] == again["outputs"]["MyApiEndpoint"]

    edited = copy.deepcopy(CONFIG)
    edited["models"][0]["instance"] = "ml.g5.4xlarge"
    deployment.write(edited)
    changes = {change["type"]: change for change in plan(deployment)["changes"]}
    assert changes["AWS::SageMaker::EndpointConfig"]["action"] == "replace"
    endpoint = changes["AWS::SageMaker::Endpoint"]
    assert (endpoint["action"], endpoint["effect"].partition(":")[0]) == ("update", "no downtime")
    assert set(changes) == {"AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Endpoint"}
    assert json.loads(deployment.mlapi("diff", "--json").stdout)["different"] is True

    deployment.write({"models": [{"name": "broken"}]})
    destroyed = deployment.mlapi("destroy", "--yes", "--json")
    assert destroyed.returncode == 0, destroyed.stderr
    answer = json.loads(destroyed.stdout)
    assert (answer["stack"], answer["left"]) == (STACK, [])
    assert [item for item in answer["gone"] if "SageMaker endpoint Central" in item], "each is named"
    assert count_leftovers(deployment.aws) == {}


def test_destroying_what_is_not_there_says_so(deployment: Deployment) -> None:
    deployment.write(CONFIG)
    done = deployment.mlapi("destroy", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"There is no stack {STACK} in us-east-1; nothing billed is left of it.\n"


def test_a_stack_is_destroyed_beside_one_whose_name_begins_like_its_own(deployment: Deployment) -> None:
    deployment.write(CONFIG)
    for stack in ("Ev", "Ev2"):
        done = deployment.mlapi("deploy", "--yes", "--bootstrap", "--stack", stack)
        assert done.returncode == 0, done.stderr + deployment.cdk_log()
    destroyed = deployment.mlapi("destroy", "--yes", "--stack", "Ev")
    assert destroyed.returncode == 0, destroyed.stderr
    assert "Nothing billed is left." in destroyed.stdout
    assert "Ev2" not in destroyed.stdout + destroyed.stderr, "the other stack is neither named nor touched"
    there = take_inventory(deployment.aws)
    assert list(there.stacks) == ["Ev2"]
    (endpoint,) = there.endpoints
    assert endpoint.startswith("Ev2-")
    assert deployment.mlapi("destroy", "--yes", "--stack", "Ev2").returncode == 0
    assert count_leftovers(deployment.aws) == {}, "the second stack kept the first one's role for logs"


def test_an_update_that_sagemaker_takes_back_silently_fails_the_deploy(deployment: Deployment) -> None:
    deployment.deploy(CONFIG)
    (endpoint,) = take_inventory(deployment.aws).endpoints.values()
    deployment.aws.client("sagemaker").add_tags(
        ResourceArn=endpoint["EndpointArn"], Tags=[{"Key": ROLLS_BACK, "Value": "once"}]
    )
    edited = copy.deepcopy(CONFIG)
    edited["models"][0]["instance"] = "ml.g5.4xlarge"
    deployment.write(edited)
    done = deployment.mlapi("deploy", "--yes")
    assert done.returncode == 1
    assert f"{STACK} was deployed, but SageMaker rolled back" in done.stderr
    assert "ml.g5.4xlarge" in done.stderr, "what it should run"
    update = f"update-endpoint --endpoint-name {endpoint['EndpointName']} --endpoint-config-name"
    assert update in done.stderr
    program = [sys.executable, "-m", "centralized_ml_api", "status", "--target", "aws"]
    shown = deployment.run([*program, "--json"])
    (told,) = json.loads(shown.stdout)["endpoints"]
    assert (shown.returncode, told["entry"], told["state"]) == (1, CONFIG["models"][0]["name"], "InService")
    assert told["instances"] == [{"count": 1, "type": UNKNOWN_TYPE}], "its configuration went with the update"
    assert "ml.g5.4xlarge" in told["trouble"], "what the stack says"
    assert update in told["fix"]
    assert update in deployment.run(program).stdout
