"""What calls ask of accounts."""

from __future__ import annotations

from centralized_ml_api.local.admission.accounts import (
    Ask,
    Limit,
    Need,
)

NOON = 1_780_315_200.0
MINUTE = Limit("red", "tokens", "minute", 100)
EVENT = Limit("red", "nanodollars", "event", 1000)

PRICE = (1000, 1000, 1000)
"""A nanodollar a token."""


def ask(tokens: int, *limits: Limit) -> Ask:
    return Ask(limits or (EVENT,), Need(tokens, tokens), PRICE, bytes_in=tokens, has_tokens=True)
