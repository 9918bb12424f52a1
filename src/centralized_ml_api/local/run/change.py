"""From one plan to another: what becomes of each entry, and how that is said.

Pure but for asking services how they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.run.specs import services_of
from centralized_ml_api.plan.types import ModelDeployment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from centralized_ml_api.local.run.registry import Running
    from centralized_ml_api.plan.event import EventPlan, TeamPlan
    from centralized_ml_api.plan.types import ApiPlan

    Find = Callable[[str], Running | None]

REASON_LINES = 6


@dataclass(frozen=True, slots=True)
class Failure:
    """An entry that could not be started anew: why, and the last lines of its log."""

    name: str
    reason: str
    log: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a change of plan did, by entry name.

    `kept` could not be started anew and go on whole as they were; `failed` are new ones that do not start.
    `event` names what else is another: "teams", "models of teams", "limits", "end".
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[Failure, ...] = ()
    failed: tuple[Failure, ...] = ()
    event: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """The plan that is served from now on, and what came of each entry."""

    deployments: tuple[ModelDeployment, ...]
    reloaded: Reloaded


def decide_change(before: ApiPlan, after: ApiPlan, find: Find, fresh: Mapping[str, Running]) -> Change:
    """Entry by entry: take the new one, or keep the old one whole when a part of the new one failed.

    `find` gives the services that ran before, `fresh` the newly started ones; all of these have settled.
    """
    failures = {entry.name: failure for entry in after.deployments if (failure := _failure(entry, fresh))}
    kept = {name for name in failures if _served(before.deployment(name), find)}
    deployments = tuple(_chosen(entry, before, kept) for entry in after.deployments)
    return Change(
        deployments,
        Reloaded(
            added=tuple(one.name for one in after.deployments if before.deployment(one.name) is None),
            changed=tuple(
                one.name
                for one in after.deployments
                if one.name not in kept and _is_changed(one, before, fresh)
            ),
            removed=tuple(one.name for one in before.deployments if after.deployment(one.name) is None),
            kept=tuple(failure for name, failure in failures.items() if name in kept),
            failed=tuple(failure for name, failure in failures.items() if name not in kept),
            event=tuple(_changes_of_event(before.event, after.event)),
        ),
    )


def _failure(entry: ModelDeployment, fresh: Mapping[str, Running]) -> Failure | None:
    for name in services_of(entry):
        if name in fresh and fresh[name].failed:
            report = fresh[name].report()
            return Failure(entry.name, report.detail, report.log[-REASON_LINES:])
    return None


def _served(entry: ModelDeployment | None, find: Find) -> bool:
    """Whether the entry answered until now."""
    if entry is None:
        return False
    running = [find(name) for name in services_of(entry)]
    return all(one is not None and not one.failed for one in running)


def _chosen(entry: ModelDeployment, before: ApiPlan, kept: set[str]) -> ModelDeployment:
    old = before.deployment(entry.name)
    return old if old is not None and entry.name in kept else entry


def _is_changed(entry: ModelDeployment, before: ApiPlan, fresh: Mapping[str, Running]) -> bool:
    old = before.deployment(entry.name)
    return old is not None and (old != entry or any(name in fresh for name in services_of(entry)))


def _changes_of_event(before: EventPlan, after: EventPlan) -> Iterator[str]:
    """The names of what differs, as an organizer calls it."""
    old, new = ({team.name: team for team in event.teams} for event in (before, after))
    both = [(old[name], new[name]) for name in new if name in old]
    if old.keys() != new.keys():
        yield "teams"
    if any(one.models != other.models for one, other in both):
        yield "models of teams"
    if before.throttle != after.throttle or any(_limits(one) != _limits(other) for one, other in both):
        yield "limits"
    if before.ends != after.ends:
        yield "end"


def _limits(team: TeamPlan) -> tuple[object, ...]:
    return team.throttle, team.requests_per_day


def describe_reload(changes: dict[str, Any]) -> str:
    """What a reload did, in a sentence or a few lines; takes a `Reloaded` as plain values."""
    words = [
        f"{word} {', '.join(changes[word])}" for word in ("added", "changed", "removed") if changes[word]
    ]
    if changes["event"]:
        words.append(f"of the event: {', '.join(changes['event'])}")
    is_same = not (changes["kept"] or changes["failed"])
    nothing = "nothing differs from what is served" if is_same else "nothing changed"
    lines = ["Reloaded: " + ("; ".join(words) or nothing) + "."]
    for failure in changes["kept"]:
        lines += _describe_failure(failure, "could not be started anew, the old one goes on")
    for failure in changes["failed"]:
        lines += _describe_failure(failure, "could not be started")
    return "\n".join(lines)


def _describe_failure(failure: dict[str, Any], words: str) -> list[str]:
    return [f"{failure['name']} {words}: {failure['reason']}", *(f"    | {line}" for line in failure["log"])]
