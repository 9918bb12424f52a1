"""Starts two `mlapi up` at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.faults.api import Api, build_config

if TYPE_CHECKING:
    from pathlib import Path

AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Raced:
    """How often exactly one of two served, and the other said who holds the state folder."""

    rounds: int
    decided: int
    said: tuple[str, ...]
    """The messages of those that did not serve."""


def race(folder: Path, rounds: int) -> Raced:
    """Runs `rounds` races for the same state folder."""
    results = [_race_once(folder / str(number)) for number in range(rounds)]
    return Raced(rounds, sum(decided for decided, _ in results), tuple(said for _, said in results))


def _race_once(folder: Path) -> tuple[bool, str]:
    (folder / "function").mkdir(parents=True)
    (folder / "function/index.py").write_text(
        "def lambda_handler(event, context): return {}\n", encoding="utf-8"
    )
    api = Api(folder, folder / "state")
    api.write_config(build_config())
    arguments = ("up", "models.json", "--detach", "--port", "0")
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            done = list(pool.map(lambda _: api.mlapi(*arguments), range(AT_ONCE)))
        if any(not up.returncode for up in done):
            api.note()
        said = " ".join(up.stderr.partition("error: ")[2] for up in done if up.returncode)
        return sorted(up.returncode for up in done) == [0, 1] and "is held by" in said, said.strip()
    finally:
        api.mlapi("down")
        for process in api.list_left(5):
            process.kill()
