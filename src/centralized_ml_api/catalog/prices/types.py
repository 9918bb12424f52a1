"""Prices, each with its source and day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

from centralized_ml_api.record import record

PRICING_PAGE = "https://aws.amazon.com/sagemaker/ai/pricing/"
"""Where to look up a price that the list does not have."""

Road = Literal["asked", "kept", "shipped"]
"""Where the list is from: AWS just now, AWS within the last days, or this package."""


@record
class PriceSource:
    """Where a price was read, and on which day."""

    id: str
    day: date
    title: str
    url: str


@record
class Price:
    """US dollars without taxes, on demand; the unit is the one of the field that holds it."""

    usd: Decimal
    source: PriceSource


@record
class RequestPrices:
    """The prices of calls: a million through the API, a million of a function, a GB-second of a function."""

    api_per_million: Price
    function_per_million: Price
    function_per_gb_second: Price

    @property
    def all(self) -> tuple[Price, ...]:
        """Every price, in the order of the fields."""
        return self.api_per_million, self.function_per_million, self.function_per_gb_second


@record
class PriceList:
    """The prices of one region: `instances` by type, for an hour of real-time hosting.

    A type that is missing has no known price there; nor have requests that are None.
    """

    region: str
    instances: Mapping[str, Price]
    requests: RequestPrices | None
    road: Road
