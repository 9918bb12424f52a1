"""`command`: any program that serves HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from centralized_ml_api.local.launch import Launch
from centralized_ml_api.plan.types import CommandServing

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
        """As configured."""
        return self.serving.ping

    @property
    def invocations_path(self) -> str | None:
        """As configured."""
        return self.serving.invocations

    def launch(self, port: int) -> Launch:
        """The process that will answer on `port`."""
        argv = tuple(argument.replace(_PORT, str(port)) for argument in self.serving.run)
        return Launch(argv=argv, environment={**self.environment, "PORT": str(port)}, cwd=self.cwd)


def why_not_here(serving: CommandServing, environment: Mapping[str, str], cwd: Path) -> str | None:
    """Why the program cannot be started on this machine; None when it can.

    Args:
        serving: What the config says.
        environment: The environment of the process; its `PATH` is searched.
        cwd: Its folder.
    """
    program = serving.run[0]
    if "/" in program:
        found = shutil.which(cwd / program)
        return None if found else f"{cwd / program} is not there or not executable"
    path = environment.get("PATH", "")
    if shutil.which(program, path=path):
        return None
    return f"the program {program} is not installed: it is in no folder of PATH"
