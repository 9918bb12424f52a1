"""What `GET /v1/usage` tells a team: what it has used, what is left of its limits, and until when. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.local.admission.accounts import SECONDS, open_account
from centralized_ml_api.plan.event import POT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.local.admission.accounts import Limit
    from centralized_ml_api.plan.usage.tokens import Tokens


def render_team_usage(team: str, calls: int, tokens: Tokens, left: Mapping[Limit, int], now: float) -> bytes:
    """Renders the document.

    Args:
        team: Whose it is.
        calls: How many calls of models were let through.
        tokens: Those of these calls, and what they cost.
        left: What is left of each limit that holds for the team.
        now: In seconds since the epoch.
    """
    document = {
        "team": team,
        "calls": calls,
        "tokens_in": tokens.read,
        "tokens_cached": tokens.cached,
        "tokens_out": tokens.written,
        "tokens_estimated": tokens.estimated,
        "usd": _usd(tokens.nanodollars),
        "limits": [describe_limit(limit, amount, now) for limit, amount in left.items()],
    }
    return json.dumps(document).encode()


def describe_limit(limit: Limit, left: int, now: float) -> dict[str, Any]:
    """Returns what the document says of a limit of which so much is left."""
    is_money = limit.unit == "nanodollars"
    seconds = SECONDS.get(limit.period)
    ends = None if seconds is None else open_account(limit, now).start + seconds
    return {
        "of": "all teams" if limit.owner == POT else "team",
        "unit": "usd" if is_money else "tokens",
        "period": limit.period,
        "limit": _usd(limit.most) if is_money else limit.most,
        "left": _usd(left) if is_money else left,
        "resets": None if ends is None else render_instant(datetime.fromtimestamp(ends, UTC)),
    }


def _usd(nanodollars: int) -> float:
    return float(Decimal(nanodollars).scaleb(-9))
