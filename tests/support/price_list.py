"""AWS's price list in the small: products of SageMaker in the format that AWS documents."""

from __future__ import annotations

import json
from typing import Any

PUBLISHED = "2026-10-01T02:56:06Z"
Row = tuple[str, str, str]
"""A component such as `Hosting`, an instance type, and its price."""

ROWS: tuple[Row, ...] = (
    ("Hosting", "ml.g5.2xlarge", "1.5150000000"),
    ("Hosting", "ml.m5.xlarge", "0.2300000000"),
    ("Training", "ml.g5.2xlarge", "9.9900000000"),
    ("Studio-JupyterLab", "ml.t3.medium", "0.0500000000"),
)
_USAGE = {"Hosting": "Host"}


def build_bulk_file(*rows: Row, region: str = "us-east-1", **changes: Any) -> str:
    """A bulk file with these products, or with `ROWS`."""
    numbered = {f"SKU{number}": row for number, row in enumerate(rows or ROWS)}
    return json.dumps(
        {
            "formatVersion": "v1.0",
            "offerCode": "AmazonSageMaker",
            "publicationDate": PUBLISHED,
            "products": {sku: _product(sku, row, region) for sku, row in numbered.items()},
            "terms": {"OnDemand": {sku: _terms(sku, row) for sku, row in numbered.items()}},
            **changes,
        }
    )


def build_query_answer(*rows: Row, region: str = "us-east-1") -> dict[str, Any]:
    """What GetProducts answers with these products, or with `ROWS`."""
    products = [
        {
            "product": _product("SKU", row, region),
            "serviceCode": "AmazonSageMaker",
            "terms": {"OnDemand": _terms("SKU", row)},
            "publicationDate": PUBLISHED,
        }
        for row in rows or ROWS
    ]
    return {"FormatVersion": "aws_v1", "PriceList": [json.dumps(product) for product in products]}


def _product(sku: str, row: Row, region: str) -> dict[str, Any]:
    component, instance, _ = row
    attributes = {
        "component": component,
        "instanceName": instance,
        "instanceType": f"{instance}-{component}",
        "regionCode": region,
        "usagetype": f"USE1-{_USAGE.get(component, component)}:{instance}",
    }
    return {"sku": sku, "productFamily": "ML Instance", "attributes": attributes}


def _terms(sku: str, row: Row) -> dict[str, Any]:
    rate = {"unit": "Hrs", "beginRange": "0", "endRange": "Inf", "pricePerUnit": {"USD": row[2]}}
    return {f"{sku}.JRTCKXETXF": {"sku": sku, "priceDimensions": {f"{sku}.JRTCKXETXF.6YS6EN2CT7": rate}}}
