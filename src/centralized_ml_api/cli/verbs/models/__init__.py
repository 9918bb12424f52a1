"""`mlapi models`: searches JumpStart's catalogue, shows one model, adds it to the config."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from centralized_ml_api.catalog.catalog import open_catalog
from centralized_ml_api.catalog.own_region import find_region
from centralized_ml_api.catalog.rules.licence import licence_of
from centralized_ml_api.catalog.rules.size import count_of
from centralized_ml_api.catalog.rules.versions import NEWEST
from centralized_ml_api.cli import output
from centralized_ml_api.cli.loading import tell_catalog_warnings
from centralized_ml_api.cli.options import find_config, json_option, offline_option, region_option
from centralized_ml_api.cli.verbs.models.add import add
from centralized_ml_api.cli.verbs.models.search import list_models
from centralized_ml_api.commands import DEFAULT_STATE, command

if TYPE_CHECKING:
    from centralized_ml_api.catalog.facts import ModelFacts
    from centralized_ml_api.catalog.rules.lifecycle import Tolerance

_LIST = list_models.name or ""


class ListOrShow(click.Group):
    """A group whose arguments are words to search for, unless the first of them is `show` or `add`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Returns `show` or `add` with what follows it; everything else belongs to the list."""
        if args and args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return super().resolve_command(ctx, [_LIST, *args])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Takes no flag but `--help`; the others are those of the commands below."""
        own = args[:1] in (["--help"], ["-h"]) or (args and args[0] in self.commands)
        return super().parse_args(ctx, args if own else [_LIST, *args])


@click.group(
    cls=ListOrShow, invoke_without_command=False, subcommand_metavar="[SEARCH]... | show ID | add ID"
)
def models() -> None:
    """Search JumpStart's models, show one, add it to the config.

    Without `show` and `add`, it lists the models whose id, task or keywords contain every word of SEARCH.
    `--task asr`, `--max-price 2` (US dollars an hour), `--min-size 1` and `--max-size 8` (billions of
    parameters), `--licence apache` and `--no-eula` narrow the list. `mlapi models show ID` prints everything
    about one model: image, artifacts, environment, licence. `mlapi models add ID` puts it into your config.
    All of them take --region and --offline; the list and `show` also take --json. `--provider openai` lists
    instead what your key may call at a provider of your config.
    """


models.add_command(list_models)
models.add_command(add)


@models.command()
@click.argument("model_id", metavar="ID")
@click.option("--version", default=NEWEST, show_default=True, help="Show this JumpStart version.")
@region_option
@click.option("--instance", help="Show it on this instance type. Default: that of the model.")
@click.option("--config", help="Show this inference configuration. Default: the best that can be deployed.")
@click.option(
    "--tolerate",
    type=click.Choice(["deprecated", "vulnerable"]),
    multiple=True,
    help="Show the model even if it is deprecated or vulnerable.",
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
    """Show what JumpStart knows about the model ID.

    It is shown for one instance type in one region; a gated model as it is once its licence is accepted.
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
        tell_catalog_warnings(catalog)
    licence = licence_of(facts.model_id, facts.eula.url)
    more = {
        "parameters_billions": count_of(facts.model_id),
        "licence": asdict(licence) if licence else None,
    }
    if as_json:
        output.data_json(asdict(facts) | more)
        return
    output.data("\n".join([*_describe(facts), *(line for item in more.items() for line in _lines(*item))]))
    file = find_config(DEFAULT_STATE)
    if file.is_file():
        flags = {"--region": region, "--instance": instance}
        given = [word for flag, value in flags.items() if value for word in (flag, value)]
        output.next_command(command("models", "add", model_id, *given, *(["--offline"] if offline else [])))
    else:
        output.next_command(command("init", "--empty", file))


def _describe(facts: ModelFacts) -> list[str]:
    """Returns a line for each fact; lists and mappings take several."""
    payloads = ", ".join(f"{payload.name} ({payload.content_type})" for payload in facts.payloads)
    lines = [
        line for name, value in asdict(facts).items() if name != "payloads" for line in _lines(name, value)
    ]
    return [*lines, f"payloads: {payloads or '-'}"]


def _lines(name: str, value: Any) -> list[str]:
    label = name.replace("_", " ")
    if isinstance(value, dict) and value:
        return [f"{label}:", *(f"    {key} = {_plain(inner)}" for key, inner in value.items())]
    if isinstance(value, (tuple, list)) and name == "warnings":
        return [f"warning: {warning}" for warning in value]
    return [f"{label}: {_plain(value)}"]


def _plain(value: Any) -> str:
    if value is None or value in ({}, ()):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
