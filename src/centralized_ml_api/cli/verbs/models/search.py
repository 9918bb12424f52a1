"""`mlapi models WORD`: lists the models that match the words and what is wanted of a model."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from centralized_ml_api.catalog.catalog import open_catalog
from centralized_ml_api.catalog.overview import Overview, build_overview
from centralized_ml_api.catalog.own_region import find_region
from centralized_ml_api.catalog.prices.price_files import USABLE, load_kept_prices, load_shipped_prices
from centralized_ml_api.catalog.rules.task import TASK_WORDS
from centralized_ml_api.cli import output
from centralized_ml_api.cli.loading import tell_catalog_warnings
from centralized_ml_api.cli.options import (
    RealRange,
    find_config,
    json_option,
    offline_option,
    region_option,
)
from centralized_ml_api.cli.output import counted
from centralized_ml_api.cli.verbs.models.provider import list_of_provider
from centralized_ml_api.commands import DEFAULT_STATE, command
from centralized_ml_api.config.wording import nearest
from centralized_ml_api.errors import UsageError
from centralized_ml_api.plan.columns import render_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from centralized_ml_api.catalog.prices.types import PriceList

UNKNOWN = "?"
_HEAD = ("MODEL", "TASK", "SIZE", "INSTANCE", "USD/H", "LICENCE", "TO ACCEPT", "NEWEST")

_MOST_WORDS = 400
"""Words of the catalogue that a misspelt one is compared with, the commonest first."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A model and what its default instance costs an hour; None where that is not known."""

    model: Overview
    usd_per_hour: Decimal | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a model; None and False want nothing.

    `max_price` is in US dollars an hour, the sizes are in billions of parameters, `licence` is a part of its
    name in lower case.
    """

    max_price: float | None
    min_size: float | None
    max_size: float | None
    licence: str | None
    no_eula: bool

    def judge(self, choice: Choice) -> tuple[bool | None, ...]:
        """Returns for each wish whether the model fulfils it; None where that is not known. Pure."""
        model = choice.model
        return (
            _compare(self.max_price, choice.usd_per_hour, lambda price, most: price <= most),
            _compare(self.min_size, model.billions, lambda size, least: size >= least),
            _compare(self.max_size, model.billions, lambda size, most: size <= most),
            _compare(self.licence, model.licence, lambda licence, part: part in licence.name.lower()),
            _compare(self.no_eula or None, model.asks_licence, lambda asks, _: not asks),
        )


def _compare(asked: Any, known: Any, holds: Callable[[Any, Any], bool]) -> bool | None:
    if asked is None:
        return True
    return None if known is None else holds(known, asked)


@click.command("list-models", hidden=True)
@click.argument("search", nargs=-1)
@click.option("--task", help="List models of this task, such as llm or asr.")
@click.option(
    "--max-price",
    type=RealRange(0, min_open=True),
    help="List models whose default instance costs at most this many US dollars an hour.",
)
@click.option(
    "--min-size",
    metavar="BILLIONS",
    type=RealRange(0),
    help="List models with at least this many parameters.",
)
@click.option(
    "--max-size",
    metavar="BILLIONS",
    type=RealRange(0, min_open=True),
    help="List models with at most this many parameters. 0.5 is half a billion.",
)
@click.option("--licence", help="List models whose licence has this in its name, such as apache or llama.")
@click.option("--no-eula", is_flag=True, help="List models without a licence that you must accept first.")
@click.option("--provider", metavar="NAME", help="List what your key may call at a provider of your config.")
@click.option(
    "--from",
    "source",
    metavar="CONFIG",
    type=click.Path(path_type=Path),
    help="With --provider: read this config. Default: the one that `mlapi up` would take.",
)
@region_option
@offline_option
@json_option
def list_models(
    *,
    search: tuple[str, ...],
    provider: str | None,
    source: Path | None,
    task: str | None,
    region: str | None,
    offline: bool,
    as_json: bool,
    licence: str | None,
    **asked: Any,
) -> None:
    """List the JumpStart models whose id, task or keywords contain every word of SEARCH."""
    if provider is not None:
        list_of_provider(provider, source or find_config(DEFAULT_STATE), search, as_json=as_json)
        return
    catalog = open_catalog(offline=offline)
    place = find_region(region)
    models = [build_overview(row, place) for row in catalog.rows(place)]
    tell_catalog_warnings(catalog)
    if task:
        _check_task(task, models)
    prices = load_list_prices(place)
    found = [model for model in models if model.holds(" ".join(search)) and task in {None, model.task}]
    choices = [_priced(model, prices) for model in found]
    wish = Wish(licence=licence and licence.lower(), **asked)
    judged = [(choice, wish.judge(choice)) for choice in choices]
    shown = [choice for choice, verdicts in judged if all(verdicts)]
    if as_json:
        output.data_json([_data(choice) for choice in shown])
        return
    _show(shown, prices, unknown=sum(None in verdicts and False not in verdicts for _, verdicts in judged))
    flags = [*(("--region", region) if region else ()), *(["--offline"] if offline else [])]
    words = ("show", shown[0].model.model_id) if shown else find_meant(search, models)
    output.next_command(command("models", *words, *flags))


def find_meant(search: Sequence[str], models: Sequence[Overview]) -> tuple[str, ...]:
    """Returns the words that were meant by those that found nothing; none where nothing is near. Pure."""
    counts = Counter(word for model in models for word in re.split(r"[^a-z0-9]+", model.searched) if word)
    known = ["show", "add", *(word for word, _ in counts.most_common(_MOST_WORDS))]
    meant = tuple(
        word if any(model.holds(word) for model in models) else nearest(word, known) or word
        for word in search
    )
    return () if meant == tuple(search) else meant


def load_list_prices(region: str) -> PriceList:
    """Returns the prices that this machine has of a region; does not ask AWS."""
    return load_kept_prices(region, datetime.now(UTC), USABLE) or load_shipped_prices(region)


def _check_task(task: str, models: Sequence[Overview]) -> None:
    known = sorted({model.task for model in models})
    if task not in known:
        named = (f"{name} ({TASK_WORDS[name]})" if name in TASK_WORDS else name for name in known)
        raise UsageError(f"no model has the task {task}", fix=f"choose one of: {', '.join(named)}")


def _priced(model: Overview, prices: PriceList) -> Choice:
    """Returns the model with its price; None for a proprietary one, whose software AWS Marketplace prices."""
    price = prices.instances.get(model.instance or "")
    return Choice(model, price.usd if price and not model.is_proprietary else None)


def _show(shown: Sequence[Choice], prices: PriceList, *, unknown: int) -> None:
    if shown:
        output.data("\n".join(render_columns([_HEAD, *map(_cells, shown)])))
    output.talk(counted(len(shown), "model"))
    if unknown:
        output.talk(f"Left out, because too little is known: {counted(unknown, 'model')}")
    if any(choice.usd_per_hour is not None for choice in shown):
        output.talk(f"Prices are for the default instance in {prices.region}; {UNKNOWN} is unknown.")


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
