"""What an organizer has paused, and what is said to everybody; gone when the API stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Notices:
    """The pauses by entry, that of everything, and the message to all.

    `everything` is what callers are told while all is paused, maybe nothing; None while it is not. `message`
    is empty while there is none.
    """

    def __init__(self) -> None:
        self.everything: str | None = None
        self.message = ""
        self._entries: dict[str, str] = {}

    def pause(self, entry: str | None, words: str) -> None:
        """Pauses an entry, or everything: None."""
        if entry is None:
            self.everything = words
        else:
            self._entries[entry] = words

    def resume(self, entry: str | None) -> None:
        """Ends the pause of an entry, or that of everything: the pauses of single entries stay."""
        if entry is None:
            self.everything = None
        else:
            self._entries.pop(entry, None)

    def find(self, entry: str | None) -> str | None:
        """Returns what callers are told of the pause of an entry, or of everything; None without one."""
        return self.everything if entry is None else self._entries.get(entry)

    def list_paused(self, entries: Iterable[str]) -> dict[str, str]:
        """Returns by entry what its callers are told, for those that are paused."""
        if self.everything is not None:
            return dict.fromkeys(entries, self.everything)
        return {entry: self._entries[entry] for entry in entries if entry in self._entries}

    def to_json(self) -> dict[str, str]:
        """Returns what callers are told, by entry; what they are told of everything is without a name."""
        return {**self._entries, **({} if self.everything is None else {"": self.everything})}

    def word(self, entries: Iterable[str]) -> tuple[str, ...]:
        """Returns what there is to know of it, in sentences."""
        found = [("everything", self.everything)] if self.everything is not None else []
        found += [(entry, self._entries[entry]) for entry in entries if entry in self._entries]
        said = [f"the message to all is: {self.message}"] if self.message else []
        return (*(f"{name} is paused{f': {words}' if words else ''}" for name, words in found), *said)
