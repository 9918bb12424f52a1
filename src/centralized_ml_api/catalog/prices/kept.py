"""Prices that AWS was asked for before, kept on disk with their day."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from centralized_ml_api.catalog.prices.offer import BULK_FILE, Offer
from centralized_ml_api.catalog.prices.shipped import load_shipped_prices
from centralized_ml_api.catalog.prices.types import Price, PriceList, PriceSource
from centralized_ml_api.catalog.sources.cache import Cached, SpecCache, cache_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

FRESH = timedelta(days=1)
"""So long AWS is not asked again: prices change some times a year."""

USABLE = timedelta(days=60)
"""So long they are still better than the list in the package, when AWS cannot be asked."""


def build_price_list(offer: Offer, region: str) -> PriceList:
    """AWS's own prices of instances, and the shipped ones of requests."""
    source = PriceSource("aws", offer.published, "AWS's price list", BULK_FILE.format(region=region))
    instances = {name: Price(usd, source) for name, usd in offer.hourly.items()}
    return PriceList(region, instances, load_shipped_prices(region).requests, "asked")


def load_kept_prices(region: str, now: datetime, oldest: timedelta) -> PriceList | None:
    """The prices of a region, if they were asked for within `oldest` before now and are whole."""
    cached = _cache().load(_url(region))
    try:
        written = json.loads(cached.text) if cached else {}
        if not written or now - datetime.fromisoformat(written["asked"]) > oldest:
            return None
        return _price_list(written, region)
    except (ValueError, KeyError, TypeError, InvalidOperation):
        return None


def save_prices(prices: PriceList, now: datetime) -> None:
    """Keeps them for the next time; a disk that takes nothing is no reason to stop."""
    published = max(price.source.day for price in prices.instances.values())
    instances = {name: str(price.usd) for name, price in prices.instances.items()}
    written = {"asked": now.isoformat(), "published": published.isoformat(), "instances": instances}
    _cache().save(Cached.of(_url(prices.region), "", json.dumps(written)))


def _price_list(written: Mapping[str, Any], region: str) -> PriceList:
    hourly = {name: Decimal(usd) for name, usd in written["instances"].items()}
    offer = Offer(date.fromisoformat(written["published"]), hourly)
    return replace(build_price_list(offer, region), road="kept")


def _cache() -> SpecCache:
    """Beside JumpStart's specs; what is damaged or cannot be written is left out without a word."""
    return SpecCache(cache_folder().with_name("prices"), lambda _: None)


def _url(region: str) -> str:
    """What the cache knows the prices of a region by."""
    return f"{BULK_FILE.format(region=region)}/{region}.json"
