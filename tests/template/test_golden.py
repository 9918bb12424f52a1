"""Whole templates, as they are committed: a change of them is seen in a review.

`MLAPI_WRITE_GOLDEN=1 pytest tests/template/test_golden.py` writes them anew.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.aws.planning.load import plan_for_aws
from centralized_ml_api.catalog.catalog import open_catalog
from centralized_ml_api.config.load import load_config
from support.synthesis import (
    REGION,
    Template,
    container,
    function,
    model,
    normalised,
    package,
    synthesize,
)

if TYPE_CHECKING:
    from support.synthesis import Deploys

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "golden"
SCALING = {"min_capacity": 1, "max_capacity": 2, "invocations_per_instance": 5}


def default_config(folder: Path) -> Template:
    """The config that comes with the project, with what the shipped snapshot knows."""
    loaded = load_config(ROOT / "config/models.json", now=datetime(2026, 1, 1, tzinfo=UTC), region=REGION)
    catalog = open_catalog(offline=True, environment={"MLAPI_CACHE": str(folder / "cache")})
    plan = plan_for_aws(loaded, catalog, region=REGION, talk=lambda _: None)
    return synthesize(plan, folder / "out")


def compare(name: str, template: Template) -> None:
    file = GOLDEN / f"{name}.json"
    found = json.dumps(normalised(template.document), indent=1, sort_keys=True) + "\n"
    if os.environ.get("MLAPI_WRITE_GOLDEN"):
        file.write_text(found)
    assert json.loads(found) == json.loads(file.read_text())


def test_the_default_config(tmp_path: Path) -> None:
    compare("default", default_config(tmp_path))


def test_every_feature(template_of: Deploys) -> None:
    models = [
        model("jumpstart", autoscaling=SCALING),
        model("through", integration=function(permissions=["sagemaker:InvokeEndpoint", "s3:GetObject"])),
        package(integration={"type": "api", "headers": ["X-Amzn-SageMaker-Custom-Attributes"]}),
        container(instance=None, instances=["ml.g5.2xlarge", "ml.g5.4xlarge"]),
        package("streamed", speaks="openai-chat", integration={"type": "stream"}),
    ]
    adopted = {"name": "old", "endpoint_name": "Old-Endpoint", "integration": {"type": "api"}}
    compare("every-feature", template_of(*models, endpoints=[adopted]))


def test_an_event(template_of: Deploys) -> None:
    event = {
        "teams": ["red", {"name": "guests", "requests_per_day": 100, "models": ["a-container"]}],
        "requests_per_second": 5,
        "ends": "2030-06-01T18:00:00+02:00",
        "budget": {"usd": 500, "email": "you@example.com"},
    }
    streamed = package("streamed", speaks="openai-chat", integration={"type": "stream"})
    compare("event", template_of(container(), streamed, event=event))


def test_joining(template_of: Deploys) -> None:
    join = {"teams": 2, "until": "2030-06-01T11:00:00+02:00", "limits": {"requests_per_day": 100}}
    event = {"teams": ["red"], "join": join, "ends": "2030-06-01T18:00:00+02:00"}
    compare("joining", template_of(container(), event=event))


def test_the_default_config_has_what_the_snapshot_knows(tmp_path: Path) -> None:
    (found, _) = default_config(tmp_path).of_type("AWS::SageMaker::Model")
    container_of = found["PrimaryContainer"]
    assert container_of["Image"].startswith("763104351884.dkr.ecr.us-east-1.amazonaws.com/")
    assert "jumpstart-cache-prod-us-east-1" in json.dumps(container_of)
    assert container_of["Environment"]
    assert "EnableNetworkIsolation" in found


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.json")), ids=lambda file: file.stem)
def test_golden_templates_hold_nothing_of_this_machine(file: Path) -> None:
    assert str(ROOT) not in file.read_text()
