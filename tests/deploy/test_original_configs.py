"""The configs of the original project deploy as they were written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.aws_inventory import count_leftovers, take_inventory, take_paths
from support.deployment import ROOT
from support.jumpstart import make_spec, write_mirror

if TYPE_CHECKING:
    from support.aws_inventory import Inventory
    from support.deployment import Deployment

pytestmark = pytest.mark.slow

OWNER = "arn:aws:sagemaker:us-east-1:865070037744:model-package"
STABLE_DIFFUSION = f"{OWNER}/sdxl-v1-0-8cc703e-43ceeb816ad635d18270e159eb5096ad"
LLAMA = f"{OWNER}/llama2-7b-f-e46eb8a833643ed58aaccd81498972c3"


def documented_example() -> dict[str, Any]:
    """What the original documents, its placeholders filled and its retired runtime replaced."""
    properties = {
        "code": str(ROOT / "functions/example_function"),
        "permissions": ["s3:GetObject", "s3:ListBucket"],
        "timeout": 30,
        "memory": 512,
        "layers": ["arn:aws:lambda:us-east-1:123456789012:layer:mine:1"],
        "runtime": "python3.13",
    }
    behind_function = {"type": "lambda", "headers": ["Header1", "Header2"], "properties": properties}
    scaling = {"max_capacity": 5, "min_capacity": 1, "invocations_per_instance": 5}
    first = {"name": "my-model-1", "model_id": "model-123", "instance": "ml.g5.4xlarge"}
    second = {"name": "my-model-2", "model_package_arn": STABLE_DIFFUSION, "instance": "ml.g5.4xlarge"}
    adopted = {
        "name": "existing-endpoint-1",
        "integration": {"type": "api", "headers": ["HeaderA", "HeaderB"]},
    }
    return {
        "models": [
            {**first, "autoscaling": scaling, "integration": behind_function},
            {**second, "integration": {"type": "api"}},
        ],
        "endpoints": [adopted],
    }


def llama_config() -> dict[str, Any]:
    """Two Marketplace packages behind the API itself."""
    llama = {"name": "llama-2", "model_package_arn": LLAMA, "instance": "ml.g5.4xlarge"}
    paint = {"name": "sd-1-0", "model_package_arn": STABLE_DIFFUSION, "instance": "ml.g5.2xlarge"}
    headers = ["X-Amzn-SageMaker-Custom-Attributes"]
    return {
        "models": [
            {**llama, "integration": {"type": "api", "headers": headers}},
            {**paint, "integration": {"type": "api"}},
        ],
        "endpoints": [],
    }


def test_the_documented_example_and_the_llama_config_follow_each_other(deployment: Deployment) -> None:
    model = make_spec(model_id="model-123", supported_inference_instance_types=["ml.g5.4xlarge"])
    write_mirror(deployment.mirror, model)
    deployment.deploy(documented_example())
    example = take_inventory(deployment.aws)
    paths = take_paths(deployment.aws)
    assert {"/my-model-1", "/my-model-2", "/existing-endpoint-1"} <= set(paths)
    assert "HeaderA" in str(paths["/existing-endpoint-1"]["POST"]["methodIntegration"]["requestParameters"])
    assert (example.counts()["endpoints"], example.counts()["scalable_targets"]) == (2, 1)
    (function,) = functions_of_the_config(example)
    assert (function["Runtime"], function["Timeout"], function["MemorySize"]) == ("python3.13", 30, 512)

    deployment.deploy(llama_config())
    llama = take_inventory(deployment.aws)
    assert {"/llama-2", "/sd-1-0"} <= set(take_paths(deployment.aws))
    assert functions_of_the_config(llama) == [], "nothing of the first config is left"
    assert llama.scalable_targets == {}, "nothing of the first config is left"
    packages = [container["ModelPackageName"] for container in map(container_of, llama.models.values())]
    assert sorted(packages) == sorted([LLAMA, STABLE_DIFFUSION])
    assert all(each["EnableNetworkIsolation"] for each in llama.models.values())
    assert list(llama.apis) == list(example.apis), "the address of the API stays"
    assert deployment.mlapi("destroy", "--yes").returncode == 0
    assert count_leftovers(deployment.aws) == {}


def functions_of_the_config(inventory: Inventory) -> list[dict[str, Any]]:
    """All but the API's own one, which says what is ready and runs on Node."""
    return [
        function for function in inventory.functions.values() if not function["Runtime"].startswith("nodejs")
    ]


def container_of(model: dict[str, Any]) -> dict[str, Any]:
    """The only container of a model."""
    container: dict[str, Any] = model.get("PrimaryContainer") or model["Containers"][0]
    return container
