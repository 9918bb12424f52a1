"""What the gateways have in common here: each is started before the model, called, and ended."""

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
"""Those of the callers, and of the model."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a gateway is started: an empty folder, and the port of the model behind it."""

    folder: Path
    upstream: int
    say: Say

    def fill(self, template: str, **values: object) -> Path:
        """A configuration of `peers` in the folder, with the values for what stands as `@name@` in it."""
        file = self.folder / Path(template).name
        text = (PEERS / template).read_text(encoding="utf-8")
        file.write_text(fill_in(text, {"upstream": self.upstream, **values}), encoding="utf-8")
        return file


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway that runs: what to send to it, and the process that it is, with its descendants."""

    call: Call
    pid: int


@dataclass(frozen=True, slots=True)
class Peer:
    """One gateway. `start` gives it, and ends it with its block; `versions` are those of what it is made of.

    `versions` fetches what the gateway needs, so that `start` has not to.
    """

    name: str
    about: str
    """Markdown for the page: what it does with a call."""
    start: Callable[[Place], AbstractContextManager[Running]]
    versions: Callable[[Say], dict[str, str]]
    keyed: bool = False
    """Whether it refuses calls without a key."""
    warm_seconds: int = 2
    """For so long it is called before anything counts."""


def fill_in(text: str, values: Mapping[str, object]) -> str:
    """`@name@` becomes the value of that name.

    Raises:
        KeyError: there is no such value.
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
    """A server with all that it starts on these cores, until the block ends; gives its process."""
    log = folder / "said.log"
    pinned = [*pin(cores), *map(str, command)]
    with start(pinned, log=log, folder=folder, environment=environment) as process:
        wait_for_port(port, process, log)
        yield process.pid
