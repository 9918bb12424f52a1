"""What cdk-nag's AwsSolutions rules advise against: nothing, but what is listed here with its reason."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from centralized_ml_api.aws.stack import CentralizedMlApiStack
from support.synthesis import STACK, build_test_plan, container, function, model, package

if TYPE_CHECKING:
    from pathlib import Path

Finding = tuple[str, str]

ACCEPTED: dict[Finding, str] = {
    (r"APIG2", "Http/Api/Resource"): "bodies pass as they are; the model alone knows what is valid",
    (
        r"APIG3",
        "Http/Api/DeploymentStage.prod",
    ): "a firewall is the operator's to pay; the stage is throttled",
    (
        r"APIG6",
        "Http/Api/DeploymentStage.prod",
    ): "the access log has every request; execution logs may hold bodies",
    (
        r"IAM4\[.*AmazonAPIGatewayPushToCloudWatchLogs\]",
        "Http/Api/CloudWatchRole",
    ): "what API Gateway demands",
    (r"IAM5\[Resource::\*\]", "Images1"): "ecr:GetAuthorizationToken knows no resource",
    (
        r"IAM5\[Resource::\*\]",
        "JumpStartRole/Role",
    ): "cloudwatch:PutMetricData knows no resource; a condition does",
    (r"IAM5\[Resource::\*\]", "ModelPackageRole/Role"): "cloudwatch:PutMetricData, as above",
    (r"IAM5\[Resource::\*\]", r"Container\w+Role/Role"): "cloudwatch:PutMetricData, as above",
    (r"IAM5\[.*:s3:::[\w-]+/tiny/prepack/\*\]", "Artifacts1"): "the objects of one folder of artifacts",
    (
        r"IAM5\[.*log-group:/aws/sagemaker/Endpoints/\*\]",
        "Role/Role",
    ): "SageMaker names the log group after the endpoint",
    (r"IAM5\[Resource::\*\]", "Functions/through"): "the config itself asks for a bare action, and is warned",
}


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> set[Finding]:
    folder = tmp_path_factory.mktemp("advice")
    scaling = {"min_capacity": 1, "max_capacity": 2, "invocations_per_instance": 5}
    permissions = ["sagemaker:InvokeEndpoint", "s3:GetObject"]
    models = [
        model("direct", autoscaling=scaling),
        model("through", integration=function(permissions=permissions, runtime="python3.13")),
        package(),
        container(),
        package("streamed", integration={"type": "stream"}),
    ]
    plan = build_test_plan({"models": models}, folder)
    app = App(builtin_cloud_formation_validation=False, analytics_reporting=False, outdir=str(folder / "out"))
    CentralizedMlApiStack(app, STACK, plan=plan)
    Validations.of(app).add_plugins(AwsSolutionsChecks())
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    return read_findings(folder / "out/validation-report.json")


def read_findings(report: Path) -> set[Finding]:
    """Rule and construct of each."""
    return {
        (violation["ruleName"].removeprefix("AwsSolutions-"), one["constructPath"])
        for plugin in json.loads(report.read_text())["pluginReports"]
        for violation in plugin["violations"]
        for one in violation["violatingConstructs"]
    }


def is_accepted(finding: Finding, accepted: Finding) -> bool:
    rule, path = accepted
    return bool(re.match(rule, finding[0]) and re.search(path, finding[1]))


def test_every_finding_has_a_reason(findings: set[Finding]) -> None:
    assert findings
    assert not [one for one in findings if not any(is_accepted(one, rule) for rule in ACCEPTED)]


@pytest.mark.parametrize("accepted", ACCEPTED, ids=" ".join)
def test_every_reason_is_still_needed(findings: set[Finding], accepted: Finding) -> None:
    assert any(is_accepted(one, accepted) for one in findings)
