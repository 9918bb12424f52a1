"""What organizers have granted to teams on top of their limits: `granted.json` of the state folder.

It is kept over restarts and reloads, and forgotten once the event has ended.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.private_file import write_private_file
from centralized_ml_api.organizer.grant import NOTHING, Grant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from centralized_ml_api.plan.event import TeamPlan

GRANTS_FILE = "granted.json"


class Grants:
    """What each team may use on top of its limits.

    Args:
        path: The file; None keeps nothing. One that is missing or damaged says nothing.
        now: What ended before this instant is forgotten.
    """

    def __init__(self, path: Path | None = None, now: datetime | None = None) -> None:
        self._path = path
        self._ends: datetime | None = None
        self._by_team: dict[str, Grant] = {}
        self._is_written = True
        if path is not None:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
                self._load(json.loads(path.read_text(encoding="utf-8")), now or datetime.now(UTC))

    def find(self, team: str) -> Grant:
        """Returns what a team has been granted."""
        return self._by_team.get(team, NOTHING)

    @property
    def by_team(self) -> Mapping[str, Grant]:
        """Each team that has been granted something; another mapping after every change."""
        return self._by_team

    def to_json(self) -> dict[str, dict[str, float]]:
        """Returns by team what it has been granted, without those that have nothing."""
        return {team: grant.to_json() for team, grant in self._by_team.items()}

    def replace(self, team: str, grant: Grant) -> None:
        """Makes this what a team has been granted.

        Raises:
            StartError: The file cannot be written; nothing has changed.
        """
        before = self._by_team
        self._set(team, grant)
        try:
            self._write()
        except BaseException:
            self._by_team = before
            raise

    def restore(self, team: str, grant: Grant) -> None:
        """Makes this what a team has been granted, again: on the disk too if that is possible."""
        self._set(team, grant)
        self._write_if_possible()

    def follow(self, ends: datetime | None) -> None:
        """Takes note of when the event ends, on the disk too if that is possible.

        What could not be written before is written now.
        """
        is_new = ends != self._ends and bool(self._by_team)
        self._ends = ends
        if is_new or not self._is_written:
            self._write_if_possible()

    def raise_limits(self, team: TeamPlan) -> TeamPlan:
        """Returns the team with its raised limits; what nothing limits stays so, and so do rates."""
        return self.find(team.name).raise_limits(team)

    def _load(self, written: Mapping[str, Any], now: datetime) -> None:
        ends = datetime.fromisoformat(written["ends"]) if written["ends"] else None
        if ends is None or ends > now:
            self._by_team = {str(team): Grant(**grant) for team, grant in written["teams"].items()}
            self._ends = ends

    def _set(self, team: str, grant: Grant) -> None:
        others = {name: granted for name, granted in self._by_team.items() if name != team}
        self._by_team = others if grant == NOTHING else {**others, team: grant}

    def _write_if_possible(self) -> None:
        try:
            self._write()
        except StartError:
            self._is_written = False

    def _write(self) -> None:
        if self._path is None:
            return
        written = {
            "ends": render_instant(self._ends) if self._ends else "",
            "teams": {team: asdict(grant) for team, grant in self._by_team.items()},
        }
        write_private_file(self._path, json.dumps(written, indent=1) + "\n")
        self._is_written = True
