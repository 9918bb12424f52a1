"""A model to choose, and what somebody wants of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from centralized_ml_api.catalog.overview import Overview

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Choice:
    """A model and what an hour of its default instance costs; None where that is not known."""

    model: Overview
    usd_per_hour: Decimal | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a model shall be; None and False ask for nothing.

    `max_price` is in US dollars an hour, the sizes are billions of parameters, `licence` is a part of its
    name in small letters.
    """

    max_price: float | None
    min_size: float | None
    max_size: float | None
    licence: str | None
    no_eula: bool

    def judge(self, choice: Choice) -> tuple[bool | None, ...]:
        """For each thing that is asked for whether the model is that; None where it is not known."""
        model = choice.model
        return (
            _compare(self.max_price, choice.usd_per_hour, lambda price, most: price <= most),
            _compare(self.min_size, model.billions, lambda size, least: size >= least),
            _compare(self.max_size, model.billions, lambda size, most: size <= most),
            _compare(self.licence, model.licence, lambda licence, part: part in licence.name.lower()),
            _compare(self.no_eula or None, model.asks_licence, lambda asks, _: not asks),
        )


def _compare(asked: Any, known: Any, holds: Callable[[Any, Any], bool]) -> bool | None:
    """What is not asked for holds."""
    if asked is None:
        return True
    return None if known is None else holds(known, asked)
