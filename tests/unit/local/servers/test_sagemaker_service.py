"""What a real endpoint's service reports and writes, for a user with keys in the environment."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.gateway import ExternalUpstream, Upstream
from centralized_ml_api.local.servers.aws_access import AwsAccess
from centralized_ml_api.local.servers.sagemaker import SageMakerService
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

OWN_URL = "http://127.0.0.1:8081"


@pytest.fixture(autouse=True)
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SageMakerService, "LOOK_SECONDS", 0.01)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@contextlib.asynccontextmanager
async def running(scratch: Path) -> AsyncIterator[SageMakerService]:
    """A service after its first look."""
    service = SageMakerService(AwsAccess("sagemaker-runtime", "eu-west-1"), scratch, OWN_URL, lambda: None)
    assert service.upstream("a") == Upstream("a", ()), "calls wait for the first look"
    task = asyncio.create_task(service.run())
    try:
        await until(lambda: service.report().state != "starting", "it has looked")
        yield service
    finally:
        task.cancel()
        await asyncio.wait({task})


def test_the_credentials_are_there_before_the_gateway_hears_of_them_and_go_with_it(tmp_path: Path) -> None:
    async def serve() -> Path:
        async with running(tmp_path) as service:
            upstream = service.upstream("a")
            assert isinstance(upstream, ExternalUpstream)
            assert upstream.signing is not None
            assert (upstream.ready, upstream.tls, upstream.signing.region) == (True, True, "eu-west-1")
            assert "AKID" in upstream.signing.credentials.read_text()
            return upstream.signing.credentials

    assert not asyncio.run(serve()).exists()
    assert list(tmp_path.iterdir()) == []


def test_an_address_that_is_this_machines_own_would_go_round_in_circles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", f"{OWN_URL}/")

    async def serve() -> str:
        async with running(tmp_path) as service:
            assert service.upstream("a") == Upstream("a", ())
            return f"{service.report().state}: {service.report().detail}"

    said = asyncio.run(serve())
    assert said.startswith("unready: AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME")
    assert "unset it" in said


def test_credentials_that_are_deleted_are_written_where_the_gateway_looks_anew(tmp_path: Path) -> None:
    async def serve() -> None:
        async with running(tmp_path) as service:
            before = service.upstream("a")
            assert isinstance(before, ExternalUpstream)
            assert before.signing is not None
            shutil.rmtree(before.signing.credentials.parent)
            await until(lambda: service.upstream("a") != before, "the gateway hears of another file")
            after = service.upstream("a")
            assert isinstance(after, ExternalUpstream)
            assert after.signing is not None
            assert "AKID" in after.signing.credentials.read_text()

    asyncio.run(serve())
    assert list(tmp_path.iterdir()) == []
