"""Chooses the slot of llama.cpp in which a call is computed, so that each team finds its own prompts again.

A slot keeps the prompt that it read last, and a call whose prompt begins alike is spared that part. Left to
itself, the server takes the slot whose prompt begins most alike, be it another team's, or the one that was
idle for longest: a team that calls often reads over the prompts of all others, which are then read anew.
Which slot long prompts get beside other callers is decided in `line`, before.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from centralized_ml_api.record import record

if TYPE_CHECKING:
    from centralized_ml_api.local.admission.prompts import Prompt

Call = Hashable
"""Identifies a call from its beginning to its end."""


@record
class Read:
    """What a slot has read last: whose prompt, and its text."""

    caller: str
    text: str


@dataclass(slots=True, eq=False)
class Slots:
    """The slots of one server.

    `held` has the slot of each call under way, None if the server chose it. `last` has what each slot has
    read, in the order in which they were used.
    """

    held: dict[Call, int | None] = field(default_factory=dict)
    last: dict[int, Read] = field(default_factory=dict)

    def take(self, call: Call, caller: str, prompt: Prompt, slot: int | None) -> None:
        """Notes in which slot a call is computed.

        Args:
            call: The call.
            caller: Who calls.
            prompt: What the slot will have read.
            slot: Its number; None if the server chooses.
        """
        self.held[call] = slot
        if slot is not None:
            self.last.pop(slot, None)
            self.last[slot] = Read(caller, prompt.text)

    def free(self, call: Call) -> None:
        """Notes that a call is over."""
        self.held.pop(call, None)

    def choose(self, caller: str, text: str, *, count: int, share: int) -> int | None:
        """Returns the slot for a call; None if only its server knows which are free.

        That is the slot that has read the beginning of its prompt for the same caller. Otherwise it is the
        one that was used longest ago: of the caller's own slots once it has its share of them, else of all.

        The server reads prompts in the order of its slots. So that short ones are not read behind long ones
        for good, a prompt takes a later slot instead in which another caller has less than what is new in it.

        Args:
            caller: Who calls.
            text: Its prompt.
            count: How many slots the server has.
            share: How many of them the caller may fill with its prompts before it reads over its own.
        """
        if None in self.held.values():
            return None
        free = [slot for slot in range(count) if slot not in self.held.values()]
        own = [slot for slot, read in self.last.items() if read.caller == caller]
        alike = {slot: self._count_common(slot, text) for slot in own if slot in free}
        best, new = max(alike, key=alike.__getitem__, default=None), len(text)
        if best is not None and 2 * alike[best] >= min(len(text), len(self.last[best].text)):
            new -= alike[best]
        else:
            among = [slot for slot in own if slot in free] if len(own) >= share else free
            ages = {slot: age for age, slot in enumerate(self.last)}
            best = min(among or free, key=lambda slot: ages.get(slot, -1), default=None)
        others = [(slot, read) for slot, read in self.last.items() if slot in free and slot not in own]
        return max(
            (slot for slot, read in others if best is not None and slot > best and len(read.text) < new),
            default=best,
        )

    def _count_common(self, slot: int, text: str) -> int:
        """Returns how many letters a prompt has in common with what a slot has read, from the first on."""
        read = self.last[slot].text
        common, more = 0, min(len(read), len(text))
        while common < more:
            middle = (common + more + 1) // 2
            if read.startswith(text[:middle]):
                common = middle
            else:
                more = middle - 1
        return common
