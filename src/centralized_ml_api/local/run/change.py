"""Decides what becomes of each entry when the plan changes, and words it.

Pure, except that services are asked how they are.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.run.specs import services_of
from centralized_ml_api.plan.types import ModelDeployment
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from centralized_ml_api.local.run.registry import Running
    from centralized_ml_api.plan.event import EventPlan, TeamPlan
    from centralized_ml_api.plan.types import ApiPlan

    Find = Callable[[str], Running | None]

REASON_LINES = 6

_WORDS_OF_EVENT = {
    "join": "joining",
    "starts": "start",
    "ends": "end",
    "hours": "hours",
    "budget": "budget",
    "aliases": "aliases",
    "title": "title",
    "welcome": "welcome",
    "logo": "logo",
}
"""The fields of `EventPlan` that are compared as they are."""


@record
class Failure:
    """An entry that did not start: why, and the last lines of its log."""

    name: str
    reason: str
    log: tuple[str, ...]


@record
class Reloaded:
    """What a change of plan did, by entry name.

    The new version of an entry in `kept` did not start, so the old one goes on whole. Entries in `failed` did
    not start and had no working version before. `event` names what else changed: "teams", "models of teams",
    "limits", "joining", "start", "end", "hours", "budget", "aliases", "title", "welcome", "logo".
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[Failure, ...] = ()
    failed: tuple[Failure, ...] = ()
    event: tuple[str, ...] = ()


@record
class Change:
    """The entries that are served from now on, and what became of each."""

    deployments: tuple[ModelDeployment, ...]
    reloaded: Reloaded


def decide_change(before: ApiPlan, after: ApiPlan, find: Find, fresh: Mapping[str, Running]) -> Change:
    """Takes each entry of the new plan, or keeps the old one whole when a part of the new one failed.

    Args:
        before: The plan that is served.
        after: The plan that is asked for.
        find: Returns the service of a name among those that ran before.
        fresh: The newly started services by name; all have settled.
    """
    old = {entry.name: entry for entry in before.deployments}
    new = {entry.name for entry in after.deployments}
    failures = {entry.name: failure for entry in after.deployments if (failure := _failure(entry, fresh))}
    kept = {name for name in failures if _served(old.get(name), find)}
    deployments = tuple(old[entry.name] if entry.name in kept else entry for entry in after.deployments)
    return Change(
        deployments,
        Reloaded(
            added=tuple(entry.name for entry in after.deployments if entry.name not in old),
            changed=tuple(
                entry.name
                for entry in after.deployments
                if entry.name not in kept and _is_changed(entry, old.get(entry.name), fresh)
            ),
            removed=tuple(entry.name for entry in before.deployments if entry.name not in new),
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
    """Returns whether the entry was served until now."""
    if entry is None:
        return False
    services = [find(name) for name in services_of(entry)]
    return all(running is not None and not running.failed for running in services)


def _is_changed(entry: ModelDeployment, old: ModelDeployment | None, fresh: Mapping[str, Running]) -> bool:
    return old is not None and (old != entry or any(name in fresh for name in services_of(entry)))


def _changes_of_event(before: EventPlan, after: EventPlan) -> Iterator[str]:
    """Yields what differs, in an organizer's words."""
    old, new = ({team.name: team for team in event.teams} for event in (before, after))
    stayed = [(old[name], new[name]) for name in new if name in old]
    if old.keys() != new.keys():
        yield "teams"
    if any(was.models != now.models for was, now in stayed):
        yield "models of teams"
    whole = [(event.throttle, event.pot) for event in (before, after)]
    if whole[0] != whole[1] or any(_limits(was) != _limits(now) for was, now in stayed):
        yield "limits"
    for name, word in _WORDS_OF_EVENT.items():
        if getattr(before, name) != getattr(after, name):
            yield word


def _limits(team: TeamPlan) -> tuple[object, ...]:
    return team.throttle, team.requests_per_day, team.requests_at_once, team.spending


def describe_reload(changes: dict[str, Any]) -> str:
    """Words what a reload did, in a sentence or a few lines; takes a `Reloaded` as plain values."""
    words = _words(changes)
    is_same = not (changes["kept"] or changes["failed"])
    nothing = "the API already matches the config" if is_same else "nothing changed"
    lines = ["Reloaded: " + ("; ".join(words) or nothing) + "."]
    before = changes.get("applied_edit")
    if not words and is_same and before and _words(before):
        at = datetime.fromtimestamp(before["at"], UTC)
        lines.append(f"The last edit applied itself at {at:%H:%M:%SZ}: {'; '.join(_words(before))}.")
    for failure in changes["kept"]:
        lines += _describe_failure(failure, "keeps its old version; the new one could not be started")
    for failure in changes["failed"]:
        lines += _describe_failure(failure, "could not be started")
    return "\n".join(lines)


def _words(changes: dict[str, Any]) -> list[str]:
    words = [
        f"{word} {', '.join(changes[word])}" for word in ("added", "changed", "removed") if changes[word]
    ]
    if changes["event"]:
        words.append(f"changed in the event: {', '.join(changes['event'])}")
    return words


def _describe_failure(failure: dict[str, Any], words: str) -> list[str]:
    return [f"{failure['name']} {words}: {failure['reason']}", *(f"    | {line}" for line in failure["log"])]
