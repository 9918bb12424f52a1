"""Configs with many entries and teams, and the servers behind them, for the scenario `scale`."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.scenarios.gateway.calls import ANSWER, OPENAI_PATH
from bench.scenarios.gateway.nginx import find_nginx
from bench.scenarios.gateway.peer import LOAD_CORES, Place, start_on_port
from bench.serving import PUBLIC_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator


LIMIT_TOKENS, LIMIT_CALLS = 10**12, 10_000
"""What no team reaches while it is measured."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many entries, with or without the paths of a chat, and how many teams, with or without limits."""

    entries: int
    teams: int
    chats: bool = False
    limits: bool = False

    @property
    def name(self) -> str:
        """What the table calls it."""
        limited = " with limits" if self.limits else ""
        return f"{self.entries:,} {'chats' if self.chats else 'entries'}, {self.teams:,} teams{limited}"

    @property
    def kind(self) -> tuple[bool, bool]:
        """What sizes have in common that differ by numbers alone."""
        return self.chats, self.limits


@contextlib.contextmanager
def start_models(place: Place, count: int) -> Iterator[None]:
    """Starts a server at as many addresses."""
    listens = "\n".join(f"    listen {address_of(number)}:{place.upstream};" for number in range(count))
    first = f"    listen 127.0.0.1:{place.upstream};\n"
    folder = place.folder / "models"
    folder.mkdir()
    file = Place(folder, place.upstream, place.say).fill(
        "upstream/many.conf", listens=first + listens, answer=ANSWER
    )
    command = [find_nginx(place.say), "-e", "stderr", "-p", folder, "-c", file]
    with start_on_port(command, place.upstream, folder, cores=LOAD_CORES):
        yield


def address_of(number: int) -> str:
    """Returns the address of the server of an entry, one of 127.0.0.0/8. Pure."""
    return f"127.{1 + number // 65536}.{number // 256 % 256}.{number % 256}"


def build_config(size: Size, port: int) -> dict[str, Any]:
    """Builds the config. Pure."""
    teams = [f"team-{number}" for number in range(size.teams)]
    entries = [build_entry(number, port, chats=size.chats) for number in range(size.entries)]
    limits = {"tokens_per_day": LIMIT_TOKENS, "requests_at_once": LIMIT_CALLS} if size.limits else {}
    return {"models": [], "endpoints": entries, "event": {**PUBLIC_LIMIT, **limits, "teams": teams}}


def build_entry(number: int, port: int, *, chats: bool) -> dict[str, Any]:
    """Builds one entry, whose address has a path that tells whether it chats. Pure."""
    path = OPENAI_PATH if chats else "/invocations"
    local = {"engine": "url", "url": f"http://{address_of(number)}:{port}{path}"}
    return {"name": f"m-{number}", "integration": {"type": "api"}, "local": local}
