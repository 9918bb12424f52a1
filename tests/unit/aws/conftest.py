"""AWS on a loopback port, and an environment that leads there and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.aws_wire import healthy_account, serve_aws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.aws_wire import AwsWire


@pytest.fixture(autouse=True)
def aws_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Dummy credentials, no profile of whoever runs the tests, no instance metadata."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("MLAPI_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def aws_server() -> Iterator[AwsWire]:
    """The server of all tests of a module."""
    with serve_aws({}) as wire:
        yield wire


@pytest.fixture
def aws(aws_server: AwsWire, monkeypatch: pytest.MonkeyPatch) -> AwsWire:
    """An account in which everything is in order; a test changes `answers`."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_server.url)
    aws_server.answers = healthy_account()
    for said in (aws_server.spoken, aws_server.asked, aws_server.got):
        said.clear()
    return aws_server
