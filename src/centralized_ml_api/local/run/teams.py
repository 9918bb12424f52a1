"""Who may call what the supervisor serves: the teams, those that have joined, trouble with their keys."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from centralized_ml_api.local.run.grants import Grants
from centralized_ml_api.plan.event import EventPlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.errors import MlApiError
    from centralized_ml_api.local.gateway import Gateway
    from centralized_ml_api.local.keys import KeyRing
    from centralized_ml_api.local.keys.ring import ValidKeys
    from centralized_ml_api.plan.types import ApiPlan


class Teams:
    """The teams that may call, and what the gateway knows of them.

    `event` is that of the plan, without the teams that have joined; `grants` is what teams may use on top.

    Args:
        keys: The keys of the teams.
        fail: Takes the error while the keys cannot be read; nothing is said twice.
        grants: What teams may use on top of their limits; by default nothing.
    """

    def __init__(
        self, keys: KeyRing, fail: Callable[[MlApiError], None], grants: Grants | None = None
    ) -> None:
        self.event = EventPlan()
        self.grants = grants or Grants()
        self._keys = keys
        self._fail = fail
        self._fault = ""
        self._joined: tuple[ApiPlan, ValidKeys, object, ApiPlan] | None = None
        self._told: frozenset[str] = frozenset()
        self._news = asyncio.Condition()

    async def use(self, plan: ApiPlan) -> ValidKeys:
        """Makes the teams of a plan those that may call, with those that joined; returns the valid keys.

        Raises:
            StartError: The file of keys cannot be read or written.
        """
        self.event = plan.event
        self.grants.follow(plan.event.ends)
        names = [team.name for team in plan.event.teams]
        return await self._keys.use(names, has_places=plan.event.join is not None)

    def add_joined(self, plan: ApiPlan) -> ApiPlan:
        """Returns the plan with the teams that have joined, and the limits that organizers have raised.

        It is asked for several times a second: the very same plan as long as nothing of that changes.
        """
        valid, granted = self._keys.valid(), self.grants.by_team
        known = self._joined
        if known is None or known[0] is not plan or known[1] is not valid or known[2] is not granted:
            event = plan.event.admit(valid)
            event = replace(event, teams=tuple(map(self.grants.raise_limits, event.teams)))
            known = self._joined = (plan, valid, granted, replace(plan, event=event))
        return known[3]

    @property
    def notes(self) -> tuple[str, ...]:
        """What an organizer must know of the keys, in sentences."""
        trouble = self._keys.trouble
        return (f"{trouble.message}; the keys read before still work",) if trouble else ()

    def tell_trouble(self) -> None:
        """Says that the keys cannot be read, unless that was said last."""
        trouble = self._keys.trouble
        if trouble and str(trouble) != self._fault:
            self._fail(trouble)
        self._fault = str(trouble or "")

    async def note_told(self, gateway: Gateway) -> None:
        """Notes whom the gateway knows now."""
        self._told = frozenset(team.name for team in gateway.teams)
        async with self._news:
            self._news.notify_all()

    async def until_told(self, team: str) -> None:
        """Waits until the gateway knows a team."""
        async with self._news:
            await self._news.wait_for(lambda: team in self._told)
