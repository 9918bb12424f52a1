"""The keys of one team, and how they change. Pure, but for the chance that new keys are made of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from centralized_ml_api.api.keys import new_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta


@dataclass(frozen=True, slots=True)
class FormerSecret:
    """A key that was replaced; it opens the API `until` then."""

    key: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class TeamRecord:
    """One team. `key` is None when it was revoked; `listed` says whether the config has the team."""

    team: str
    key: str | None = field(repr=False)
    former: tuple[FormerSecret, ...] = ()
    listed: bool = True

    def valid_keys(self, now: datetime) -> tuple[str, ...]:
        """What opens the API now, the current key first."""
        if not self.listed:
            return ()
        current = (self.key,) if self.key else ()
        return (*current, *(one.key for one in self.former if one.until > now))

    def rotated(self, now: datetime, grace: timedelta) -> TeamRecord:
        """With a new key; the one it had works for `grace`. Former keys keep their instants."""
        former = tuple(one for one in self.former if one.until > now)
        if self.key is not None and grace:
            former = (*former, FormerSecret(self.key, now + grace))
        return replace(self, key=new_key(), former=former)

    def revoked(self, *, former_only: bool) -> TeamRecord:
        """Without any key, or without those that were replaced."""
        return replace(self, key=self.key if former_only else None, former=())


def list_teams(records: Sequence[TeamRecord], teams: Iterable[str]) -> tuple[TeamRecord, ...]:
    """The records after the config named `teams`: in its order, then those that it does not list any more.

    A team that is new gets a key. One that comes back has the keys it had; revoked ones stay revoked.
    """
    known = {one.team: one for one in records}
    listed = {name: known.get(name) or TeamRecord(name, new_key()) for name in teams}
    return (
        *(replace(one, listed=True) for one in listed.values()),
        *(replace(one, listed=False) for one in records if one.team not in listed),
    )
