"""What a real endpoint's service reports and writes, for a user with keys in the environment."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.gateway import ExternalUpstream, Upstream
from centralized_ml_api.local.servers.aws_access import AwsAccess
from centralized_ml_api.local.servers.sagemaker import SageMakerService
from support.aws_service import log_in, looked
from support.waiting import until

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

OWN_URL = "http://127.0.0.1:8081"


@pytest.fixture(autouse=True)
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SageMakerService, "LOOK_SECONDS", 0.01)
    log_in(monkeypatch, tmp_path, "secret")


def running(scratch: Path) -> AbstractAsyncContextManager[SageMakerService]:
    """A service after its first look."""
    access = AwsAccess("sagemaker-runtime", "eu-west-1")
    return looked(SageMakerService(access, scratch, OWN_URL, lambda: None))


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
