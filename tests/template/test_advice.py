"""What cdk-nag's AwsSolutions rules advise against: nothing, but what is listed here with its reason."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk.cloudformation_include import CfnInclude
from cdk_nag import AwsSolutionsChecks

from support.synthesis import (
    STACK,
    Template,
    build_test_plan,
    container,
    function,
    model,
    package,
    synthesize,
)

if TYPE_CHECKING:
    from pathlib import Path

Finding = tuple[str, str]

ACCEPTED: dict[Finding, str] = {
    (r"APIG2", "HttpApi"): "bodies pass as they are; the model alone knows what is valid",
    (r"APIG3", "HttpApiDeploymentStageprod"): "a firewall is the operator's to pay; the stage is throttled",
    (
        r"APIG6",
        "HttpApiDeploymentStageprod",
    ): "the access log has every request; execution logs may hold bodies",
    (
        r"IAM4\[.*AmazonAPIGatewayPushToCloudWatchLogs\]",
        "HttpApiCloudWatchRole",
    ): "what API Gateway demands",
    (r"IAM5\[Resource::\*\]", "Images1"): "ecr:GetAuthorizationToken knows no resource",
    (
        r"IAM5\[Resource::\*\]",
        "JumpStartRole",
    ): "cloudwatch:PutMetricData knows no resource; a condition does",
    (r"IAM5\[Resource::\*\]", "ModelPackageRole"): "cloudwatch:PutMetricData, as above",
    (r"IAM5\[Resource::\*\]", r"Container\w+Role"): "cloudwatch:PutMetricData, as above",
    (r"IAM5\[.*:s3:::[\w-]+/tiny/prepack/\*\]", "Artifacts1"): "the objects of one folder of artifacts",
    (
        r"IAM5\[.*log-group:/aws/sagemaker/Endpoints/\*\]",
        "Role",
    ): "SageMaker names the log group after the endpoint",
    (r"IAM5\[Resource::\*\]", "Functionsthrough"): "the config itself asks for a bare action, and is warned",
    (
        r"IAM5\[.*:apigateway:.*/apikeys/\*\]",
        "KeyEndsRole",
    ): "API Gateway names keys; a condition names the stack",
}
"""By rule and logical id."""


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> set[Finding]:
    folder = tmp_path_factory.mktemp("advice")
    scaling = {"min_capacity": 1, "max_capacity": 2, "invocations_per_instance": 5}
    permissions = ["sagemaker:InvokeEndpoint", "s3:GetObject"]
    models = [
        model("direct", autoscaling=scaling),
        model("through", integration=function(permissions=permissions, runtime="python3.14")),
        package(),
        container(),
        package("streamed", speaks="openai-chat", integration={"type": "stream"}),
    ]
    event = {
        "teams": [{"name": "red", "models": ["direct"]}],
        "ends": "2030-06-01T18:00:00Z",
        "budget": {"usd": 500, "email": "you@example.com"},
    }
    plan = build_test_plan({"models": models, "event": event}, folder)
    return examine(synthesize(plan, folder / "out"), folder)


def examine(template: Template, folder: Path) -> set[Finding]:
    """The findings for a template, read back into the CDK's typed classes, which alone the rules look at."""
    file = folder / "examined.json"
    own = {key: value for key, value in template.document.items() if key != "Rules"}
    parameters = {key: value for key, value in own["Parameters"].items() if key != "BootstrapVersion"}
    own = {**own, "Parameters": parameters}  # the other one is added to any stack
    file.write_text(json.dumps(own))
    output = folder / "examined"
    app = App(builtin_cloud_formation_validation=False, analytics_reporting=False, outdir=str(output))
    CfnInclude(Stack(app, STACK), "Template", template_file=str(file))
    Validations.of(app).add_plugins(AwsSolutionsChecks())
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    return read_findings(output / "validation-report.json")


def read_findings(report: Path) -> set[Finding]:
    """Rule and construct of each; the last part of a construct's path is its logical id."""
    return {
        (violation["ruleName"].removeprefix("AwsSolutions-"), construct["constructPath"])
        for plugin in json.loads(report.read_text())["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }


def is_accepted(finding: Finding, accepted: Finding) -> bool:
    rule, path = accepted
    return bool(re.match(rule, finding[0]) and re.search(path, finding[1]))


def test_every_finding_has_a_reason(findings: set[Finding]) -> None:
    assert findings
    assert not [finding for finding in findings if not any(is_accepted(finding, rule) for rule in ACCEPTED)]


@pytest.mark.parametrize("accepted", ACCEPTED, ids=" ".join)
def test_every_reason_is_still_needed(findings: set[Finding], accepted: Finding) -> None:
    assert any(is_accepted(finding, accepted) for finding in findings)
