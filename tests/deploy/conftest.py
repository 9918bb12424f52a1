"""The CDK CLI, AWS in a process of its own, and a deployment on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from centralized_ml_api.aws.cdk_cli import provide_cdk
from support.deployment import ROOT, Deployment
from support.jumpstart import make_spec, write_mirror
from support.moto_server import start_moto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from centralized_ml_api.aws.cdk_cli import CdkCli
    from support.moto_server import MotoServer


@pytest.fixture(scope="session")
def cdk() -> CdkCli:
    """The CDK CLI that package.json pins; fetched by the first test that needs it."""
    (ROOT / ".cache").mkdir(exist_ok=True)
    with FileLock(ROOT / ".cache/cdk.lock"):
        return provide_cdk(ROOT, ROOT / ".cache", print)


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[MotoServer]:
    """An empty AWS. Fails the test when it had to skip something or crashed."""
    with start_moto(tmp_path) as server:
        yield server
        assert server.complaints() == [], "the simulated AWS did everything that was asked"


@pytest.fixture
def deployment(aws: MotoServer, cdk: CdkCli, tmp_path: Path) -> Deployment:
    """A config to be deployed. JumpStart is a mirror with one model, `tiny-model`."""
    del cdk  # only that it is there
    mirror = write_mirror(tmp_path / "mirror", make_spec(model_id="tiny-model"))
    return Deployment(aws, tmp_path, mirror)
