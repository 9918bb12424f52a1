"""Whether CloudFormation would take the templates, as far as can be told without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aws_cdk import App

from centralized_ml_api.aws.constructs.stack import CentralizedMlApiStack
from centralized_ml_api.catalog.facts import DeployFacts, Eula
from support.linting import lint_template
from support.synthesis import (
    REGION,
    STACK,
    build_facts,
    build_test_plan,
    container,
    function,
    model,
    package,
)

if TYPE_CHECKING:
    from pathlib import Path

    from support.synthesis import Deploys

pytestmark = pytest.mark.slow

SCALING = {"min_capacity": 1, "max_capacity": 2, "invocations_per_instance": 5}
MODELS = [
    model("gated", accept_eula=True, autoscaling=SCALING),
    model("through", integration=function()),
    package(integration={"type": "api", "headers": ["X-Caller"]}),
    container(instance=None, instances=["ml.g5.2xlarge", "ml.g5.4xlarge"]),
    package("streamed", speaks="openai-chat", integration={"type": "stream"}),
]
FACTS = build_facts(
    eula=Eula(required=True, url=None),
    deploy=DeployFacts(1200, 900, 256, "al2-ami-sagemaker-inference-gpu-2"),
)


def test_a_template_with_everything_is_clean(template_of: Deploys) -> None:
    adopted = {"name": "old", "integration": {"type": "api"}}
    assert lint_template(template_of(*MODELS, facts=FACTS, endpoints=[adopted]), REGION) == []


def test_the_cdks_own_validator_finds_nothing(tmp_path: Path) -> None:
    app = App(analytics_reporting=False, outdir=str(tmp_path / "out"))
    CentralizedMlApiStack(app, STACK, plan=build_test_plan({"models": MODELS}, tmp_path, FACTS))
    app.synth()
    assert (tmp_path / "out" / f"{STACK}.template.json").is_file()
