"""From the figures of all rounds to the table and the goals. Pure."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from bench.scenario import Goal, Row
from bench.scenarios.gateway.model_servers import LITELLM
from bench.scenarios.gateway.ours import HOSTED, OPENAI, OURS
from bench.scenarios.gateway.proxies import ASGI, ENVOY, UPSTREAM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.scenarios.gateway.rounds import Figures

    AllFigures = Mapping[str, Sequence[Figures]]

OF_ENVOY = 0.9
OF_ASGI = 2
OF_LITELLM = 100
MORE_MILLISECONDS = 0.5
OF_OWN_MODELS = 1.3
HOSTED_COST = f"{HOSTED.name}: CPU per call / {OPENAI.name}"
ADDED = f"{OURS.name}: ms added to a call, one caller, p50"


def name_ratio(ours: str, other: str) -> str:
    """Returns the name of the goal that compares two gateways."""
    return f"{ours}: calls per CPU second / {other}"


def build_row(name: str, rounds: Sequence[Figures]) -> Row:
    """Builds a row of medians. The model itself is not a gateway, so its processor time is left out."""
    gateway = name != UPSTREAM.name
    return {
        "": name,
        "calls/s": round(_middle(rounds, lambda figures: figures.load.calls_a_second)),
        "p50 ms": round(_middle(rounds, lambda figures: figures.load.p50_milliseconds), 2),
        "p99 ms": round(_middle(rounds, lambda figures: figures.load.p99_milliseconds), 2),
        "one caller, p50 ms": round(_middle(rounds, lambda figures: figures.alone.p50_milliseconds), 3),
        "CPU µs per call": round(_middle(rounds, lambda figures: figures.microseconds), 1)
        if gateway
        else None,
        "calls per CPU second": round(_middle(rounds, lambda figures: figures.calls_a_cpu_second))
        if gateway
        else None,
    }


def judge(figures: AllFigures) -> list[Goal]:
    """Builds the goals of the gateways that were measured."""
    pairs = [(OURS.name, ENVOY.name, OF_ENVOY), *((OURS.name, server.name, OF_ASGI) for server in ASGI)]
    pairs.append((OPENAI.name, LITELLM.name, OF_LITELLM))
    goals = [
        Goal(
            name_ratio(ours, other),
            round(_ratio(figures, ours, other), 2),
            goal,
            at_least=True,
        )
        for ours, other, goal in pairs
        if {ours, other} <= set(figures)
    ]
    if {HOSTED.name, OPENAI.name} <= set(figures):
        cost = round(_ratio(figures, OPENAI.name, HOSTED.name), 2)
        goals.append(Goal(HOSTED_COST, cost, OF_OWN_MODELS))
    if {OURS.name, UPSTREAM.name} <= set(figures):
        added = round(_added_milliseconds(figures), 3)
        goals.append(Goal(ADDED, added, MORE_MILLISECONDS))
    return goals


def _ratio(figures: AllFigures, ours: str, other: str) -> float:
    return median(
        mine.calls_a_cpu_second / theirs.calls_a_cpu_second
        for mine, theirs in zip(figures[ours], figures[other], strict=True)
    )


def _added_milliseconds(figures: AllFigures) -> float:
    return median(
        mine.alone.p50_milliseconds - direct.alone.p50_milliseconds
        for mine, direct in zip(figures[OURS.name], figures[UPSTREAM.name], strict=True)
    )


def _middle(rounds: Sequence[Figures], value: Callable[[Figures], float]) -> float:
    return median(map(value, rounds))
