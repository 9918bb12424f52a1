"""Keeps what a runtime API of AWS lets calls in with in a file, from which Envoy signs or sends it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy.provider_key import render_provider_key
from centralized_ml_api.local.gateway import ExternalUpstream, ProviderAccess, Signing, Upstream
from centralized_ml_api.local.machine.private_file import write_private_file
from centralized_ml_api.local.servers.aws_access import write_credentials
from centralized_ml_api.local.supervision.service import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from centralized_ml_api.local.servers.aws_access import Access, AwsAccess


class AwsService:
    """Ready while AWS can be called; only a call can tell whether a model answers.

    Args:
        source: The access to AWS.
        scratch: Where the credentials may lie, in a folder of their own (mode 0700), until `run` ends.
        changed: Called after each change of the report.
    """

    LOOK_SECONDS = 2.0
    RETRY_SECONDS = 5.0
    SIGNED_FOR: ClassVar[Literal["sagemaker", "bedrock"]]
    """The service that signatures name."""

    def __init__(self, source: AwsAccess, scratch: Path, changed: Callable[[], None]) -> None:
        self._source = source
        self._scratch = scratch
        self._changed = changed
        self._folder: TemporaryDirectory[str] | None = None
        self._report = Report("starting")
        self.access: Access | None = None

    def check(self, access: Access) -> None:
        """Checks that calls may go where the access leads.

        Raises:
            StartError: They may not; the message says why, the fix what to do.
        """

    async def run(self) -> None:
        """Looks again and again until cancelled; the credentials are gone then."""
        try:
            while True:
                report = await self._look()
                await asyncio.sleep(self.LOOK_SECONDS if report.state == "ready" else self.RETRY_SECONDS)
        finally:
            self._remove()

    def report(self) -> Report:
        """Returns ready, or why AWS cannot be called."""
        return self._report

    def upstream(self, name: str) -> ExternalUpstream | Upstream:
        """Returns where the gateway sends calls; nowhere until the first credentials are found."""
        file = self._find_file(self.access) if self.access else None
        if self.access is None or file is None:
            return Upstream(name, ())
        target, ready = self.access.target, self._report.state == "ready"
        if self.access.bearer:
            sent = ProviderAccess("authorization", "Bearer ", file)
            return ExternalUpstream(name, target.host, target.port, target.tls, ready, provider=sent)
        signing = Signing(target.region, file, self.SIGNED_FOR)
        return ExternalUpstream(name, target.host, target.port, target.tls, ready, signing)

    def about(self) -> Mapping[str, Any]:
        """Returns nothing: AWS does not describe its models here."""
        return {}

    def _find_file(self, access: Access) -> Path | None:
        """Returns the file with what an access needs: Envoy reads a key from JSON alone."""
        return (
            Path(self._folder.name, "key.json" if access.bearer else "credentials") if self._folder else None
        )

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
        self.check(access)
        file = self._find_file(access)
        if file is None or not file.is_file():
            self._make_folder()
            file = self._find_file(access)
            self.access = None
        if file is not None and access != self.access:
            _write(file, access)
        self.access = access

    def _make_folder(self) -> None:
        """Makes a new folder each time: once its folder is deleted, Envoy stops watching a file for good."""
        self._remove()
        try:
            self._folder = TemporaryDirectory(prefix="aws-", dir=self._scratch, ignore_cleanup_errors=True)
        except OSError as error:
            raise StartError(f"{self._scratch} cannot be written: {error.strerror or error}") from error

    def _remove(self) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()


def _write(path: Path, access: Access) -> None:
    if access.credentials is None:
        write_private_file(path, render_provider_key(access.bearer))
    else:
        write_credentials(path, access.credentials)
