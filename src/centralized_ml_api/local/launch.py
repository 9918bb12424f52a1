"""How one process is started; what every kind of server hands to the supervisor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Launch:
    """A process to start: its whole environment, its folder, and bytes for its standard input.

    It cannot start without the files and folders that it `needs`; preparing the server brings them.

    What may be secret (a function's environment) goes through `environment` or `stdin`, never through
    `argv`, which every user of the machine can read.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    cwd: Path
    stdin: bytes = field(default=b"", repr=False)
    needs: tuple[Path, ...] = ()


class Server(Protocol):
    """A kind of server with HTTP on a loopback port: ready when `GET ping_path` answers 2xx."""

    @property
    def ping_path(self) -> str:
        """The path that answers 2xx once the server is ready."""
        ...

    def launch(self, port: int) -> Launch:
        """The process that will listen on 127.0.0.1:`port`. Pure."""
        ...
