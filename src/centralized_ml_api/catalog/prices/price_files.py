"""Price lists on disk: the one in the package, whose `NOTICE` names its source, and AWS's last answers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from centralized_ml_api.catalog.prices.offer import BULK_FILE, Offer
from centralized_ml_api.catalog.prices.types import Price, PriceList, PriceSource, RequestPrices
from centralized_ml_api.catalog.sources.cache import Cached, SpecCache, cache_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

FRESH = timedelta(days=1)
"""How long AWS is not asked again: prices change a few times a year."""

USABLE = timedelta(days=60)
"""How long they are better than the list in the package if AWS cannot be asked."""

FILE = "prices/prices.json"


def load_shipped_prices(region: str) -> PriceList:
    """Returns the prices of a region; the list is empty if none were published."""
    written = _load_shipped()
    sources = {name: _source(name, source) for name, source in written["sources"].items()}
    known = written["regions"].get(region, {})
    instances = {name: _price(price, sources) for name, price in known.get("instances", {}).items()}
    return PriceList(region, instances, _requests(known.get("requests"), sources), "shipped")


def build_price_list(offer: Offer, region: str) -> PriceList:
    """Returns AWS's own prices of instances, with the shipped ones of requests."""
    source = PriceSource("aws", offer.published, "AWS's price list", BULK_FILE.format(region=region))
    instances = {name: Price(usd, source) for name, usd in offer.hourly.items()}
    return PriceList(region, instances, load_shipped_prices(region).requests, "asked")


def load_kept_prices(region: str, now: datetime, oldest: timedelta) -> PriceList | None:
    """Returns the prices of a region as AWS gave them before.

    Args:
        region: AWS's name of it.
        now: The present.
        oldest: How long before now they may have been asked for; older ones are None, as are damaged ones.
    """
    cached = _cache().load(_url(region))
    try:
        written = json.loads(cached.text) if cached else {}
        if not written or now - datetime.fromisoformat(written["asked"]) > oldest:
            return None
        return _read_kept(written, region)
    except (ValueError, KeyError, TypeError, InvalidOperation):
        return None


def save_prices(prices: PriceList, now: datetime) -> None:
    """Keeps prices for the next time; a disk that cannot be written is not an error."""
    published = max(price.source.day for price in prices.instances.values())
    instances = {name: str(price.usd) for name, price in prices.instances.items()}
    written = {"asked": now.isoformat(), "published": published.isoformat(), "instances": instances}
    _cache().save(Cached.of(_url(prices.region), "", json.dumps(written)))


def _read_kept(written: Mapping[str, Any], region: str) -> PriceList:
    hourly = {name: Decimal(usd) for name, usd in written["instances"].items()}
    offer = Offer(date.fromisoformat(written["published"]), hourly)
    return replace(build_price_list(offer, region), road="kept")


def _cache() -> SpecCache:
    """Returns the cache beside JumpStart's specs, which ignores damaged and unwritable files silently."""
    return SpecCache(cache_folder().with_name("prices"), lambda _: None)


def _url(region: str) -> str:
    """Returns the key of a region's prices in the cache."""
    return f"{BULK_FILE.format(region=region)}/{region}.json"


@cache
def _load_shipped() -> dict[str, Any]:
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
    if not written:
        return None
    return RequestPrices(**{name: _price(price, sources) for name, price in written.items()})
