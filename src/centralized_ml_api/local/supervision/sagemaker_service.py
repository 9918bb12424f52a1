"""A real SageMaker endpoint: nothing of it runs here, but the credentials to call it with are kept fresh."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.gateway import ExternalUpstream, Signing, Upstream
from centralized_ml_api.local.servers.sagemaker import write_credentials
from centralized_ml_api.local.supervision.service import Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.servers.sagemaker import Access, AwsAccess


class SageMakerService:
    """Ready while there is a way into AWS; whether the endpoint answers, only its calls can tell.

    Args:
        access: The way into AWS.
        scratch: Where the credentials may lie, in a folder of their own (mode 0700), until `run` ends.
        own_url: The address of the same API on this machine, which must not be taken for the real one.
        changed: Called after each change of the report.
    """

    LOOK_SECONDS = 2.0
    RETRY_SECONDS = 5.0

    def __init__(self, access: AwsAccess, scratch: Path, own_url: str, changed: Callable[[], None]) -> None:
        self._source = access
        self._scratch = scratch
        self._own_url = own_url
        self._changed = changed
        self._folder: TemporaryDirectory[str] | None = None
        self._report = Report("starting")
        self.access: Access | None = None

    async def run(self) -> None:
        """Looks again and again until cancelled; the credentials are gone then."""
        try:
            while True:
                report = await self._look()
                await asyncio.sleep(self.LOOK_SECONDS if report.state == "ready" else self.RETRY_SECONDS)
        finally:
            self._remove()

    def report(self) -> Report:
        """Ready, or why there is no way into AWS."""
        return self._report

    @property
    def ports(self) -> tuple[int, ...]:
        """None of this machine's: the gateway goes to AWS itself."""
        return ()

    def upstream(self, name: str) -> ExternalUpstream | Upstream:
        """Where the gateway sends calls; to nobody while no way into AWS was ever found."""
        if self.access is None or self._file is None:
            return Upstream(name, ())
        target, signing = self.access.target, Signing(self.access.target.region, self._file)
        ready = self._report.state == "ready"
        return ExternalUpstream(name, target.host, target.port, target.tls, ready, signing)

    def path_of(self, endpoint_name: str) -> str:
        """The path there that takes calls of an endpoint."""
        return self.access.target.invocations_path(endpoint_name) if self.access else "/"

    @property
    def _file(self) -> Path | None:
        return Path(self._folder.name, "credentials") if self._folder else None

    async def _look(self) -> Report:
        before = self._report, self.upstream("")
        try:
            self._take(await asyncio.to_thread(self._source.look))
            self._report = Report("ready", ready_replicas=1)
        except StartError as error:
            self._report = Report("unready", f"{error.message} ({error.fix})" if error.fix else error.message)
        if before != (self._report, self.upstream("")):
            self._changed()
        return self._report

    def _take(self, access: Access) -> None:
        if access.target.url.rstrip("/") == self._own_url:
            raise StartError(
                "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME names this very machine, not AWS",
                fix="unset it where `mlapi up` runs",
            )
        file = self._file
        if file is None or not file.is_file():
            write_credentials(self._make_folder() / "credentials", access.credentials)
        elif access != self.access:
            write_credentials(file, access.credentials)
        self.access = access

    def _make_folder(self) -> Path:
        """Another one each time: where one was deleted, the gateway has lost sight of it for good."""
        self._remove()
        try:
            self._folder = TemporaryDirectory(prefix="aws-", dir=self._scratch, ignore_cleanup_errors=True)
        except OSError as error:
            raise StartError(f"{self._scratch} cannot be written: {error.strerror or error}") from error
        return Path(self._folder.name)

    def _remove(self) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()
