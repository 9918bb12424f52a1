"""Decides what holds for the calls of an entry: its turns, its bodies, what they may spend. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.terms import EntryTerms
from centralized_ml_api.plan.apis import CHAT, MEDIA_APIS
from centralized_ml_api.plan.speaks import find_own_api
from centralized_ml_api.plan.token_prices import find_price
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.plan.event import EventPlan
    from centralized_ml_api.plan.serving import Serving
    from centralized_ml_api.plan.types import ModelDeployment


@record
class Limits:
    """What is limited of some team's calls: how many are under way, what they spend."""

    at_once: bool = False
    spending: bool = False

    @classmethod
    def of(cls, event: EventPlan) -> Limits:
        """Returns those of an event."""
        return cls(event.limits_at_once, event.limits_spending)

    @property
    def any(self) -> bool:
        """Whether anything is."""
        return self.at_once or self.spending


NO_LIMITS = Limits()


def build_entry_terms(
    entry: ModelDeployment, about: Mapping[str, Any], *, limits: Limits
) -> EntryTerms | None:
    """Returns what holds for the calls of an entry; None if they need not be asked about.

    Args:
        entry: The entry.
        about: How its server describes its model.
        limits: What is limited of some team's calls.
    """
    if entry.local is None:
        return None
    local, serving = entry.local, entry.local.serving
    terms = EntryTerms(
        places=local.places,
        model=_find_model(entry, serving),
        body_rules=serving.body_rules,
        slots=serving.places(local.environment) or 0,
        context=getattr(serving, "context", 0),
        max_output_tokens=entry.max_output_tokens,
        share_prompts=getattr(serving, "share_prompts", True),
        takes_tools=serving.takes_tools(about),
        takes_pictures=serving.sees is True,
        body_limit_bytes=serving.body_limit_bytes,
        sleeps=entry.sleep is not None,
        **{
            **_spending_terms(entry, serving, limits_spending=limits.spending),
            **_terms_of_bodies(entry, serving),
        },
    )
    return terms if limits.any or terms.asks_for_all else None


def _spending_terms(entry: ModelDeployment, serving: Serving, *, limits_spending: bool) -> dict[str, Any]:
    """Returns what holds where somebody's tokens or dollars are limited."""
    if not limits_spending:
        return {}
    price, first = find_price(entry), find_own_api(entry)
    return {
        "path": first.paths[0] if first else CHAT.paths[0],
        "has_tokens": first is not None and first not in MEDIA_APIS,
        "answer_tokens": serving.answer_tokens,
        "price": (price.read, price.cached, price.written) if price else None,
    }


def _find_model(entry: ModelDeployment, serving: Serving) -> str | None:
    """Returns what bodies name as their model; an answer of Converse names the entry as its body does."""
    return entry.name if serving.needs_translator else getattr(serving, "model", None)


def _terms_of_bodies(entry: ModelDeployment, serving: Serving) -> dict[str, Any]:
    """Returns what holds for forms alone, or for the bodies of a model that somebody hosts."""
    own = find_own_api(entry)
    if own is None or not (serving.is_hosted or own.takes_form):
        return {}
    if not serving.is_hosted:
        return {"path": own.paths[0]}
    return {
        "path": own.paths[0],
        "limit_key": serving.limit_key,
        "takes_stream_options": serving.takes_stream_options,
    }
