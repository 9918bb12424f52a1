"""Prices, each with where it is from and of which day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

PRICING_PAGE = "https://aws.amazon.com/sagemaker/ai/pricing/"
"""Where a person looks a price up that the list does not have."""

Road = Literal["asked", "kept", "shipped"]
"""How the list came: AWS was asked just now, or within the last days, or it is the one in this package."""


@dataclass(frozen=True, slots=True)
class PriceSource:
    """Where a price was read, and the day on which it was so."""

    id: str
    day: date
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars without taxes, on demand; the unit is the one of the field that holds it."""

    usd: Decimal
    source: PriceSource


@dataclass(frozen=True, slots=True)
class RequestPrices:
    """What calls cost: a million through the API, a million of a function, and a GB-second of a function."""

    api_per_million: Price
    function_per_million: Price
    function_per_gb_second: Price

    @property
    def all(self) -> tuple[Price, ...]:
        """The three of them."""
        return self.api_per_million, self.function_per_million, self.function_per_gb_second


@dataclass(frozen=True, slots=True)
class PriceList:
    """The prices of one region: `instances` an hour of real-time hosting by type; None where nobody knows.

    A type that is not in it has no known price there.
    """

    region: str
    instances: Mapping[str, Price]
    requests: RequestPrices | None
    road: Road
