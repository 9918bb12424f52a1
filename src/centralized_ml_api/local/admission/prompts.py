"""Estimates how many tokens of a prompt a language model has to read anew, and which prompts are long.

A server keeps the last prompt of each slot. So a conversation that goes on counts as what is new in it, as
long as no more other prompts came since than the server has slots. A prompt that is sent again while it is
being read, or after a call that was not answered, counts in full: nobody knows how much of it is kept.
"""

from __future__ import annotations

import json
import string
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.message_rules import adapt_message, collect_texts
from centralized_ml_api.local.admission.pictures import take_pictures
from centralized_ml_api.plan.apis import COMPLETIONS, MESSAGES, RESPONSES
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from centralized_ml_api.local.admission.terms import EntryTerms

LONG_TOKENS = 256
LONG_SHARE = 16
"""A prompt is long from this part of the context on, and in any case from `LONG_TOKENS` on."""

LETTERS_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 4
"""What a chat template puts around a message, at least."""

READING_REMEMBERED = 1000
"""Prompts that are being read; beyond, the oldest are forgotten."""

_LETTERS = (string.ascii_letters + " ").encode()


@record
class Prompt:
    """What a call has its model read.

    Attributes:
        tokens: An estimate of what has to be read anew.
        is_long: Whether other callers would notice.
        beginning: Identifies the part that was read lately; None if there is none.
        whole: Identifies all of it.
        takes_slot: Whether its server can be told in which slot to read it.
        text: All of it, to compare with others; empty for several answers, which take several slots.
    """

    tokens: int = 0
    is_long: bool = False
    beginning: int | None = None
    whole: int = 0
    takes_slot: bool = False
    text: str = ""


NO_PROMPT = Prompt()


class RecentPrompts:
    """The prompts that each entry's server has read last, as far as its slots keep them."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[int, int | None]] = {}
        self._reading: dict[Hashable, tuple[str, int]] = {}

    def measure(self, name: str, entry: EntryTerms, document: dict[str, Any]) -> Prompt:
        """Estimates what a call has its server read anew.

        Args:
            name: The entry.
            entry: Its terms.
            document: The body, which the rules of its engine have nothing against.
        """
        messages = _list_messages(entry, document)
        parts = [json.dumps(part, sort_keys=True) for part in (document.get("tools"), *messages)]
        ends = _identify_beginnings(parts)
        kept = self._kept.get(name, {}) if entry.share_prompts else {}
        reading = {whole for entry_name, whole in self._reading.values() if entry_name == name}
        known = next(
            (count for count in range(len(messages), 0, -1) if ends[count - 1] in kept.keys() - reading),
            0,
        )
        new = messages[known:]
        if known and new and _is_answer(new[0], entry):
            new = new[1:]  # the server wrote it itself, and has kept it with the prompt
        tokens = sum(map(estimate_tokens, new)) + (0 if known else estimate_tokens(document.get("tools")))
        return Prompt(
            tokens=tokens,
            is_long=tokens >= min(LONG_TOKENS, entry.context // LONG_SHARE),
            beginning=ends[known - 1] if known else None,
            whole=ends[-1],
            takes_slot=entry.path not in MESSAGES.paths,
            text="" if _asks_for_several(document) else "\n".join(parts),
        )

    def note(self, call: Hashable, name: str, prompt: Prompt, slots: int, *, slot: int | None) -> None:
        """Notes that an entry's server gets a prompt now.

        Args:
            call: Identifies the call until its `end`.
            name: The entry.
            prompt: The prompt.
            slots: How many prompts the server keeps.
            slot: The one that it was told to take, whose prompt it replaces; None if the server chooses.
        """
        kept = self._kept.setdefault(name, {})
        if slot is not None:
            for other in [other for other, kept_in in kept.items() if kept_in == slot]:
                del kept[other]
        was_in = kept.pop(prompt.beginning, None) if prompt.beginning is not None else None
        kept.pop(prompt.whole, None)
        kept[prompt.whole] = was_in if slot is None else slot
        while len(kept) > slots:
            del kept[next(iter(kept))]
        self._reading[call] = (name, prompt.whole)
        if len(self._reading) > READING_REMEMBERED:
            del self._reading[next(iter(self._reading))]

    def end(self, call: Hashable, *, was_read: bool) -> None:
        """Notes that a call is over, and whether it is sure that all of its prompt was read."""
        name, whole = self._reading.pop(call, ("", 0))
        if not was_read:
            self._kept.get(name, {}).pop(whole, None)


def estimate_tokens(value: Any) -> int:
    """Estimates the tokens of all texts in a JSON value, rather too many than too few. Pure.

    Words have about four letters for each token; digits, signs and other alphabets up to one for each byte.
    """
    tokens = 0
    for text in collect_texts(value):
        written = text.encode("utf-8", "replace")
        others = len(written.translate(None, _LETTERS))
        tokens += others + (len(written) - others) // LETTERS_PER_TOKEN
    return tokens + TOKENS_PER_MESSAGE if value else 0


def _list_messages(entry: EntryTerms, document: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns a prompt in parts, the first of which may stay the same from call to call.

    A text stands for each picture, as long as what a picture counts.
    """
    path = entry.path
    if path in COMPLETIONS.paths:
        prompt = document["prompt"]
        return [{"role": "user", "content": prompt if isinstance(prompt, str) else json.dumps(prompt)}]
    name = "input" if path in RESPONSES.paths else "messages"
    if entry.takes_pictures:
        document = {**document, name: take_pictures(path, document[name])[0]}
    if path in RESPONSES.paths:
        given, instructions = document["input"], document.get("instructions")
        items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    elif path in MESSAGES.paths:
        items, instructions = document["messages"], document.get("system")
    else:
        return [adapt_message(message) for message in document["messages"]]
    return [*([{"role": "system", "content": instructions}] if instructions else ()), *items]


def _identify_beginnings(parts: Sequence[str]) -> list[int]:
    """Returns what identifies the prompt up to each message; before these, `parts` has the tools."""
    return [*accumulate(parts[1:], lambda end, part: hash((end, part)), initial=hash(parts[0]))][1:]


def _asks_for_several(document: dict[str, Any]) -> bool:
    """Returns whether a call asks for several answers: by their number, or by several prompts."""
    prompt = document.get("prompt")
    is_list = isinstance(prompt, list) and len(prompt) > 1 and not isinstance(prompt[0], int)
    return is_list or document.get("n") not in (None, 1)


def _is_answer(message: dict[str, Any], entry: EntryTerms) -> bool:
    longest = entry.max_output_tokens or entry.context // 4
    return message.get("role") == "assistant" and estimate_tokens(message) <= longest + TOKENS_PER_MESSAGE
