"""Which quotas a deploy would exceed, what runs already included."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.aws_wire import (
    Answer,
    AwsWire,
    quotas,
    refusal,
)
from support.examined import IMAGE, failed, found, model, the_only, write

if TYPE_CHECKING:
    from pathlib import Path


def test_a_quota_of_0_for_the_instance_type(aws: AwsWire, tmp_path: Path) -> None:
    aws.answers["servicequotas.ListServiceQuotas"] = quotas({"ml.g5.2xlarge": 0})
    finding = the_only(write(tmp_path, model()), "quota")
    assert finding.title == "the quota of ml.g5.2xlarge is 0"
    assert '"ml.g5.2xlarge for endpoint usage" to 1' in finding.fix


def test_quotas_count_the_models_of_one_type_together(aws: AwsWire, tmp_path: Path) -> None:
    aws.answers["servicequotas.ListServiceQuotas"] = quotas({"ml.g5.2xlarge": 2})
    assert not failed(write(tmp_path, model("first"), model("second")))
    finding = the_only(write(tmp_path, model("first"), model("second"), model("third")), "quota")
    assert finding.detail == "2 allowed, 3 started at first, 3 at most"


@pytest.mark.usefixtures("aws")
def test_a_quota_below_what_autoscaling_may_start_is_a_warning(tmp_path: Path) -> None:
    scaling = {"min_capacity": 1, "max_capacity": 9, "invocations_per_instance": 5}
    path = write(tmp_path, model(autoscaling=scaling))
    (warning,) = [finding for finding in found(path) if finding.severity == "warning"]
    assert warning.detail == "4 allowed, 1 started at first, 9 at most"


def test_of_several_types_one_with_a_quota_is_enough(aws: AwsWire, tmp_path: Path) -> None:
    path = write(tmp_path, model(instances=["ml.g5.2xlarge", "ml.g6.2xlarge"]))
    assert not failed(path)
    aws.answers["servicequotas.ListServiceQuotas"] = quotas({"ml.g5.2xlarge": 0})
    assert the_only(path, "quota").title == "no instance type of chat has a quota"


def test_instances_that_run_elsewhere_in_the_account_count(aws: AwsWire, tmp_path: Path) -> None:
    endpoints = [{"EndpointName": "theirs", "EndpointArn": "a", "EndpointStatus": "InService"}]
    variant = {"VariantName": "All", "CurrentInstanceCount": 4, "InstanceType": "ml.g5.2xlarge"}
    aws.answers |= {
        "sagemaker.ListEndpoints": Answer(200, {"Endpoints": endpoints}),
        "sagemaker.DescribeEndpoint": Answer(
            200, {"EndpointConfigName": "c", "ProductionVariants": [variant]}
        ),
        "sagemaker.DescribeEndpointConfig": Answer(200, {"ProductionVariants": [variant]}),
    }
    assert the_only(write(tmp_path, model()), "quota").detail == (
        "4 allowed, 1 started at first, 1 at most; now 4 run elsewhere in the account"
    )


def test_where_nobody_may_see_what_runs_the_quota_alone_counts(aws: AwsWire, tmp_path: Path) -> None:
    aws.answers["sagemaker.ListEndpoints"] = refusal("AccessDeniedException", "not authorized")
    found_quotas = [finding for finding in found(write(tmp_path, model())) if finding.check == "quota"]
    assert [finding.severity for finding in found_quotas] == ["unknown", "ok"]
    assert "not subtracted" in found_quotas[0].title


def test_a_raised_timeout_needs_a_raised_quota(aws: AwsWire, tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_text(json.dumps({"models": [], "endpoints": [], "aws": {"integration_timeout": 120}}))
    name = "Maximum integration timeout in milliseconds"
    for allowed, severity in ((29_000, "error"), (120_000, "ok"), (None, "unknown")):
        listed = [] if allowed is None else [{"QuotaName": name, "Value": allowed}]
        aws.answers["servicequotas.ListServiceQuotas"] = Answer(200, {"Quotas": listed})
        (finding,) = [finding for finding in found(path) if finding.check == "timeout"]
        assert finding.severity == severity
    path.write_text(json.dumps({"models": [], "aws": {"integration_timeout": 29}}))
    assert not [finding for finding in found(path) if finding.check == "timeout"]


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("bytes of a template", {}),
        ("variables of a container", {"environment": {f"V{number}": "" for number in range(101)}}),
        ("V: 1,025 characters of a container's variable", {"environment": {"V": "x" * 1025}}),
    ],
)
def test_counts_over_a_limit(name: str, more: dict[str, Any], aws: AwsWire, tmp_path: Path) -> None:
    aws.answers["servicequotas.ListServiceQuotas"] = quotas({"ml.g5.2xlarge": 300})
    many = [model(f"m{number}", image=IMAGE, instances=["ml.g5.2xlarge"]) for number in range(291)]
    path = write(tmp_path, model(**more)) if more else write(tmp_path, *many)
    assert name in the_only(path, "limits").title


@pytest.mark.slow
@pytest.mark.usefixtures("aws")
def test_the_templates_of_a_large_config_are_compared_with_the_quotas(tmp_path: Path) -> None:
    scaling = {"min_capacity": 1, "max_capacity": 2, "invocations_per_instance": 5}
    entries = [model(f"a-model-of-the-event-number-{number}", autoscaling=scaling) for number in range(250)]
    limits = [finding for finding in found(write(tmp_path, *entries)) if finding.check == "limits"]
    (over,) = limits
    assert over.severity == "error"
    assert "bytes of a template; AWS allows 1,048,576, and AWS does not raise it" in over.title
    assert "split the config" in over.fix
