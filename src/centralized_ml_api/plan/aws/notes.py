"""What a reader must know about the plan, in sentences. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from centralized_ml_api.catalog.facts import ModelFacts
    from centralized_ml_api.plan.event import EventPlan, Throttle
    from centralized_ml_api.plan.types import ApiPlan

_SOURCES = {
    "lock": "the lock file beside the config",
    "cache": "the cache of an earlier look-up",
    "live": "the live catalogue",
    "mirror": "the mirror that you named",
    "snapshot": "the snapshot that comes with this version",
}
_PARTIAL = "it knows no timeouts, isolation and inference configurations: SageMaker's defaults apply"


def build_notes(plan: ApiPlan, facts: Mapping[str, ModelFacts], throttle: Throttle) -> tuple[str, ...]:
    """Who may call, and where the JumpStart facts come from."""
    return (f"{who_may_call(plan.event)} {how_often(throttle)}", *_sources(facts))


def who_may_call(event: EventPlan) -> str:
    """In one sentence."""
    count = len(event.teams)
    if not count:
        return "The API is public: whoever knows the address may call it."
    return f"Every call needs the key of a team; there {'is one' if count == 1 else f'are {count}'}."


def how_often(throttle: Throttle) -> str:
    """What all callers together may send, in one sentence."""
    return f"All together: {throttle.requests_per_second:g} requests a second, {throttle.burst} at once."


def _sources(facts: Mapping[str, ModelFacts]) -> Iterable[str]:
    """One sentence for each source, naming the entries."""
    named: dict[tuple[str, str], list[str]] = {}
    for name, one in facts.items():
        named.setdefault((one.source, one.fidelity), []).append(f"{name} ({one.model_id} {one.version})")
    for (source, fidelity), names in named.items():
        partial = f"; {_PARTIAL}" if fidelity == "partial" else ""
        yield f"JumpStart: {', '.join(names)} from {_SOURCES[source]}{partial}."
