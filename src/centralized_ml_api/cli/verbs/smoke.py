"""`mlapi smoke`: whether every model of a running API answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import DEFAULT_CONFIG, json_option, state_option
from centralized_ml_api.cli.outcome import call_model, render_outcome
from centralized_ml_api.cli.request import choose_address, key_option, running_config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.cli.outcome import Outcome
    from centralized_ml_api.plan.types import ApiPlan


@click.command()
@click.argument("url", required=False)
@key_option
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The config with the models and samples; without it, the one that runs here, or for a URL "
    "config/models.json.",
)
@state_option
@json_option
def smoke(url: str | None, key: str | None, config: Path | None, state: Path, *, as_json: bool) -> int:
    """Call every model of the API at URL with its sample, one after the other.

    Without URL, the API that runs here. A model that has no sample, or is not served there (501), is skipped,
    with the reason. Exit status 1 when a model failed, or none answered.
    """
    from centralized_ml_api.cli.loading import load_plan_and_warn  # noqa: PLC0415  # not for --help

    address = choose_address(url, state)
    plan = load_plan_and_warn(config or (DEFAULT_CONFIG if url else running_config(state)))
    outcomes = _call_all(plan, address, key, shown=not as_json)
    if as_json:
        models = [asdict(outcome) for outcome in outcomes]
        output.data_json({"url": address, "ok": _all_well(outcomes), "models": models})
    else:
        _conclude(outcomes, running_here=url is None)
    return int(not _all_well(outcomes))


def _call_all(plan: ApiPlan, address: str, key: str | None, *, shown: bool) -> list[Outcome]:
    """Each model's outcome, shown as soon as it is known."""
    width = max((len(one.name) for one in plan.deployments), default=0)
    outcomes = []
    for deployment in plan.deployments:
        outcome = call_model(deployment, plan.folders, address, key)
        outcomes.append(outcome)
        if shown:
            output.data(render_outcome(outcome, width))
    return outcomes


def _all_well(outcomes: Sequence[Outcome]) -> bool:
    verdicts = {outcome.verdict for outcome in outcomes}
    return "ok" in verdicts and "failed" not in verdicts


def _conclude(outcomes: Sequence[Outcome], *, running_here: bool) -> None:
    counts = Counter(outcome.verdict for outcome in outcomes)
    output.talk(", ".join(f"{count} {verdict}" for verdict, count in counts.items()) or "no model is listed")
    failed = next((outcome.name for outcome in outcomes if outcome.verdict == "failed"), None)
    if failed and running_here:
        output.next_command(f"mlapi logs {failed}")
    else:
        output.next_command("mlapi call NAME shows a whole answer")
