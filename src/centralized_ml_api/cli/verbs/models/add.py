"""`mlapi models add`: puts a model of the catalogue into the config."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from centralized_ml_api.catalog.catalog import open_catalog
from centralized_ml_api.catalog.own_region import find_region
from centralized_ml_api.catalog.prices.types import PRICING_PAGE
from centralized_ml_api.catalog.sources.lock import LOCK_NAME
from centralized_ml_api.cli import output
from centralized_ml_api.cli.loading import tell_catalog_warnings
from centralized_ml_api.cli.options import config_argument, offline_option, region_option
from centralized_ml_api.cli.verbs.models.search import load_list_prices
from centralized_ml_api.commands import command
from centralized_ml_api.config.document import load_document
from centralized_ml_api.config.edit import add_entry
from centralized_ml_api.config.revise import save_edit
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from centralized_ml_api.catalog.facts import ModelFacts
    from centralized_ml_api.config.document import Document

_LONGEST_NAME = 63
_PERMISSIONS = ["sagemaker:InvokeEndpoint"]
_TIMEOUT_SECONDS = 29


@click.command()
@click.argument("model_id", metavar="ID")
@config_argument
@click.option("--name", help="Serve the model under this name. Default: the end of the id.")
@click.option("--instance", help="Use this instance type. Default: that of the model.")
@click.option(
    "--integration",
    type=click.Choice(["api", "lambda", "stream"]),
    default="api",
    show_default=True,
    help="Choose what is between the caller and the model.",
)
@click.option("--code", help="Use the function in this folder, for lambda only.")
@region_option
@offline_option
def add(
    *,
    model_id: str,
    config: Path,
    name: str | None,
    instance: str | None,
    integration: str,
    code: str | None,
    region: str | None,
    offline: bool,
) -> None:
    """Add the model ID to CONFIG as its last entry.

    The rest of CONFIG stays as it is. The model is looked up first: an instance type that it does not support
    is refused. A licence is never accepted for you.
    """
    document = load_document(config)
    facts = _look_up(model_id, instance, region=region, offline=offline)
    entry = {
        "name": name or _free_name(model_id, _names(document)),
        "model_id": model_id,
        "instance": facts.instance,
        "integration": _integration(integration, code),
    }
    save_edit(config, document, add_entry(document, entry))
    output.data(f"{config}: POST /{entry['name']} is {model_id} on {facts.instance}{_price(facts)}")
    _tell_what_is_left(config, facts)


def _look_up(model_id: str, instance: str | None, *, region: str | None, offline: bool) -> ModelFacts:
    catalog = open_catalog(offline=offline)
    try:
        # To add is not to use: `check` asks for the licence.
        return catalog.resolve(model_id, region=find_region(region), instance=instance, accept_eula=True)
    finally:
        tell_catalog_warnings(catalog)


def _integration(kind: str, code: str | None) -> dict[str, Any]:
    if kind == "lambda" and code:
        properties = {"code": code, "permissions": _PERMISSIONS, "timeout": _TIMEOUT_SECONDS}
        return {"type": kind, "properties": properties}
    if kind == "lambda" or code:
        raise UsageError(
            "--integration lambda needs --code, and no other integration takes it",
            fix="write --integration lambda --code functions/example_function",
        )
    return {"type": kind}


def _names(document: Document) -> set[str]:
    """Returns the names that entries have already."""
    root = document.value if isinstance(document.value, dict) else {}
    lists = [root.get(key) for key in ("models", "endpoints")]
    entries = [entry for found in lists if isinstance(found, list) for entry in found]
    return {str(entry.get("name")) for entry in entries if isinstance(entry, dict)}


def _free_name(model_id: str, taken: Collection[str]) -> str:
    """Returns the end of an id: `huggingface-llm-mistral-7b-instruct` -> `mistral-7b-instruct`, or `…-2`."""
    words = re.sub(r"[^a-z0-9]+", "-", model_id.lower()).strip("-").split("-", 2)
    name = words[-1][:_LONGEST_NAME].strip("-")
    numbered = (f"{name[: _LONGEST_NAME - 4].strip('-')}-{number}" for number in range(2, len(taken) + 3))
    return next(free for free in (name, *numbered) if free not in taken)


def _price(facts: ModelFacts) -> str:
    price = load_list_prices(facts.region).instances.get(facts.instance)
    if price is None:
        return f"; its price is unknown, see {PRICING_PAGE}"
    return f", {price.usd:.2f} USD an hour in {facts.region}"


def _tell_what_is_left(config: Path, facts: ModelFacts) -> None:
    if facts.model_package_arn:
        output.talk(
            "It is sold on AWS Marketplace: subscribe there first."
            " Its price is added to that of the instance."
        )
    if facts.eula.required:
        where = f": {facts.eula.url}" if facts.eula.url else " on the page of its publisher"
        output.talk(f'Read its licence{where}. If you accept it, add "accept_eula": true to the entry.')
    if (config.parent / LOCK_NAME).exists():
        output.talk("The lock file does not have it yet.")
        output.next_command(command("lock", config))
        return
    output.next_command(command("check", config))
