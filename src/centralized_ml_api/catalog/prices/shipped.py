"""The price list that ships with the package; `NOTICE` beside it says how it came about."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from centralized_ml_api.catalog.prices.types import Price, PriceList, PriceSource, RequestPrices

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "prices/prices.json"


def load_shipped_prices(region: str) -> PriceList:
    """The prices of a region; an empty list for a region of which none were published."""
    written = _load()
    sources = {name: _source(name, one) for name, one in written["sources"].items()}
    known = written["regions"].get(region, {})
    instances = {name: _price(one, sources) for name, one in known.get("instances", {}).items()}
    return PriceList(region, instances, _requests(known.get("requests"), sources), "shipped")


@cache
def _load() -> dict[str, Any]:
    text = files("centralized_ml_api.catalog").joinpath(FILE).read_text(encoding="utf-8")
    written: dict[str, Any] = json.loads(text)
    return written


def _source(name: str, written: Mapping[str, str]) -> PriceSource:
    return PriceSource(name, date.fromisoformat(written["day"]), written["title"], written["url"])


def _price(written: Mapping[str, str], sources: Mapping[str, PriceSource]) -> Price:
    return Price(Decimal(written["usd"]), sources[written["source"]])


def _requests(
    written: Mapping[str, Mapping[str, str]] | None, sources: Mapping[str, PriceSource]
) -> RequestPrices | None:
    return RequestPrices(**{name: _price(one, sources) for name, one in written.items()}) if written else None
