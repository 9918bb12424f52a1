"""Words the refusals of the admission service, those of limits in tokens and dollars above all. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.admission.accounts import SECONDS
from centralized_ml_api.local.admission.turns import LineFullError
from centralized_ml_api.plan.event import POT
from centralized_ml_api.plan.usage.tokens import render_usd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.local.admission.accounts import Limit, Shortage
    from centralized_ml_api.local.admission.sleepers import SleepingError
    from centralized_ml_api.plan.event import Unit

_SHORT_PAUSE_SECONDS = 1


class RefusalError(Exception):
    """A call that may not go on.

    Attributes:
        error: What its caller is told.
        retry_after_seconds: When to try again; None if that would not help.
        stops: Whether a client must not try again by itself.
        model_state: What the model does, if it sleeps or wakes.
    """

    def __init__(
        self,
        error: errors.ApiError,
        retry_after_seconds: int | None = None,
        *,
        stops: bool = False,
        model_state: str = "",
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.retry_after_seconds = retry_after_seconds
        self.stops = stops
        self.model_state = model_state


def refuse_turn(error: Exception, team: str, wait_seconds: float) -> RefusalError:
    """Builds the refusal of a call whose turn does not come.

    Args:
        error: Why.
        team: Whose call it is; empty without teams.
        wait_seconds: How long it has waited.
    """
    if isinstance(error, TimeoutError):
        overloaded = errors.OVERLOADED.with_message("no_turn", seconds=math.floor(wait_seconds))
        return RefusalError(overloaded, errors.RETRY_AFTER_SECONDS)
    if isinstance(error, LineFullError) and error.own and team:
        return RefusalError(errors.TOO_MANY_REQUESTS.with_message("team_at_once"), _SHORT_PAUSE_SECONDS)
    return RefusalError(errors.OVERLOADED, errors.RETRY_AFTER_SECONDS)


def refuse_sleeping(sleeping: SleepingError) -> RefusalError:
    """Builds the refusal of a call whose model does not wake in time."""
    seconds = sleeping.retry_after_seconds
    if sleeping.has_failed:
        error = errors.MODEL_NOT_READY.with_message("did_not_wake", seconds=seconds)
        return RefusalError(error, seconds, model_state=sleeping.state)
    said = "outside_hours" if sleeping.is_closed else "in_seconds"
    error = errors.MODEL_WAKING.with_message(said, seconds=seconds)
    stops = sleeping.is_closed and seconds > errors.LONGEST_WAIT_SECONDS
    return RefusalError(error, seconds, stops=stops, model_state=sleeping.state)


def refuse_shortage(shortage: Shortage) -> RefusalError:
    """Builds the refusal of a call that does not fit below a limit: what is left, and when more is."""
    limit = shortage.limit
    error = errors.TOKENS_EXCEEDED if limit.unit == "tokens" else errors.BUDGET_EXCEEDED
    words = {
        "whose": "All teams together" if limit.owner == POT else "Your team",
        "most": _render(limit.unit, limit.most),
        "period": _PERIODS[limit.period],
        "left": _render(limit.unit, shortage.left),
        "need": _render(limit.unit, shortage.need),
    }
    if shortage.is_hopeless:
        return RefusalError(error.with_message("never", **words), stops=True)
    if shortage.is_passing:
        return RefusalError(error.with_message("pending", **words), errors.RETRY_AFTER_SECONDS)
    after = shortage.returns_after_seconds
    if after is None:
        return RefusalError(error.with_message("used_up", **words), stops=True)
    return RefusalError(
        error.with_message("until", **words, seconds=after), after, stops=after > errors.LONGEST_WAIT_SECONDS
    )


def render_left(left: Mapping[Limit, int], now: float) -> dict[str, str]:
    """Renders the headers of an answer by OpenAI's names: the limit in tokens of which least is left.

    Args:
        left: What is left of each limit.
        now: In seconds since the epoch.
    """
    tokens = {limit: amount for limit, amount in left.items() if limit.unit == "tokens"}
    if not tokens:
        return {}
    limit = min(tokens, key=lambda limit: tokens[limit])
    seconds = SECONDS.get(limit.period)
    reset = {"reset": f"{int(seconds - now % seconds) + 1}s"} if seconds else {}
    return {"limit": str(limit.most), "remaining": str(tokens[limit]), **reset}


_PERIODS = {"minute": "a minute", "day": "a day (UTC)", "event": "in the whole event"}


def _render(unit: Unit, amount: int) -> str:
    return f"{amount:,} tokens" if unit == "tokens" else f"{render_usd(amount)} USD"
