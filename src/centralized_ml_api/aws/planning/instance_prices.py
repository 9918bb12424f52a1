"""Loads what instances cost in a region: from AWS with credentials, else the list kept or shipped."""

from __future__ import annotations

import queue
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.catalog.prices.offer import HOSTING, SERVICE, Offer, read_query_answer
from centralized_ml_api.catalog.prices.price_files import (
    FRESH,
    USABLE,
    build_price_list,
    load_kept_prices,
    load_shipped_prices,
    save_prices,
)

if TYPE_CHECKING:
    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.catalog.prices.types import PriceList

PRICING_REGION = "us-east-1"
"""One of the few regions whose endpoint serves the price list, with the prices of all regions.

Source: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html
"""

PRICES_TIMEOUT_SECONDS = 8.0
"""How long AWS may take in all: there is a shipped list to fall back on."""


def load_prices(clients: AwsClients, now: datetime | None = None) -> PriceList:
    """Returns the best available prices of the clients' region; it is no failure if AWS does not answer.

    Args:
        clients: Whose credentials and region to use.
        now: The present instant, with a zone; None for the clock's.
    """
    now = now or datetime.now(UTC)
    region = clients.region
    kept = load_kept_prices(region, now, FRESH)
    return (
        kept or _asked(clients, now) or load_kept_prices(region, now, USABLE) or load_shipped_prices(region)
    )


def _asked(clients: AwsClients, now: datetime) -> PriceList | None:
    """Returns AWS's answer, cached for the next time; None without one in time.

    In a thread, because nothing else limits how long the look-up of a name and of credentials takes.
    """
    inbox: queue.SimpleQueue[Offer | None] = queue.SimpleQueue()
    threading.Thread(target=lambda: inbox.put(_ask(clients)), daemon=True).start()
    try:
        offer = inbox.get(timeout=PRICES_TIMEOUT_SECONDS)
    except queue.Empty:
        return None
    if offer is None:
        return None
    prices = build_price_list(offer, clients.region)
    save_prices(prices, now)
    return prices


def _ask(clients: AwsClients) -> Offer | None:
    try:
        if not clients.has_credentials():
            return None
        pages = clients.impatient_client("pricing", PRICING_REGION).get_paginator("get_products")
        filters = {"component": HOSTING, "regionCode": clients.region}
        answer = pages.paginate(
            ServiceCode=SERVICE,
            Filters=[
                {"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in filters.items()
            ],
        )
        products = [text for page in answer for text in page.get("PriceList", [])]
        return read_query_answer(products, clients.region)
    except (BotoCoreError, ClientError, ValueError, TypeError):
        return None
