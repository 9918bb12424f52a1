"""Entries that fall back on others: asked in turn, and nobody once a model may have worked.

Every last one of a list would answer 200. So another status says that nobody else was asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.http import EVENTS_IN_UTF8
from contract.api import AWAY, NOWHERE, UNREACHABLE
from contract.case import JSON, Case, Expected, Refusal, Request, refused
from contract.cases.errors import RETRY
from contract.cases.every_host import Said
from contract.cases.hosted import OfTheProvider
from contract.cases.openai import chat, tell
from support import anthropic_answers, bedrock, openai_answers

if TYPE_CHECKING:
    from collections.abc import Mapping

_HOSTED, _MESSAGES = "".join(openai_answers.WORDS), anthropic_answers.TEXT
_CLAUDE = "".join(bedrock.WORDS)
_ANSWERED = (
    ("is busy", "falls", "limited", "hosted", _HOSTED),
    ("refuses the key", "falls", "unkeyed", "hosted", _HOSTED),
    ("cannot be reached", UNREACHABLE, None, "messages", _MESSAGES),
    ("fails", "falls-elsewhere", None, "claude", _CLAUDE),
    ("is busy on Bedrock", "claude-falls", "anthropic.limited", "claude", _CLAUDE),
)
"""What the first one does, the entry, what it is told to do, who answers for it, and with which words."""


def _ask(name: str, act: str | None, *, stream: bool = False) -> Request:
    return tell(name, act, stream=stream) if act else chat(model=name, stream=stream)


def _served_by(name: str) -> Mapping[str, str]:
    return {"x-served-by": name}


def _list_forms() -> tuple[tuple[str, bool], ...]:
    return (("whole", False), ("streamed", True))


CASES = [
    *(
        Case(
            f"where an entry {what}, the next one answers: {name}, {form}",
            _ask(name, act, stream=stream),
            Expected(200, Said(words), EVENTS_IN_UTF8 if stream else None, _served_by(other)),
        )
        for what, name, act, other, words in _ANSWERED
        for form, stream in _list_forms()
    ),
    Case(
        "the next one answers at an entry's own path",
        Request("/falls", tell("falls", "limited").body, headers={"Content-Type": JSON}),
        Expected(200, Said(_HOSTED), None, _served_by("hosted")),
    ),
    Case(
        "the error of the last entry is told, with its pause",
        _ask("falls-broken", None),
        Expected(
            429,
            OfTheProvider("rate_limit_exceeded"),
            JSON,
            {"retry-after": "7", **_served_by("hosted-limited")},
        ),
    ),
    Case(
        "where each entry is away, the last one's error is told",
        _ask(NOWHERE, None),
        refused(errors.MODEL_NOT_READY, headers={**RETRY, **_served_by(AWAY)}),
    ),
    Case(
        "a mistake of the caller is no reason to ask another",
        _ask("falls", "detail"),
        Expected(
            422,
            Refusal(errors.ApiError(422, errors.MODEL_REFUSED.type, errors.MODEL_REFUSED.code, "")),
            JSON,
            _served_by("falls"),
        ),
    ),
    *(
        Case(
            f"nobody is asked once a model may have worked: {act}, {'streamed' if stream else 'whole'}",
            _ask("falls", act, stream=stream),
            Expected(502, Refusal(errors.MODEL_FAILED), JSON, _served_by("falls")),
        )
        for act, stream in (("gone", False), ("gone", True), ("cut", False))
    ),
]
