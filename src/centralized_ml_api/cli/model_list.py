"""`mlapi models WORD`: a list to choose from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from centralized_ml_api.catalog.catalog import open_catalog
from centralized_ml_api.catalog.overview import build_overview
from centralized_ml_api.catalog.own_region import find_region
from centralized_ml_api.catalog.prices.kept import USABLE, load_kept_prices
from centralized_ml_api.catalog.prices.shipped import load_shipped_prices
from centralized_ml_api.catalog.rules.task import TASK_WORDS
from centralized_ml_api.cli import output
from centralized_ml_api.cli.counting import counted
from centralized_ml_api.cli.jumpstart import offline_option, tell_warnings
from centralized_ml_api.cli.model_choice import Choice, Wish
from centralized_ml_api.cli.options import json_option, region_option
from centralized_ml_api.cli.real_range import RealRange
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.catalog.overview import Overview
    from centralized_ml_api.catalog.prices.types import PriceList

UNKNOWN = "?"
_HEAD = ("MODEL", "TASK", "SIZE", "INSTANCE", "USD/H", "LICENCE", "TO ACCEPT", "NEWEST")


@click.command("list-models", hidden=True)
@click.argument("search", nargs=-1)
@click.option("--task", help="Only models of this task, such as llm or asr.")
@click.option(
    "--max-price",
    type=RealRange(0, min_open=True),
    help="Only models whose default instance costs at most so many US dollars an hour.",
)
@click.option(
    "--min-size", metavar="BILLIONS", type=RealRange(0), help="Only models with at least so many parameters."
)
@click.option(
    "--max-size",
    metavar="BILLIONS",
    type=RealRange(0, min_open=True),
    help="Only models with at most so many parameters: 0.5 is half a billion.",
)
@click.option("--licence", help="Only models whose licence's name holds this, such as apache or llama.")
@click.option("--no-eula", is_flag=True, help="Only models without a licence that must be accepted first.")
@region_option
@offline_option
@json_option
def list_models(
    *,
    search: tuple[str, ...],
    task: str | None,
    region: str | None,
    offline: bool,
    as_json: bool,
    licence: str | None,
    **asked: Any,
) -> None:
    """List the models of JumpStart whose id, task or keywords hold every word of SEARCH."""
    catalog = open_catalog(offline=offline)
    place = find_region(region)
    models = [build_overview(row, place) for row in catalog.rows(place)]
    tell_warnings(catalog)
    if task:
        _check_task(task, models)
    prices = load_list_prices(place)
    wanted = [one for one in models if one.holds(" ".join(search)) and task in {None, one.task}]
    wish = Wish(licence=licence and licence.lower(), **asked)
    judged = [(one, wish.judge(one)) for one in (_priced(model, prices) for model in wanted)]
    shown = [one for one, known in judged if all(known)]
    if as_json:
        output.data_json([_data(one) for one in shown])
        return
    _show(shown, prices, unknown=sum(None in known and False not in known for _, known in judged))


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


def _show(shown: Sequence[Choice], prices: PriceList, *, unknown: int) -> None:
    if shown:
        output.data("\n".join(_table([_HEAD, *(_cells(one) for one in shown)])))
    output.talk(counted(len(shown), "model"))
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
    model, usd = choice.model, choice.usd_per_hour
    return {
        "model_id": model.model_id,
        "task": model.task,
        "version": model.version,
        "proprietary": model.is_proprietary,
        "parameters_billions": model.billions,
        "instance": model.instance,
        "usd_per_hour": None if usd is None else float(usd),
        "licence": model.licence and model.licence.name,
        "licence_source": model.licence and model.licence.source,
        "accept_eula": model.asks_licence,
    }


def _cells(choice: Choice) -> tuple[str, ...]:
    model, usd = choice.model, choice.usd_per_hour
    return (
        model.model_id,
        model.task,
        _size(model.billions),
        model.instance or UNKNOWN,
        UNKNOWN if usd is None else f"{usd:.2f}",
        model.licence.name if model.licence else UNKNOWN,
        {True: "yes", False: "-", None: UNKNOWN}[model.asks_licence],
        model.version,
    )


def _size(billions: float | None) -> str:
    if billions is None:
        return UNKNOWN
    return f"{billions:g}B" if billions >= 1 else f"{billions * 1000:g}M"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
