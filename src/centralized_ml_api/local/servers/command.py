"""`command`: any program that serves HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.plan.engines import CommandServing

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.servers.parts import ModelSpec, Say, ServiceParts
    from centralized_ml_api.local.supervision.process import ServerLog
    from centralized_ml_api.local.supervision.service import Service

_PORT = "{port}"


@dataclass(frozen=True, slots=True)
class CommandServer:
    """A program of the user, told its port by `{port}` in its arguments and by `$PORT`.

    Attributes:
        serving: What the config says.
        environment: The whole environment of the process, without `PORT`.
        cwd: Its folder; a relative path to the program starts there.
    """

    serving: CommandServing
    environment: Mapping[str, str] = field(repr=False)
    cwd: Path

    @property
    def ping_path(self) -> str:
        """The configured path that answers 2xx once the server is ready."""
        return self.serving.ping_path

    @property
    def work_path(self) -> str | None:
        """The engine's, if it has one."""
        return self.serving.work_path

    def launch(self, port: int) -> Launch:
        """Builds the process that will answer on `port`. Pure."""
        argv = tuple(argument.replace(_PORT, str(port)) for argument in self.serving.run)
        return Launch(argv=argv, environment={**self.environment, "PORT": str(port)}, cwd=self.cwd)


def make_service(
    spec: ModelSpec, serving: CommandServing, parts: ServiceParts, changed: Callable[[], None]
) -> Service:
    """Makes a service that looks for the program first."""

    async def prepare(_: Say, __: ServerLog) -> CommandServer:
        environment, cwd = spec.environment, spec.folders[0]
        missing = why_not_here(serving, environment, cwd)
        if missing:
            raise StartError(missing, fix="install it, or correct `run`")
        return CommandServer(serving, environment, cwd)

    return parts.replicate(spec, prepare, changed)


def why_not_here(serving: CommandServing, environment: Mapping[str, str], cwd: Path) -> str | None:
    """Returns why the program cannot be started on this machine; None when it can.

    Args:
        serving: What the config says.
        environment: The environment of the process; its `PATH` is searched.
        cwd: Its folder.
    """
    program = serving.run[0]
    if "/" in program:
        found = shutil.which(cwd / program)
        return None if found else f"{cwd / program} does not exist or is not executable"
    path = environment.get("PATH", "")
    if shutil.which(program, path=path):
        return None
    return f"the program {program} is not installed: no folder in PATH has it"
