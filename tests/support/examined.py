"""A config that `mlapi doctor` examines against AWS as bytes on a wire."""

from __future__ import annotations

import functools
import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.doctor.context import load_context
from centralized_ml_api.aws.doctor.examine import examine

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.finding import Finding

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/mine"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
OTHERS_IMAGE = IMAGE.replace("123456789012", "210987654321")
STACK = "CentralizedMlApiStack"


def model(name: str = "chat", **more: Any) -> dict[str, Any]:
    """A model of the config, from a Marketplace package unless it is said otherwise."""
    source = {} if {"model_id", "image"} & set(more) else {"model_package_arn": PACKAGE}
    instance = {} if "instances" in more else {"instance": "ml.g5.2xlarge"}
    return {"name": name, **source, **instance, "integration": {"type": "api"}, **more}


def write(folder: Path, *models: dict[str, Any]) -> Path:
    """A config with these models."""
    path = folder / "models.json"
    path.write_text(json.dumps({"models": models}), encoding="utf-8")
    return path


@functools.cache
def clients_of(url: str, *credentials: str | None) -> AwsClients:
    """Clients of a server, for all tests with these credentials: to make one takes longer than a call."""
    assert url
    assert credentials
    return AwsClients("us-east-1")


def found(path: Path) -> list[Finding]:
    """What the doctor finds."""
    credentials = map(os.environ.get, ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    clients = clients_of(os.environ["AWS_ENDPOINT_URL"], *credentials)
    return examine(load_context(path, clients, STACK, NOW))


def failed(path: Path) -> dict[str, list[Finding]]:
    """What stands against a deploy, by check."""
    by_check: dict[str, list[Finding]] = {}
    for finding in found(path):
        if finding.severity == "error":
            by_check.setdefault(finding.check, []).append(finding)
    return by_check


def the_only(path: Path, check: str) -> Finding:
    """The one thing that stands against a deploy."""
    failures = failed(path)
    assert list(failures) == [check], "nothing else stands against it"
    (finding,) = failures[check]
    assert finding.fix, "every failure says how to fix it"
    return finding
