"""The region and the profile that AWS is asked with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.errors import DeployError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("flag", "environment", "region"),
    [
        ("eu-west-1", {"AWS_REGION": "eu-north-1"}, "eu-west-1"),
        (None, {"AWS_REGION": "eu-north-1", "AWS_DEFAULT_REGION": "us-west-2"}, "eu-north-1"),
        (None, {"AWS_DEFAULT_REGION": "us-west-2"}, "us-west-2"),
        (None, {}, "us-east-1"),
    ],
)
def test_the_region_is_the_flags_the_environments_or_the_default(
    flag: str | None, environment: dict[str, str], region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert AwsClients(flag).region == region


def test_a_profile_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(DeployError, match="nobody") as caught:
        AwsClients()
    assert "AWS_PROFILE" in caught.value.fix


def test_services_of_the_users_own_data_path_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    AwsClients("eu-west-1").client("sts")  # AWS's own descriptions are kept for the next one
    facts = {
        "apiVersion": "2026-01-01",
        "endpointPrefix": "beta",
        "protocol": "json",
        "serviceId": "Beta",
        "signatureVersion": "v4",
    }
    description = tmp_path / "beta" / "2026-01-01" / "service-2.json"
    description.parent.mkdir(parents=True)
    description.write_text(json.dumps({"metadata": facts, "operations": {}, "shapes": {}}), encoding="utf-8")
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    assert AwsClients("eu-west-1").client("beta").meta.service_model.api_version == "2026-01-01"
