"""The keys of one team, and how they change. Pure, except that new keys are random."""

from __future__ import annotations

from dataclasses import field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from centralized_ml_api.api.keys import new_key
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta


@record
class FormerSecret:
    """A key that was replaced; it works `until` then."""

    key: str = field(repr=False)
    until: datetime


@record
class TeamRecord:
    """One team. `key` is None after a revocation; `listed` says whether its keys may open the API.

    `joined` says that the team was not in the config when it got its first key: it has a place.
    """

    team: str
    key: str | None = field(repr=False)
    former: tuple[FormerSecret, ...] = ()
    listed: bool = True
    joined: bool = False

    def valid_keys(self, now: datetime) -> tuple[str, ...]:
        """Returns the keys that are valid now, the current key first."""
        if not self.listed:
            return ()
        current = (self.key,) if self.key else ()
        return (*current, *(former.key for former in self.former if former.until > now))

    def rotated(self, now: datetime, grace: timedelta) -> TeamRecord:
        """Returns the record with a new key; the old key works for `grace`, earlier ones end as planned."""
        former = tuple(secret for secret in self.former if secret.until > now)
        if self.key is not None and grace:
            former = (*former, FormerSecret(self.key, now + grace))
        return replace(self, key=new_key(), former=former)

    def revoked(self, *, former_only: bool) -> TeamRecord:
        """Returns the record without any key, or only without those that were replaced."""
        return replace(self, key=self.key if former_only else None, former=())


def list_teams(
    records: Sequence[TeamRecord], teams: Iterable[str], *, has_places: bool = False
) -> tuple[TeamRecord, ...]:
    """Returns the records once the config lists `teams`: in its order, then those that it no longer lists.

    A new team gets a key. A team that comes back has the keys that it had; revoked ones stay revoked.

    Args:
        records: What was known.
        teams: The teams of the config.
        has_places: Whether the config has places, so that teams that joined are listed too.
    """
    known = {record.team: record for record in records}
    listed = {name: known.get(name) or TeamRecord(name, new_key()) for name in teams}
    if has_places:
        listed |= {name: record for name, record in known.items() if record.joined and name not in listed}
    return (
        *(replace(record, listed=True) for record in listed.values()),
        *(replace(record, listed=False) for record in records if record.team not in listed),
    )
