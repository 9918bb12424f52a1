"""Says how each entry is, from the services behind it and from how it sleeps. Pure."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.error_shape import NOT_READY_REASONS
from centralized_ml_api.local.run.specs import services_of
from centralized_ml_api.local.status import ANSWERING, EntryState, EntryStatus, PartStatus, SleepStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from centralized_ml_api.local.run.registry import Running
    from centralized_ml_api.local.sleep.types import View
    from centralized_ml_api.local.supervision.service import Report
    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment

    Find = Callable[[str], Running | None]
    Look = Callable[[str], View | None]

OUTSIDE_HOURS = "outside the hours of the event"
_WORST_FIRST: tuple[EntryState, ...] = (
    *("failed", "unready", "preparing", "restarting", "starting", "asleep", "ready"),
)


def entry_statuses(
    plan: ApiPlan, refused: Mapping[str, str], find: Find, sleeping: Look = lambda _: None
) -> tuple[EntryStatus, ...]:
    """Returns how each entry is now, in config order.

    Args:
        plan: What is served.
        refused: By entry, why it is not served here.
        find: Returns the running service of a name.
        sleeping: Returns how an entry sleeps; None if it never does.
    """
    return tuple(_entry_status(entry, refused, find, sleeping(entry.name)) for entry in plan.deployments)


def _entry_status(
    entry: ModelDeployment, refused: Mapping[str, str], find: Find, view: View | None
) -> EntryStatus:
    parts = tuple(
        _part(name, running.report()) for name in services_of(entry) if (running := find(name)) is not None
    )
    state, detail = _worst(parts) if parts else ("not served", refused.get(entry.name, ""))
    if view is not None and not view.failed:
        state = _sleeping_state(view, state)
    if view is not None and view.closed and state == "asleep":
        detail = OUTSIDE_HOURS
    return EntryStatus(
        name=entry.name,
        path=entry.path,
        state=state,
        detail=detail,
        engine=entry.local.serving.engine if entry.local else "",
        integration=entry.integration,
        parts=parts,
        sleep=_sleep_status(entry, view) if view else None,
    )


def _sleeping_state(view: View, state: EntryState) -> EntryState:
    """Returns the state of an entry that may sleep, whose processes are in a state of their own."""
    if view.phase in {"asleep", "stopping"}:
        return "asleep"
    return "waking" if view.phase == "waking" and view.called and state != "failed" else state


def word_sleep(status: EntryStatus) -> dict[str, Any]:
    """Returns what participants are told: whether it sleeps, and how long it takes to wake."""
    known = status.sleep.wake_seconds if status.sleep else None
    state = status.state if status.state in {"asleep", "waking"} else "awake"
    return {"state": state, "wakes_in_seconds": None if known is None else math.ceil(known)}


def add_calls(entry: EntryStatus, occupancy: Mapping[str, Mapping[str, int]]) -> EntryStatus:
    """Adds the calls at an entry, as `SupervisedAdmission.occupancy` tells them."""
    busy = occupancy.get(entry.name, {})
    waiting, under_way = busy.get("waiting", 0), busy.get("under_way", 0)
    return replace(entry, waiting=waiting, under_way=under_way, places=busy.get("places"))


def list_asleep(statuses: Iterable[EntryStatus]) -> list[tuple[str, str]]:
    """Lists (name, state) of those that a call wakes."""
    return [(status.name, status.state) for status in statuses if status.state in {"asleep", "waking"}]


def list_unready(statuses: Iterable[EntryStatus]) -> list[tuple[str, str]]:
    """Lists (name, state in words) of those that do not answer.

    Participants read these: they learn no detail of this machine.
    """
    return [
        (status.name, NOT_READY_REASONS[status.state])
        for status in statuses
        if status.state not in {*ANSWERING, "not served"}
    ]


def _sleep_status(entry: ModelDeployment, view: View) -> SleepStatus:
    shares = entry.sleep.shares if entry.sleep else ""
    return SleepStatus(view.wakes, view.asleep_seconds, view.ready_in, view.wake_seconds, shares, view.wanted)


def _worst(parts: tuple[PartStatus, ...]) -> tuple[EntryState, str]:
    """Returns state and detail of the worst part: an entry is no better than that."""
    worst = min(parts, key=lambda part: _WORST_FIRST.index(part.state))
    return worst.state, worst.detail


def _part(name: str, report: Report) -> PartStatus:
    return PartStatus(
        name=name,
        state=report.state,
        detail=report.detail,
        ready_replicas=report.ready_replicas,
        replicas=report.replicas,
        restarts=report.restarts,
        hangs=report.hangs,
        last_restart=report.last_restart,
        pids=report.pids,
        log=report.log,
    )
