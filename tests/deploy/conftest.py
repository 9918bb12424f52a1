"""The CDK CLI, AWS in a process of its own, and a deployment on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from centralized_ml_api.aws.cdk.bootstrap import DEFAULT_QUALIFIER
from centralized_ml_api.aws.cdk.cdk_cli import provide_cdk
from support.deployment import ROOT, Deployment
from support.jumpstart import make_spec, write_mirror
from support.moto_server import start_moto, start_original

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from centralized_ml_api.aws.cdk.cdk_cli import CdkCli
    from support.moto_server import MotoOriginal, MotoServer

COMPLAINTS = "the simulated AWS did everything that was asked"


@pytest.fixture(scope="session")
def cdk() -> CdkCli:
    """The CDK CLI that package.json pins; fetched by the first test that needs it."""
    (ROOT / ".cache").mkdir(exist_ok=True)
    with FileLock(ROOT / ".cache/cdk.lock"):
        return provide_cdk(ROOT, ROOT / ".cache", print)


@pytest.fixture(scope="session")
def bootstrapped(cdk: CdkCli, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoOriginal]:
    """An AWS in which nothing but the CDK's bootstrap is."""
    folder = tmp_path_factory.mktemp("bootstrapped")
    original = start_original(folder)
    try:
        deployment_on(original.server, folder).bootstrap(cdk, DEFAULT_QUALIFIER)
        yield original
    finally:
        original.end()


@pytest.fixture
def aws(bootstrapped: MotoOriginal, tmp_path: Path) -> Iterator[MotoServer]:
    """An AWS that is bootstrapped. Fails the test when it had to skip something or crashed."""
    with bootstrapped.copy(tmp_path) as server:
        yield server
        assert server.complaints() == [], COMPLAINTS


@pytest.fixture
def bare_aws(tmp_path: Path) -> Iterator[MotoServer]:
    """The same without anything in it."""
    with start_moto(tmp_path) as server:
        yield server
        assert server.complaints() == [], COMPLAINTS


@pytest.fixture
def deployment(aws: MotoServer, tmp_path: Path) -> Deployment:
    """A config to be deployed, where others were before."""
    return deployment_on(aws, tmp_path)


@pytest.fixture
def first_deployment(bare_aws: MotoServer, cdk: CdkCli, tmp_path: Path) -> Deployment:
    """A config to be deployed into an account that is not bootstrapped."""
    del cdk  # only that it is there
    return deployment_on(bare_aws, tmp_path)


def deployment_on(aws: MotoServer, folder: Path) -> Deployment:
    """A deployment. JumpStart is a mirror with one model, `tiny-model`."""
    return Deployment(aws, folder, write_mirror(folder / "mirror", make_spec(model_id="tiny-model")))
