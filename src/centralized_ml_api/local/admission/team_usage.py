"""What `GET /v1/usage` tells a team: what it has used, what is left of its limits, and until when. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.local.admission.accounts import SECONDS, start_period
from centralized_ml_api.plan.event import POT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from centralized_ml_api.local.admission.accounts import Limit
    from centralized_ml_api.plan.event import Period
    from centralized_ml_api.plan.usage.tokens import Tokens


def render_team_usage(team: str, calls: int, tokens: Tokens, limits: Iterable[Mapping[str, Any]]) -> bytes:
    """Renders the document.

    Args:
        team: Whose it is.
        calls: How many calls of models were let through.
        tokens: Those of these calls, and what they cost.
        limits: What `describe_limit` and `describe_day` say of each limit that holds for the team.
    """
    document = {
        "team": team,
        "calls": calls,
        "tokens_in": tokens.read,
        "tokens_cached": tokens.cached,
        "tokens_out": tokens.written,
        "tokens_estimated": tokens.estimated,
        "usd": _usd(tokens.nanodollars),
        "limits": [*limits],
    }
    return json.dumps(document).encode()


def describe_day(most: int, used: int, now: float) -> dict[str, Any]:
    """Returns what the document says of a limit in calls a day.

    Args:
        most: The limit.
        used: How many calls the team has made today.
        now: Seconds since the epoch.
    """
    return {
        "of": "team",
        "unit": "requests",
        "period": "day",
        "limit": most,
        "left": max(0, most - used),
        "resets": _render_end("day", now),
    }


def describe_limit(limit: Limit, left: int, now: float) -> dict[str, Any]:
    """Returns what the document says of a limit in tokens or dollars.

    Args:
        limit: The limit.
        left: What is left of it: tokens or nanodollars.
        now: Seconds since the epoch.
    """
    is_money = limit.unit == "nanodollars"
    return {
        "of": "all teams" if limit.owner == POT else "team",
        "unit": "usd" if is_money else "tokens",
        "period": limit.period,
        "limit": _usd(limit.most) if is_money else limit.most,
        "left": _usd(left) if is_money else left,
        "resets": _render_end(limit.period, now),
    }


def _render_end(period: Period, now: float) -> str | None:
    seconds = SECONDS.get(period)
    if seconds is None:
        return None
    return render_instant(datetime.fromtimestamp(start_period(period, now) + seconds, UTC))


def _usd(nanodollars: int) -> float:
    return float(Decimal(nanodollars).scaleb(-9))
