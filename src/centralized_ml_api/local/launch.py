"""Describes how one process is started: what every kind of server hands to its supervisor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Protocol

from centralized_ml_api.record import record

LINE_LIMIT_BYTES = 256 * 1024
"""The longest line of a process's output that a log takes whole: the largest event of CloudWatch Logs.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
"""

CALLERS = "/callers"
"""Below it and the name of an entry, the function of that entry finds SageMaker's runtime API."""


@record
class Launch:
    """A process to start: its whole environment, its working folder, and bytes for its standard input.

    It cannot start without the files and folders in `needs`; preparing the server makes them.

    With `stack_bytes` its threads may recurse that deep, where the system allows it.

    Secrets, such as a function's environment, go through `environment` or `stdin`, never through `argv`:
    every user of the machine can read that.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    cwd: Path
    stdin: bytes = field(default=b"", repr=False)
    needs: tuple[Path, ...] = ()
    stack_bytes: int | None = None


class Server(Protocol):
    """A kind of server that speaks HTTP on a loopback port. It is ready when `GET ping_path` returns 2xx."""

    @property
    def ping_path(self) -> str:
        """The path that returns 2xx once the server is ready."""
        ...

    @property
    def work_path(self) -> str | None:
        """A path that answers only if the server works off its calls; None if its ping shows that."""
        ...

    def launch(self, port: int) -> Launch:
        """Returns the process that will listen on 127.0.0.1:`port`. Pure."""
        ...
