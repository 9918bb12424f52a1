"""What `mlapi doctor` finds before a deploy, against AWS as bytes on a loopback port."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.aws_wire import (
    Answer,
    AwsWire,
    quotas,
    refusal,
    stack_in,
    stack_resources,
    subscriptions,
    xml_refusal,
)
from support.examined import IMAGE, OTHERS_IMAGE, PACKAGE, failed, found, model, the_only, write
from support.jumpstart import make_spec, write_mirror

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.usefixtures("aws")
def test_nothing_stands_against_a_deploy_when_all_is_in_order(tmp_path: Path) -> None:
    findings = found(write(tmp_path, model()))
    assert {finding.severity for finding in findings} == {"ok"}
    checks = {"config", "limits", "credentials", "bootstrap", "stack", "quota", "subscription"}
    checks |= {"concurrency", "log role"}
    assert {finding.check for finding in findings} == checks


@pytest.mark.usefixtures("aws")
def test_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    finding = the_only(write(tmp_path, model()), "credentials")
    assert (finding.title, finding.page.partition("#")[2]) == ("no valid AWS credentials", "no-credentials")


def test_expired_credentials(aws: AwsWire, tmp_path: Path) -> None:
    words = "The security token included in the request is expired"
    aws.answers["sts.GetCallerIdentity"] = xml_refusal("ExpiredToken", words)
    finding = the_only(write(tmp_path, model()), "credentials")
    assert finding.title == "the AWS credentials have expired"
    assert "aws sso login" in finding.fix


def test_credentials_that_aws_does_not_know(aws: AwsWire, tmp_path: Path) -> None:
    words = "The security token included in the request is invalid."
    aws.answers["sts.GetCallerIdentity"] = xml_refusal("InvalidClientTokenId", words)
    assert (
        the_only(write(tmp_path, model()), "credentials").title
        == "AWS does not accept these keys in this region"
    )


def test_without_credentials_what_needs_them_is_named_as_not_looked_at(aws: AwsWire, tmp_path: Path) -> None:
    aws.answers["sts.GetCallerIdentity"] = xml_refusal("ExpiredToken", "expired")
    (unknown,) = [finding for finding in found(write(tmp_path, model())) if finding.severity == "unknown"]
    skipped = "bootstrap, stack, endpoints, end, mail, quota, concurrency, log role, budget, subscription"
    skipped += ", image, timeout, bedrock"
    assert unknown.title == f"not checked without credentials: {skipped}"


@pytest.mark.parametrize(("state", "severity"), [("ENABLED", "ok"), ("DISABLED", "error")])
def test_an_end_of_which_a_part_is_switched_off_is_found(
    aws: AwsWire, tmp_path: Path, state: str, severity: str
) -> None:
    target = {"Arn": "arn:aws:scheduler:::aws-sdk:cloudformation:deleteStack", "RoleArn": "r"}
    schedule = {"StartDate": 1_906_560_000, "State": state, "Target": target}
    aws.answers["cloudformation.ListStackResources"] = stack_resources(
        ("AWS::Scheduler::Schedule", "End", "default|end")
    )
    aws.answers["scheduler.GET /schedules/end"] = Answer(200, schedule)
    (finding,) = [each for each in found(write(tmp_path, model())) if each.check == "end"]
    assert finding.severity == severity
    assert "2030-06-01T16:00:00Z" in finding.title
    assert ("extend 2030-06-01T16:00:00Z" in finding.fix) is (severity == "error")


def test_an_end_that_was_moved_in_part_is_moved_to_the_latest_again(aws: AwsWire, tmp_path: Path) -> None:
    """The stack's deletion, ten minutes after the end, has moved by a day; the endpoint's has not."""
    resources = []
    for name, call, start in (
        ("whole", "cloudformation:deleteStack", 1_906_560_000 + 86_400 + 600),
        ("chat", "sagemaker:deleteEndpoint", 1_906_560_000),
    ):
        target = {"Arn": f"arn:aws:scheduler:::aws-sdk:{call}", "RoleArn": "r"}
        aws.answers[f"scheduler.GET /schedules/{name}"] = Answer(200, {"StartDate": start, "Target": target})
        resources.append(("AWS::Scheduler::Schedule", name, f"default|{name}"))
    aws.answers["cloudformation.ListStackResources"] = stack_resources(*resources)
    (finding,) = [each for each in found(write(tmp_path, model())) if each.check == "end"]
    assert finding.title.endswith(" ends at 2030-06-01T16:00:00Z")
    assert "extend 2030-06-02T16:00:00Z" in finding.fix


def test_a_mail_that_nobody_has_confirmed_is_found(aws: AwsWire, tmp_path: Path) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:Mail"
    aws.answers["cloudformation.ListStackResources"] = stack_resources(("AWS::SNS::Topic", "T", topic))
    aws.answers["sns.ListSubscriptionsByTopic"] = subscriptions(("PendingConfirmation", "email"))
    path = write(tmp_path, model())
    (warning,) = [each for each in found(path) if each.check == "mail"]
    assert (warning.severity, warning.title) == ("warning", "nobody gets the stack's mails")
    aws.answers["sns.ListSubscriptionsByTopic"] = subscriptions((f"{topic}:1", "email"))
    (fine,) = [each for each in found(path) if each.check == "mail"]
    assert (fine.severity, fine.title) == ("ok", "alarms are mailed to you@example.com")


def test_not_bootstrapped(aws: AwsWire, tmp_path: Path) -> None:
    aws.answers["ssm.GetParameter"] = refusal("ParameterNotFound", "no such parameter")
    finding = the_only(write(tmp_path, model()), "bootstrap")
    assert "npx cdk bootstrap aws://123456789012/us-east-1" in finding.fix


def test_bootstrapped_by_somebody_else(aws: AwsWire, tmp_path: Path) -> None:
    aws.answers["ssm.GetParameter"] = refusal("ParameterNotFound", "no such parameter")
    parameters = {"Parameters": [{"Name": "/cdk-bootstrap/acme/version", "Value": "30"}]}
    aws.answers["ssm.GetParametersByPath"] = Answer(200, parameters)
    finding = the_only(write(tmp_path, model()), "bootstrap")
    assert "with qualifier acme, not hnb659fds" in finding.detail
    assert "add --qualifier acme" in finding.fix
    assert "cdk bootstrap" not in finding.fix


def test_bootstrapped_long_ago(aws: AwsWire, tmp_path: Path) -> None:
    aws.answers["ssm.GetParameter"].body["Parameter"]["Value"] = "5"  # type: ignore[index]
    assert "too old" in the_only(write(tmp_path, model()), "bootstrap").detail


@pytest.mark.usefixtures("aws")
def test_an_image_of_another_account_needs_its_consent(tmp_path: Path) -> None:
    own, aws_own = IMAGE, IMAGE.replace("123456789012", "763104351884")
    path = write(tmp_path, model(image=own), model("b", image=aws_own), model("c", image=OTHERS_IMAGE))
    (warning,) = [finding for finding in found(path) if finding.check == "image"]
    assert (warning.severity, warning.title) == ("warning", "the image of c belongs to account 210987654321")
    assert "lets account 123456789012 pull mine" in warning.detail
    assert "arn:aws:iam::123456789012:root" in warning.fix


def test_the_owner_is_asked_to_allow_the_account_in_its_own_partition(aws: AwsWire, tmp_path: Path) -> None:
    identity = aws.answers["sts.GetCallerIdentity"]
    assert isinstance(identity.body, str)
    gov = identity.body.replace("arn:aws:", "arn:aws-us-gov:")
    aws.answers["sts.GetCallerIdentity"] = Answer(200, gov)
    path = write(tmp_path, model("c", image=OTHERS_IMAGE))
    (warning,) = [finding for finding in found(path) if finding.check == "image"]
    assert "arn:aws-us-gov:iam::123456789012:root" in warning.fix


def test_a_package_without_subscription(aws: AwsWire, tmp_path: Path) -> None:
    words = "Caller is not subscribed to the marketplace offering."
    aws.answers["sagemaker.DescribeModelPackage"] = refusal("ValidationException", words)
    finding = the_only(write(tmp_path, model()), "subscription")
    assert words in finding.detail
    assert "https://aws.amazon.com/marketplace" in finding.fix


def test_a_package_of_another_region_is_not_asked_for(aws: AwsWire, tmp_path: Path) -> None:
    elsewhere = PACKAGE.replace("us-east-1", "eu-west-1")
    finding = the_only(write(tmp_path, model(model_package_arn=elsewhere)), "config")
    assert "C110" in finding.title
    assert "sagemaker.DescribeModelPackage" not in aws.asked


@pytest.mark.usefixtures("aws")
def test_a_code_folder_that_is_missing(tmp_path: Path) -> None:
    properties = {"code": "functions/none", "permissions": [], "timeout": 29}
    finding = the_only(
        write(tmp_path, model(integration={"type": "lambda", "properties": properties})), "config"
    )
    assert "functions/none" in finding.detail


@pytest.mark.usefixtures("aws")
def test_a_licence_that_is_not_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gated = make_spec(model_id="gated-model", hosting_eula_key="eula/gated.txt")
    monkeypatch.setenv("MLAPI_JUMPSTART_MIRROR", str(write_mirror(tmp_path / "mirror", gated)))
    finding = the_only(write(tmp_path, model(model_id="gated-model")), "jumpstart")
    assert "eula/gated.txt" in finding.title
    assert '"accept_eula": true' in finding.fix
    assert not failed(write(tmp_path, model(model_id="gated-model", accept_eula=True)))


def test_a_stack_that_cannot_be_updated(aws: AwsWire, tmp_path: Path) -> None:
    aws.answers["cloudformation.DescribeStacks"] = stack_in("ROLLBACK_COMPLETE")
    assert "mlapi destroy" in the_only(write(tmp_path, model()), "stack").fix
    aws.answers["cloudformation.DescribeStacks"] = stack_in("UPDATE_IN_PROGRESS")
    assert "wait" in the_only(write(tmp_path, model()), "stack").fix
    aws.answers["cloudformation.DescribeStacks"] = stack_in("UPDATE_COMPLETE")
    assert not failed(write(tmp_path, model()))


def test_what_may_not_be_asked_is_named_and_stands_against_nothing(aws: AwsWire, tmp_path: Path) -> None:
    words = "User: me is not authorized to perform: servicequotas:ListServiceQuotas"
    aws.answers["servicequotas.ListServiceQuotas"] = refusal("AccessDeniedException", words)
    path = write(tmp_path, model())
    assert not failed(path)
    (unknown,) = [finding for finding in found(path) if finding.severity == "unknown"]
    assert (unknown.check, unknown.page.partition("#")[2]) == ("quota", "no-permission")


def test_everything_is_found_at_once(aws: AwsWire, tmp_path: Path) -> None:
    aws.answers["ssm.GetParameter"] = refusal("ParameterNotFound", "no such parameter")
    aws.answers["servicequotas.ListServiceQuotas"] = quotas({"ml.g5.2xlarge": 0})
    aws.answers["sagemaker.DescribeModelPackage"] = refusal("ValidationException", "not subscribed")
    aws.answers["cloudformation.DescribeStacks"] = stack_in("ROLLBACK_COMPLETE")
    elsewhere = model("elsewhere", model_package_arn=PACKAGE.replace("us-east-1", "eu-west-1"))
    properties = {"code": "functions/none", "permissions": [], "timeout": 29}
    function = model("function", integration={"type": "lambda", "properties": properties})
    crowded = model("crowded", environment={f"V{number}": "" for number in range(101)})
    failures = failed(write(tmp_path, elsewhere, function, crowded))
    counts = {check: len(findings) for check, findings in failures.items()}
    assert counts == {
        "config": 2,
        "limits": 1,
        "bootstrap": 1,
        "stack": 1,
        "quota": 1,
        "subscription": 2,
    }


@pytest.mark.slow
def test_the_verb_says_all_of_it_and_exits_with_1(aws: AwsWire, tmp_path: Path) -> None:
    aws.answers["servicequotas.ListServiceQuotas"] = quotas({"ml.g5.2xlarge": 0})
    path = write(tmp_path, model())
    command = [sys.executable, "-m", "centralized_ml_api", "doctor", str(path), "--region", "us-east-1"]
    plain = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert plain.returncode == 1
    assert "FAIL  the quota of ml.g5.2xlarge is 0" in plain.stdout
    assert "read: docs/how-to/troubleshoot-aws.md#quota" in plain.stdout
    as_json = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False, timeout=60)
    answer = json.loads(as_json.stdout)
    assert (as_json.returncode, answer["ok"]) == (1, False)
    assert [finding["check"] for finding in answer["findings"] if finding["severity"] == "error"] == ["quota"]
