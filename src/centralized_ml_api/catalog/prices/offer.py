"""Reads AWS's own price list: the format of its bulk files, which its query API uses for each product. Pure.

Source: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable

SERVICE = "AmazonSageMaker"
BULK_FILE = (
    "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonSageMaker/current/{region}/index.json"
)
"""The public file of one region.

Source: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-the-aws-price-list-bulk-api.html
"""

HOSTING = "Hosting"
"""The `component` of real-time endpoints; training, notebooks and transforms have others, priced apart."""

_HOSTING_USAGE = "Host:"
_HOURS = "Hrs"


@record
class Offer:
    """The hosting prices of a list: US dollars an hour by instance type, and the day of publication."""

    published: date
    hourly: Mapping[str, Decimal]


def read_bulk_file(text: str, region: str) -> Offer:
    """Reads the hosting prices of one region from a bulk file.

    Raises:
        ValueError: It is not a price list of SageMaker, or has no hosting price of that region.
    """
    offer = _object(text)
    terms = _mapping(_mapping(offer.get("terms")).get("OnDemand"))
    products = [(product, terms.get(sku)) for sku, product in _mapping(offer.get("products")).items()]
    return _offer(str(offer.get("publicationDate", "")), products, region)


def read_query_answer(products: Iterable[str], region: str) -> Offer:
    """Reads the hosting prices of one region from the `PriceList` of GetProducts: one JSON text per product.

    Raises:
        ValueError: A text is not a product, or none has a hosting price of that region.
    """
    answers = [_object(text) for text in products]
    published = max((str(answer.get("publicationDate", "")) for answer in answers), default="")
    priced = [(answer.get("product"), _mapping(answer.get("terms")).get("OnDemand")) for answer in answers]
    return _offer(published, priced, region)


def _offer(published: str, products: Iterable[tuple[Any, Any]], region: str) -> Offer:
    found: dict[str, set[Decimal]] = {}
    for product, terms in products:
        attributes = _mapping(_mapping(product).get("attributes"))
        if _is_hosting(attributes, region):
            found.setdefault(str(attributes["instanceName"]), set()).update(_hourly(terms))
    # A type with two prices has none that can be shown.
    hourly = {name: min(prices) for name, prices in sorted(found.items()) if len(prices) == 1}
    if not hourly:
        raise ValueError(f"the price list has no hosting prices of {region}")
    return Offer(datetime.fromisoformat(published).date(), hourly)


def _is_hosting(attributes: Mapping[str, Any], region: str) -> bool:
    usage = str(attributes.get("usagetype", _HOSTING_USAGE))
    return (
        str(attributes.get("component", "")).casefold() == HOSTING.casefold()
        and attributes.get("regionCode") == region
        and "instanceName" in attributes
        and _HOSTING_USAGE in usage
    )


def _hourly(terms: Any) -> set[Decimal]:
    """Returns the prices of an hour; the zero of a free tier is not one."""
    dimensions = [
        _mapping(dimension)
        for term in _mapping(terms).values()
        for dimension in _mapping(_mapping(term).get("priceDimensions")).values()
    ]
    prices = (
        _decimal(_mapping(dimension.get("pricePerUnit")).get("USD"))
        for dimension in dimensions
        if dimension.get("unit") == _HOURS
    )
    return {price for price in prices if price > 0}


def _decimal(written: Any) -> Decimal:
    try:
        return Decimal(str(written)).normalize()
    except InvalidOperation:
        return Decimal(0)


def _object(text: str) -> Mapping[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise TypeError("a price list is a JSON object")
    return value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
