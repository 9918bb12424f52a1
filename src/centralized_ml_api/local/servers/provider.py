"""`provider`: a model that somebody else hosts, called with the organizer's one key.

The key is read here, where the config says that it is kept, and again and again: a replaced file or secret
counts within seconds. Envoy adds it to each call, from a file that is written here.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy.provider_key import render_provider_key
from centralized_ml_api.local.gateway import ExternalUpstream, ProviderAccess, Upstream
from centralized_ml_api.local.machine.clock import WALL_CLOCK, Clock
from centralized_ml_api.local.machine.private_file import write_private_file
from centralized_ml_api.local.servers.provider_keys import open_key
from centralized_ml_api.local.servers.provider_models import (
    KeyRefusedError,
    NotAskedError,
    check_provider_key,
)
from centralized_ml_api.local.supervision.service import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from centralized_ml_api.local.servers.parts import ModelSpec, ServiceParts
    from centralized_ml_api.local.servers.provider_keys import KeyReader
    from centralized_ml_api.local.supervision.service import Service
    from centralized_ml_api.plan.provider import ProviderServing


_FILE = "key.json"


class ProviderService:
    """Ready while the key can be read, unless the provider refuses it or cannot be reached.

    Calls go to the provider even then: it may take them again at any moment, and tells the caller otherwise.

    Args:
        serving: The provider.
        keys: Reads the key; None for a server that takes calls without one.
        scratch: Where the key may lie, in a folder of its own (mode 0700), until `run` ends.
        changed: Called after each change of the report.
        check: Asks the provider whether it takes a key.
        clock: Waits between two looks.
    """

    LOOK_SECONDS = 2.0
    """Between two looks at the place of the key."""

    CHECK_SECONDS = 60.0
    RECHECK_SECONDS = 10.0
    """Between two questions to the provider: while it takes the key, and while it does not."""

    def __init__(
        self,
        serving: ProviderServing,
        keys: KeyReader | None,
        scratch: Path,
        changed: Callable[[], None],
        *,
        check: Callable[[ProviderServing, str | None], bool] = check_provider_key,
        clock: Clock = WALL_CLOCK,
    ) -> None:
        self._serving = serving
        self._keys = keys
        self._scratch = scratch
        self._changed = changed
        self._check = check
        self._clock = clock
        self._folder: TemporaryDirectory[str] | None = None
        self._key: str | None = None
        self._missing = ""
        self._report = Report("starting")
        self._next_check = 0.0

    async def run(self) -> None:
        """Looks again and again until cancelled; the key is gone then."""
        try:
            while True:
                await self._look()
                await self._clock.sleep(self.LOOK_SECONDS)
        finally:
            self._remove()

    def report(self) -> Report:
        """Returns ready, or why the provider cannot be called."""
        return self._report

    def upstream(self, name: str) -> ExternalUpstream | Upstream:
        """Returns where the gateway sends calls; nowhere without a key where one is needed."""
        if self._missing or (self._keys is not None and self._file is None):
            return Upstream(name, ())
        target, preset = self._serving.target, self._serving.preset
        access = ProviderAccess(preset.header, preset.prefix, self._file, preset.headers)
        return ExternalUpstream(name, target.host, target.port, target.tls, provider=access)

    def path_of(self, endpoint_name: str) -> str | None:
        """Returns None: the provider's address has the path."""
        del endpoint_name
        return None

    def about(self) -> Mapping[str, Any]:
        """Returns nothing: providers do not describe their models alike."""
        return {}

    @property
    def _file(self) -> Path | None:
        return Path(self._folder.name, _FILE) if self._folder else None

    async def _look(self) -> None:
        before = self._report, self.upstream("")
        if await self._read_key() and self._clock.monotonic() >= self._next_check:
            await self._ask_provider()
        if before != (self._report, self.upstream("")):
            self._changed()

    async def _read_key(self) -> bool:
        """Reads the key and hands it to the gateway; returns whether there is one, or none is needed."""
        if self._keys is None:
            return True
        try:
            key = await asyncio.to_thread(self._keys.read)
            if key != self._key or self._file is None or not self._file.is_file():
                self._hand_over(key)
                self._next_check = 0.0
        except StartError as error:
            self._missing, self._key = _words(error), None
            self._report = Report("unready", self._missing)
            self._remove()
            return False
        self._missing = ""
        return True

    def _hand_over(self, key: str) -> None:
        """Writes the key where the gateway reads it: once its folder is deleted, Envoy watches no more."""
        file = self._file
        if file is None or not file.parent.is_dir():
            file = self._make_folder() / _FILE
        write_private_file(file, render_provider_key(key))
        self._key = key

    def _make_folder(self) -> Path:
        self._remove()
        try:
            self._folder = TemporaryDirectory(prefix="key-", dir=self._scratch, ignore_cleanup_errors=True)
        except OSError as error:
            raise StartError(f"{self._scratch} cannot be written: {error.strerror or error}") from error
        return Path(self._folder.name)

    async def _ask_provider(self) -> None:
        pause = self.RECHECK_SECONDS
        try:
            await asyncio.to_thread(self._check, self._serving, self._key)
        except (KeyRefusedError, NotAskedError) as error:
            self._report = Report("unready", _words(error))
        else:
            self._report = Report("ready", ready_replicas=1)
            pause = self.CHECK_SECONDS
        self._next_check = self._clock.monotonic() + pause

    def _remove(self) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            with contextlib.suppress(OSError):
                folder.cleanup()


def _words(error: StartError | KeyRefusedError | NotAskedError) -> str:
    return f"{error.message} ({error.fix})" if error.fix else error.message


def make_service(
    spec: ModelSpec, serving: ProviderServing, parts: ServiceParts, changed: Callable[[], None]
) -> Service:
    """Makes a service that keeps the key fresh and asks now and then whether it is taken."""
    keys = open_key(serving.key, spec.folders) if serving.key else None
    return ProviderService(serving, keys, parts.scratch, changed)
