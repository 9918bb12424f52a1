"""From the figures of all rounds to the table and the goals. Pure."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from bench.scenario import Goal, Row
from bench.scenarios.gateway.llm_gateways import VLLM_ROUTER
from bench.scenarios.gateway.model_servers import LITELLM
from bench.scenarios.gateway.ours import HOSTED, OPENAI, OURS
from bench.scenarios.gateway.proxies import ASGI, ENVOY, UPSTREAM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.scenarios.gateway.rounds import Figures

    AllFigures = Mapping[str, Sequence[Figures]]

OF_BARE_ENVOY = 1.47
OF_VLLM_ROUTER = 1.0
OF_OWN_PATH = 1.15
OF_OWN_MODELS = 1.3
OF_ASGI = 2
OF_LITELLM = 100
MORE_MILLISECONDS = 0.5
ADDED = f"{OURS.name}: ms added to a call, one caller, p50"
_COSTS = (
    (OURS.name, ENVOY.name, OF_BARE_ENVOY),
    (OURS.name, VLLM_ROUTER.name, OF_VLLM_ROUTER),
    (OPENAI.name, OURS.name, OF_OWN_PATH),
    (HOSTED.name, OPENAI.name, OF_OWN_MODELS),
)
"""Which gateway may need how many times the processor time of which other, on one core."""


def name_ratio(ours: str, other: str) -> str:
    """Returns the name of the goal that compares two gateways."""
    return f"{ours}: calls per CPU second / {other}"


def name_cost(ours: str, other: str) -> str:
    """Returns the name of the goal that compares what a call costs two gateways on one core."""
    return f"{ours}: CPU per call on one core / {other}"


def build_row(name: str, figures: AllFigures) -> Row:
    """Builds a row of medians. The model itself is not a gateway, so its processor time is left out."""
    rounds, gateway = figures[name], name != UPSTREAM.name
    return {
        "": name,
        "calls/s": round(_middle(rounds, lambda each: each.load.calls_a_second)),
        "p50 ms": round(_middle(rounds, lambda each: each.load.p50_milliseconds), 2),
        "p99 ms": round(_middle(rounds, lambda each: each.load.p99_milliseconds), 2),
        "one caller, p50 ms": round(_middle(rounds, lambda each: each.alone.p50_milliseconds), 3),
        "CPU µs per call": round(_middle(rounds, lambda each: each.microseconds), 1) if gateway else None,
        "calls per CPU second": round(_middle(rounds, lambda each: each.calls_a_cpu_second))
        if gateway
        else None,
        "CPU µs per call, one core": round(_middle(rounds, lambda each: each.one_core_microseconds), 1)
        if gateway
        else None,
        "times bare Envoy": round(_middle(rounds, lambda each: each.times_bare), 2) if gateway else None,
    }


def judge(figures: AllFigures) -> list[Goal]:
    """Builds the goals of the gateways that were measured."""
    goals = [
        Goal(name_cost(ours, other), round(_cost(figures, ours, other), 2), goal)
        for ours, other, goal in _COSTS
        if {ours, other} <= set(figures)
    ]
    pairs = [*((OURS.name, server.name, OF_ASGI) for server in ASGI), (OPENAI.name, LITELLM.name, OF_LITELLM)]
    goals += [
        Goal(name_ratio(ours, other), round(_ratio(figures, ours, other), 2), goal, at_least=True)
        for ours, other, goal in pairs
        if {ours, other} <= set(figures)
    ]
    if {OURS.name, UPSTREAM.name} <= set(figures):
        added = round(_added_milliseconds(figures), 3)
        goals.append(Goal(ADDED, added, MORE_MILLISECONDS))
    return goals


def _cost(figures: AllFigures, ours: str, other: str) -> float:
    """Returns the processor time of a call as a multiple of the other gateway's, both on one core.

    Gateways are compared by their multiples of the Envoy beside them; for Envoy alone, that is the multiple.
    """
    if other == ENVOY.name:
        return median(mine.times_bare for mine in figures[ours])
    return median(
        mine.times_bare / theirs.times_bare
        for mine, theirs in zip(figures[ours], figures[other], strict=True)
    )


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
