# ruff: noqa: INP001  # a script, not a package
"""Brings the price list that ships with the package up to date, from AWS's own bulk price list.

    python tools/build_price_list.py us-east-1 eu-west-1         asks AWS, without an account
    python tools/build_price_list.py us-east-1 --folder prices   reads prices/us-east-1.json instead

In each region that is named, the prices of instances are replaced by those that AWS publishes for real-time
hosting; its other prices and all other regions stay as they are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from centralized_ml_api.catalog.prices.offer import BULK_FILE, Offer, read_bulk_file
from centralized_ml_api.catalog.sources.web import fetch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PRICES = Path(__file__).parent.parent / "src/centralized_ml_api/catalog/prices/prices.json"

PriceData = dict[str, Any]
"""What the file holds: `sources` by id, and `regions` with the prices of each."""


def replace_region(data: PriceData, region: str, offer: Offer) -> PriceData:
    """The list with AWS's own prices of instances in one region; sources that nothing names go. Pure."""
    source = f"aws-{region}-{offer.published}"
    url = BULK_FILE.format(region=region)
    described = {"day": offer.published.isoformat(), "title": "AWS's price list", "url": url}
    instances = {name: {"usd": str(usd), "source": source} for name, usd in sorted(offer.hourly.items())}
    regions = {**data["regions"], region: {**data["regions"].get(region, {}), "instances": instances}}
    named = set(_named_sources(regions))
    sources = {**data["sources"], source: described}
    return {
        "sources": {name: one for name, one in sources.items() if name in named},
        "regions": dict(sorted(regions.items())),
    }


def _named_sources(regions: Mapping[str, Any]) -> Iterator[str]:
    for region in regions.values():
        for prices in region.values():
            yield from (price["source"] for price in prices.values())


def load_offer(region: str, folder: Path | None) -> Offer:
    """What AWS publishes for a region: asked, or from a file that was downloaded."""
    if folder:
        return read_bulk_file((folder / f"{region}.json").read_text(encoding="utf-8"), region)
    answer = fetch(BULK_FILE.format(region=region), {})
    if not answer.text:
        raise click.ClickException(f"AWS answered {answer.status} for {region}")
    return read_bulk_file(answer.text, region)


@click.command(help=__doc__)
@click.argument("regions", nargs=-1, required=True)
@click.option("--folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--list", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=PRICES)
def main(regions: tuple[str, ...], folder: Path | None, file: Path) -> None:
    """Writes the list."""
    data = json.loads(file.read_text(encoding="utf-8"))
    for region in regions:
        offer = load_offer(region, folder)
        data = replace_region(data, region, offer)
        click.echo(f"{region}: {len(offer.hourly)} instance types, published {offer.published}")
    file.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
