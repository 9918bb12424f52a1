"""What an organizer has paused, and what is said to everybody; gone when the API stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.api.notices import SILENCE, Message

if TYPE_CHECKING:
    from collections.abc import Iterable


class Notices:
    """The pauses of entries, of teams and of everything, and the message to all.

    `message` is without words while there is none. Each pause has what callers are told, maybe nothing.
    """

    def __init__(self) -> None:
        self.message: Message = SILENCE
        self._pauses: dict[tuple[str, str], str] = {}

    def pause(self, entry: str | None, words: str, *, team: str = "") -> None:
        """Pauses an entry, a team, or everything where neither is named.

        Args:
            entry: The name of the entry; None for all.
            words: What its callers get to read.
            team: The team; empty for all.
        """
        self._pauses[entry or "", team] = words

    def resume(self, entry: str | None, *, team: str = "") -> None:
        """Ends the pause of an entry, of a team, or of everything: the pauses of single ones stay."""
        self._pauses.pop((entry or "", team), None)

    def find(self, entry: str | None, *, team: str = "") -> str | None:
        """Returns what callers are told of one pause, of everything where nothing is named; None without."""
        return self._pauses.get((entry or "", team))

    def list_paused(self, entries: Iterable[str]) -> dict[str, str]:
        """Returns by entry what its callers are told, for those that are paused for all teams."""
        everything = self.find(None)
        if everything is not None:
            return dict.fromkeys(entries, everything)
        return {entry: words for entry in entries if (words := self.find(entry)) is not None}

    def to_json(self) -> dict[str, str]:
        """Returns what callers are told, by entry; what they are told of everything is without a name."""
        return {entry: words for (entry, team), words in self._pauses.items() if not team}

    def list_teams(self) -> dict[str, str]:
        """Returns by team what it is told, for those that are paused."""
        return {team: words for (_, team), words in self._pauses.items() if team}

    def word(self, entries: Iterable[str]) -> tuple[str, ...]:
        """Returns what there is to know of it, in sentences."""
        named = [("everything", None), *((entry, entry) for entry in entries)]
        found = [(name, words) for name, entry in named if (words := self.find(entry)) is not None]
        found += [(f"the team {team}", words) for team, words in self.list_teams().items()]
        said = [f"the message to all is: {self.message.words}"] if self.message.words else []
        return (*(f"{name} is paused{f': {words}' if words else ''}" for name, words in found), *said)
