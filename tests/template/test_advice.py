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
    (
        r"IAM5\[.*:sagemaker:.*:endpoint/\*\]",
        "EndpointEndsRole",
    ): "CloudFormation names endpoints; a condition names the stack",
    (
        r"IAM5\[.*:application-autoscaling:.*:scalable-target/\*\]",
        "EndpointEndsRole",
    ): "no template knows the name of a scalable target; a condition names the stack",
}
"""By rule and logical id."""


ACL = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/Ours/1a2b3c4d-1111-2222-3333-444455556666"
AWS = {
    "permissions_boundary": "arn:aws:iam::123456789012:policy/Boundary",
    "tags": {"CostCenter": "1234"},
    "vpc": {"subnets": ["subnet-0a1b2c3d4e5f60718"], "security_groups": ["sg-0a1b2c3d4e5f60718"]},
    "waf_acl": ACL,
    "allow_from": ["203.0.113.0/24"],
}
IN_A_NETWORK: dict[Finding, str] = {
    (
        r"IAM5\[Resource::\*\]",
        "Api(Function)?Network",
    ): "EC2 has no resource for an interface that is yet to be made",
}
"""What else is accepted of a config with `aws`."""


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> set[Finding]:
    return find(tmp_path_factory.mktemp("advice"))


@pytest.fixture(scope="module")
def findings_in_a_company(tmp_path_factory: pytest.TempPathFactory) -> set[Finding]:
    return find(tmp_path_factory.mktemp("company"), aws=AWS)


def find(folder: Path, **more: object) -> set[Finding]:
    """The findings for a config with everything, and with these keys."""
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
    plan = build_test_plan({"models": models, "event": event, **more}, folder)
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


def test_every_finding_in_a_companys_account_has_a_reason(findings_in_a_company: set[Finding]) -> None:
    found, reasons = findings_in_a_company, {**ACCEPTED, **IN_A_NETWORK}
    assert not [finding for finding in found if not any(is_accepted(finding, rule) for rule in reasons)]
    for rule in IN_A_NETWORK:
        assert any(is_accepted(finding, rule) for finding in found)
    firewall = [finding for finding in found if finding[0].startswith("APIG3")]
    assert firewall == [], "a web ACL is what that rule asks for"


@pytest.mark.parametrize("accepted", ACCEPTED, ids=" ".join)
def test_every_reason_is_still_needed(findings: set[Finding], accepted: Finding) -> None:
    assert any(is_accepted(finding, accepted) for finding in findings)
