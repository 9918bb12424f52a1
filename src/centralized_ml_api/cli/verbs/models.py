"""`mlapi models`: JumpStart's catalogue, and what it says about one model."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from centralized_ml_api.catalog.catalog import open_catalog
from centralized_ml_api.catalog.own_region import find_region
from centralized_ml_api.catalog.rules.licence_name import licence_of
from centralized_ml_api.catalog.rules.size import count_of
from centralized_ml_api.catalog.rules.versions import NEWEST
from centralized_ml_api.cli import output
from centralized_ml_api.cli.jumpstart import offline_option, tell_warnings
from centralized_ml_api.cli.model_add import add
from centralized_ml_api.cli.model_list import list_models
from centralized_ml_api.cli.options import json_option, region_option

if TYPE_CHECKING:
    from centralized_ml_api.catalog.facts import ModelFacts
    from centralized_ml_api.catalog.rules.lifecycle import Tolerance

_LIST = list_models.name or ""


class ListOrShow(click.Group):
    """A group whose arguments are words to search for, unless the first of them is `show` or `add`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """`show` or `add` and what follows it; everything else belongs to the list."""
        if args and args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return super().resolve_command(ctx, [_LIST, *args])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Takes no flag for itself but `--help`: they are those of what is below it."""
        own = args[:1] in (["--help"], ["-h"]) or (args and args[0] in self.commands)
        return super().parse_args(ctx, args if own else [_LIST, *args])


@click.group(
    cls=ListOrShow, invoke_without_command=False, subcommand_metavar="[SEARCH]... | show ID | add ID"
)
def models() -> None:
    """List the models of JumpStart whose id, task or keywords hold every word of SEARCH.

    `--task asr`, `--max-price 2` (US dollars an hour), `--min-size 1` and `--max-size 8` (billions of
    parameters), `--licence apache` and `--no-eula` narrow the list. `mlapi models show ID` tells everything
    about one: image, artifacts, environment, licence; `mlapi models add ID` puts it into your config. All
    take --region and --offline; what is listed or shown --json.
    """


models.add_command(list_models)
models.add_command(add)


@models.command()
@click.argument("model_id", metavar="ID")
@click.option("--version", default=NEWEST, show_default=True, help="The JumpStart version.")
@region_option
@click.option("--instance", help="The instance type; without it, the model's default.")
@click.option("--config", help="The inference configuration; without it, the best that can be deployed.")
@click.option(
    "--tolerate",
    type=click.Choice(["deprecated", "vulnerable"]),
    multiple=True,
    help="Show a model although it is that.",
)
@offline_option
@json_option
def show(
    *,
    model_id: str,
    version: str,
    region: str | None,
    instance: str | None,
    config: str | None,
    tolerate: tuple[Tolerance, ...],
    offline: bool,
    as_json: bool,
) -> None:
    """Show what JumpStart says about the model ID on one instance type in one region.

    A gated model is shown as it is once its licence is accepted.
    """
    catalog = open_catalog(offline=offline)
    try:
        facts = catalog.resolve(
            model_id,
            version,
            region=find_region(region),
            instance=instance,
            config=config,
            accept_eula=True,  # to look is not to use
            tolerate=tolerate,
        )
    finally:
        tell_warnings(catalog)
    told = {"parameters_billions": count_of(facts.model_id), "licence": _licence(facts)}
    if as_json:
        output.data_json(asdict(facts) | told)
        return
    output.data("\n".join([*_describe(facts), *(line for one in told.items() for line in _line(*one))]))
    output.next_command(f"mlapi models add {model_id}")


def _licence(facts: ModelFacts) -> dict[str, str] | None:
    """Its name and who says so."""
    known = licence_of(facts.model_id, facts.eula.url)
    return asdict(known) if known else None


def _describe(facts: ModelFacts) -> list[str]:
    """One line a fact; lists go over several lines."""
    lines = [_line(name, value) for name, value in asdict(facts).items() if name != "payloads"]
    return [*(line for part in lines for line in part), *_payload_lines(facts)]


def _line(name: str, value: Any) -> list[str]:
    label = name.replace("_", " ")
    if isinstance(value, dict) and value:
        return [f"{label}:", *(f"    {key} = {_plain(one)}" for key, one in value.items())]
    if isinstance(value, (tuple, list)) and name == "warnings":
        return [f"warning: {one}" for one in value]
    return [f"{label}: {_plain(value)}"]


def _plain(value: Any) -> str:
    if value is None or value in ({}, ()):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(str(one) for one in value) if isinstance(value, (tuple, list)) else str(value)


def _payload_lines(facts: ModelFacts) -> list[str]:
    names = [f"{one.name} ({one.content_type})" for one in facts.payloads]
    return [f"payloads: {', '.join(names) or '-'}"]
