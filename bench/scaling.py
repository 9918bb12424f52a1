"""What figures of growing sizes tell: a row for each, what so much more takes, what may grow. Pure."""

from __future__ import annotations

import itertools
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.many_entries import Size
from bench.scenario import Goal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.scenario import Row

COST_RATIO = 1.1
LINEAR = 1.5
"""How many times as long another entry may take among many as among few; 1 is proportional."""
FAILED = "sizes that did not start, reload or answer, though there was memory"
PER = 1000
"""Growth is told for so many entries or teams more."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One size in one round; without `serving`, `stopped` says why it was not served.

    `failed` is whether serving it was tried: for others the memory is not there.
    """

    check_cpu_seconds: float
    stopped: str = ""
    serving: Serving | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Serving:
    """What serving takes: `gateway` is Envoy, `others` are all other processes of `mlapi up`.

    The processor seconds are those of all of them; other load on the machine leaves them nearly as they are.
    `most_mebibytes` is the most that Envoy has held, a reload included. `own_microseconds` are those of Envoy
    for a call at an entry's own path, `v1_microseconds` for one under `/v1`.
    """

    start_seconds: float
    start_cpu_seconds: float
    reload_seconds: float
    reload_cpu_seconds: float
    routes_megabytes: float
    gateway_mebibytes: float
    most_mebibytes: float
    others_mebibytes: float
    idle_share: float
    own_microseconds: float
    v1_microseconds: float | None


def predict_mebibytes(size: Size, figures: Mapping[Size, Sequence[Figures]]) -> float | None:
    """Returns what the gateway will hold, on the line through the two largest sizes of its kind; else None.

    Pure.
    """
    known = sorted(
        (other.entries, rounds[-1].serving.gateway_mebibytes)
        for other, rounds in figures.items()
        if (other.kind, other.teams) == (size.kind, size.teams) and rounds and rounds[-1].serving
    )
    if len(known) < 2:  # noqa: PLR2004  # a line
        return None
    (few, small), (many, large) = known[-2:]
    return large + (size.entries - many) * (large - small) / (many - few)


def build_row(size: Size, rounds: Sequence[Figures]) -> Row:
    """Builds a row of medians, with the reason where a size was not served. Pure."""
    served = [each.serving for each in rounds if each.serving]

    def middle(name: str, digits: int) -> float | None:
        values = [value for serving in served if (value := getattr(serving, name)) is not None]
        return round(statistics.median(values), digits) if values else None

    return {
        "": size.name,
        "check CPU s": round(statistics.median(each.check_cpu_seconds for each in rounds), 2),
        "start s": middle("start_seconds", 1),
        "start CPU s": middle("start_cpu_seconds", 2),
        "reload s": middle("reload_seconds", 1),
        "reload CPU s": middle("reload_cpu_seconds", 2),
        "routes MB": middle("routes_megabytes", 1),
        "gateway MiB": middle("gateway_mebibytes", 0),
        "most MiB": middle("most_mebibytes", 0),
        "others MiB": middle("others_mebibytes", 0),
        "idle, of a core": middle("idle_share", 2),
        "µs at /{name}": middle("own_microseconds", 1),
        "µs at /v1": middle("v1_microseconds", 1),
        "why not": next((each.stopped for each in rounds if each.stopped), ""),
    }


def build_growth(figures: Mapping[Size, Sequence[Figures]]) -> list[Row]:
    """Builds a row for each two sizes that differ by one number: what so many entries or teams more take.

    Pure. A figure that does not grow in proportion has another value in the next row of its kind.
    """
    rows: list[Row] = []
    served = [size for size, rounds in figures.items() if any(each.serving for each in rounds)]
    for few, many in itertools.pairwise(served):
        entries, teams = many.entries - few.entries, many.teams - few.teams
        if few.kind != many.kind or min(entries, teams) != 0 or max(entries, teams) <= 0:
            continue
        what, added, fewest = ("teams", teams, few.teams) if teams else ("entries", entries, few.entries)
        before, after = (build_row(size, figures[size]) for size in (few, many))
        grown = {
            heading: None
            if isinstance(value, str) or value is None or before[heading] is None
            else float(f"{(value - before[heading]) / added * PER:.3g}")
            for heading, value in after.items()
        }
        name = f"{PER:,} {what} more, from {fewest:,} to {fewest + added:,}{_word_kind(many)}"
        rows.append({**grown, "": name, "why not": ""})
    return rows


def _word_kind(size: Size) -> str:
    return f"{' (chats)' if size.chats else ''}{' (with limits)' if size.limits else ''}"


def judge(figures: Mapping[Size, Sequence[Figures]]) -> list[Goal]:
    """Builds the goals: what may grow with the number of entries and teams, and how. Pure."""
    failed = sum(each.failed for rounds in figures.values() for each in rounds)
    goals = [Goal(FAILED, failed, 0)]
    for few, many in ((Size(100, 20), Size(5000, 20)), (Size(100, 20), Size(100, 5000))):
        pairs = _pair(figures, few, many)
        if pairs:
            cost = statistics.median(
                large.own_microseconds / small.own_microseconds for small, large in pairs
            )
            goals.append(Goal(f"CPU per call, {many.name} / {few.name}", round(cost, 2), COST_RATIO))
    few, some, many = Size(100, 20), Size(1000, 20), Size(5000, 20)
    growths = [
        (large.start_cpu_seconds - middle.start_cpu_seconds)
        / (many.entries - some.entries)
        / ((middle.start_cpu_seconds - small.start_cpu_seconds) / (some.entries - few.entries))
        for (small, middle), (_, large) in zip(
            _pair(figures, few, some), _pair(figures, some, many), strict=False
        )
    ]
    if growths:
        name = "start, CPU an entry, of entries 1,001 to 5,000 / 101 to 1,000"
        goals.append(Goal(name, round(statistics.median(growths), 2), LINEAR))
    return goals


def _pair(
    figures: Mapping[Size, Sequence[Figures]], first: Size, second: Size
) -> list[tuple[Serving, Serving]]:
    """Returns the rounds in which both sizes were served."""
    rounds = zip(figures.get(first, ()), figures.get(second, ()), strict=False)
    return [(one.serving, other.serving) for one, other in rounds if one.serving and other.serving]
