"""`mlapi models WORD`: a list to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from centralized_ml_api.catalog.catalog import open_catalog
from centralized_ml_api.catalog.overview import Overview, build_overview
from centralized_ml_api.catalog.prices.kept import USABLE, load_kept_prices
from centralized_ml_api.catalog.prices.shipped import load_shipped_prices
from centralized_ml_api.catalog.rules.task import TASK_WORDS
from centralized_ml_api.cli import output
from centralized_ml_api.cli.counting import counted
from centralized_ml_api.cli.jumpstart import find_region, offline_option, tell_warnings
from centralized_ml_api.cli.options import json_option, region_option
from centralized_ml_api.cli.real_range import RealRange
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.catalog.prices.model import PriceList

UNKNOWN = "?"
_HEAD = ("MODEL", "TASK", "INSTANCE", "USD/H", "LICENCE", "NEWEST")


@dataclass(frozen=True, slots=True)
class Choice:
    """A model and what an hour of its default instance costs; None where that is not known."""

    model: Overview
    usd_per_hour: Decimal | None


@click.command("list-models", hidden=True)
@click.argument("search", nargs=-1)
@click.option("--task", help="Only models of this task, such as llm or asr.")
@click.option(
    "--max-price",
    type=RealRange(0, min_open=True),
    help="Only models whose default instance costs at most so many US dollars an hour.",
)
@click.option("--no-eula", is_flag=True, help="Only models without a licence that must be accepted first.")
@region_option
@offline_option
@json_option
def list_models(
    *,
    search: tuple[str, ...],
    task: str | None,
    max_price: float | None,
    no_eula: bool,
    region: str | None,
    offline: bool,
    as_json: bool,
) -> None:
    """List the models of JumpStart whose id, task or keywords hold every word of SEARCH."""
    catalog = open_catalog(offline=offline)
    place = find_region(region)
    models = [build_overview(row) for row in catalog.rows(place)]
    tell_warnings(catalog)
    if task:
        _check_task(task, models)
    prices = load_list_prices(place)
    wanted = [one for one in models if one.holds(" ".join(search)) and task in {None, one.task}]
    found = [_priced(one, prices) for one in wanted]
    shown = [one for one in found if _passes(one, max_price, no_eula=no_eula)]
    if as_json:
        output.data_json([_data(one) for one in shown])
        return
    _show(shown, found, prices)


def load_list_prices(region: str) -> PriceList:
    """The prices that this machine has of a region; AWS is not asked for a list."""
    return load_kept_prices(region, datetime.now(UTC), USABLE) or load_shipped_prices(region)


def _check_task(task: str, models: Sequence[Overview]) -> None:
    known = sorted({one.task for one in models})
    if task not in known:
        named = (f"{one} ({TASK_WORDS[one]})" if one in TASK_WORDS else one for one in known)
        raise UsageError(f"no model has the task {task}", fix=f"name one of: {', '.join(named)}")


def _priced(model: Overview, prices: PriceList) -> Choice:
    """Proprietary ones are packages of the Marketplace: the price of the software is not known here."""
    price = prices.instances.get(model.instance or "")
    return Choice(model, price.usd if price and not model.is_proprietary else None)


def _passes(choice: Choice, max_price: float | None, *, no_eula: bool) -> bool:
    """What is not known does not pass."""
    if no_eula and choice.model.asks_licence is not False:
        return False
    return max_price is None or (choice.usd_per_hour is not None and choice.usd_per_hour <= max_price)


def _show(shown: Sequence[Choice], found: Sequence[Choice], prices: PriceList) -> None:
    if shown:
        output.data("\n".join(_table([_HEAD, *(_cells(one) for one in shown)])))
    output.talk(counted(len(shown), "model"))
    unknown = sum(UNKNOWN in _cells(one) for one in set(found) - set(shown))
    if unknown:
        output.talk(f"Left out because not enough is known of them: {counted(unknown, 'model')}")
    if any(one.usd_per_hour is not None for one in shown):
        output.talk(f"Prices of {prices.region}, of the default instance; {UNKNOWN} is not known here.")
    output.next_command(_next(shown))


def _next(shown: Sequence[Choice]) -> str:
    if not shown:
        return "mlapi models"
    first = shown[0].model.model_id
    return f"mlapi models show {first}, or take it: mlapi models add {first}"


def _data(choice: Choice) -> dict[str, Any]:
    usd = choice.usd_per_hour
    return {
        "model_id": choice.model.model_id,
        "task": choice.model.task,
        "version": choice.model.version,
        "proprietary": choice.model.is_proprietary,
        "instance": choice.model.instance,
        "usd_per_hour": None if usd is None else float(usd),
        "accept_eula": choice.model.asks_licence,
    }


def _cells(choice: Choice) -> tuple[str, ...]:
    model, usd = choice.model, choice.usd_per_hour
    licence = {True: "to accept", False: "-", None: UNKNOWN}[model.asks_licence]
    price = UNKNOWN if usd is None else f"{usd:.2f}"
    return model.model_id, model.task, model.instance or UNKNOWN, price, licence, model.version


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
