"""A service that calls AWS for its entry, and a user who has keys in the environment alone."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING, TypeVar

from centralized_ml_api.local.gateway import Upstream
from centralized_ml_api.local.servers.aws_service import AwsService
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest

Service = TypeVar("Service", bound=AwsService)


def log_in(monkeypatch: pytest.MonkeyPatch, folder: Path, secret: str) -> None:
    """Leaves nothing of AWS in the environment but an access key with this secret."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)


@contextlib.asynccontextmanager
async def looked(service: Service) -> AsyncIterator[Service]:
    """Runs the service; it has looked once."""
    assert service.upstream("a") == Upstream("a", ()), "calls wait for the first look"
    task = asyncio.create_task(service.run())
    try:
        await until(lambda: service.report().state != "starting", "it has looked")
        yield service
    finally:
        task.cancel()
        await asyncio.wait({task})
