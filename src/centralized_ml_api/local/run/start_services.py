"""Starts the services of a plan, and decides which of them sleep until their entry is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from centralized_ml_api.local.run.registry import Registry, Running
    from centralized_ml_api.local.run.specs import DesiredState, ServiceSpec
    from centralized_ml_api.plan.types import ApiPlan


def start_services(
    registry: Registry,
    plan: ApiPlan,
    specs: Sequence[ServiceSpec],
    find: Callable[[str], Collection[Running]],
    *,
    is_first: bool = False,
) -> list[Running]:
    """Starts services without giving them their names; some sleep until their entry is called.

    A new version of an entry starts beside the old one, except in a group: there is no place for both.

    Args:
        registry: Starts them.
        plan: What is to be served.
        specs: The services.
        find: Returns the services that an entry had.
        is_first: Whether the API starts; later, nothing new of a group starts by itself.
    """
    started: list[Running] = []
    by_entry: dict[str, list[ServiceSpec]] = {}
    for spec in specs:
        by_entry.setdefault(spec.entry, []).append(spec)
    taken: set[str] = set() if is_first else {entry.sleep.shares for entry in plan.deployments if entry.sleep}
    changed = {spec.name for spec in specs}
    for entry in plan.deployments:
        own = by_entry.get(entry.name, [])
        sleep = entry.sleep
        before = find(entry.name) if sleep else ()
        if sleep is None:
            asleep = False
        elif before:
            is_asleep = all(running.is_asleep for running in before)
            asleep = is_asleep or (bool(sleep.shares) and entry.name in changed)
        else:
            asleep = sleep.on_call or (bool(sleep.shares) and sleep.shares in taken)
        shares = sleep.shares if sleep else ""
        started += [registry.start(spec, shares=shares, asleep=asleep) for spec in own]
        if own and not asleep:
            taken.add(shares)
    return started


def find_to_start(
    plan: ApiPlan, desired: DesiredState, find: Callable[[str], Running | None], *, again: str = ""
) -> list[ServiceSpec]:
    """Returns what is new, changed or failed, what may not sleep any more, and all of the entry `again`.

    Args:
        plan: What is to be served.
        desired: What must run for it.
        find: Returns the running service of a name.
        again: The name of an entry that starts again whatever it is like; empty for none.
    """
    sleepers = {entry.name for entry in plan.deployments if entry.sleep}
    return [
        spec
        for name, spec in desired.specs.items()
        if (now := find(name)) is None
        or now.spec != spec
        or now.failed
        or spec.entry == again
        or (now.is_asleep and spec.entry not in sleepers)
    ]


def find_kept_awake(
    before: ApiPlan, after: ApiPlan, find: Callable[[str], Collection[Running]]
) -> list[Running]:
    """Returns the services of entries that may not sleep any more; calls may wait for those that wake.

    Args:
        before: What is served.
        after: What is to be served.
        find: Returns the services that an entry had.
    """
    slept = {entry.name for entry in before.deployments if entry.sleep}
    return [
        running
        for entry in after.deployments
        if entry.sleep is None and entry.name in slept
        for running in find(entry.name)
    ]
