"""What all gateways share: each is started in front of the model, called, and stopped."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.environments import PEERS
from bench.load import Call
from bench.processes import pin, start, wait_for_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GATEWAY_CORES = "0"
LOAD_CORES = "1"
"""The cores of the callers and of the model."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a gateway runs: an empty folder, and the port of the model behind it."""

    folder: Path
    upstream: int
    say: Say

    def fill(self, template: str, **values: object) -> Path:
        """Writes a template of `peers` into the folder, with a value for each `@name@`."""
        file = self.folder / Path(template).name
        text = (PEERS / template).read_text(encoding="utf-8")
        file.write_text(fill_in(text, {"upstream": self.upstream, **values}), encoding="utf-8")
        return file


@dataclass(frozen=True, slots=True)
class Running:
    """A running gateway: what to send to it, and its process, whose descendants belong to it."""

    call: Call
    pid: int


@dataclass(frozen=True, slots=True)
class Peer:
    """One gateway. `start` runs it until its block ends.

    `versions` returns the versions of its parts, and first installs them, which `start` then need not do.
    """

    name: str
    about: str
    """Markdown for the page: what the gateway does with a call."""
    start: Callable[[Place], AbstractContextManager[Running]]
    versions: Callable[[Say], dict[str, str]]
    keyed: bool = False
    """Whether it refuses calls without a key."""
    warm_seconds: int = 2
    """How long it is called before the measurement."""


def fill_in(text: str, values: Mapping[str, object]) -> str:
    """Replaces each `@name@` with the value of that name.

    Raises:
        KeyError: There is no such value.
    """
    return re.sub("@([a-z]+)@", lambda found: str(values[found[1]]), text)


@contextlib.contextmanager
def start_on_port(
    command: Sequence[object],
    port: int,
    folder: Path,
    *,
    cores: str = GATEWAY_CORES,
    environment: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Runs a server and its descendants on these cores until the block ends; yields the process id."""
    log = folder / "said.log"
    pinned = [*pin(cores), *map(str, command)]
    with start(pinned, log=log, folder=folder, environment=environment) as process:
        wait_for_port(port, process, log)
        yield process.pid
