"""What a running API says of itself: its models and their samples, as served, not as saved."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from centralized_ml_api.cli.request import FIRST_ERROR_STATUS, Body, ask, explain_failures, load_sample_body
from centralized_ml_api.errors import ConfigError, MlApiError
from centralized_ml_api.plan.sample import JSON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from centralized_ml_api.cli.request import Api
    from centralized_ml_api.plan.types import ApiPlan

_CATALOGUE = "/models"


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One entry of an API: its path, and a body that works; None where nobody knows one."""

    name: str
    path: str
    sample: Body | None


def load_served(api: Api) -> tuple[ServedModel, ...]:
    """Returns the models of an API, from its own catalogue.

    Of an API that runs here, a sample that is too large for the catalogue comes from the config.

    Raises:
        UnreachableError: nothing listens at the address.
        MlApiError: what answers there has no catalogue, or refuses to show it.
    """
    address = f"{api.address}{_CATALOGUE}"
    answer = ask("GET", address, api)
    with explain_failures(address, api.fix):
        content = answer.read()
    if answer.status >= FIRST_ERROR_STATUS:
        raise MlApiError(f"{address} answers {answer.status}: {_message(content)}", fix=api.fix)
    try:
        written = json.loads(content)["models"]
        models = tuple(_model(model) for model in written)
    except (ValueError, LookupError, TypeError) as error:
        raise MlApiError(f"{address} is not the catalogue of an API like this one", fix=api.fix) from error
    if api.config and not all(model.sample for model in models):
        return _complete(models, api.config)
    return models


def load_planned(plan: ApiPlan) -> tuple[ServedModel, ...]:
    """Returns the models of a config, with its samples.

    Raises:
        UsageError: the file of a sample cannot be read.
    """
    return tuple(
        ServedModel(entry.name, entry.path, load_sample_body(entry, plan.folders))
        for entry in plan.deployments
    )


def _model(written: Mapping[str, Any]) -> ServedModel:
    return ServedModel(str(written["name"]), str(written["path"]), _sample(written))


def _sample(written: Mapping[str, Any]) -> Body | None:
    takes, gives = str(written["takes"]), str(written["gives"] or "")
    file, sample = written["sample_file"], written["sample"]
    if file:
        return Body(base64.b64decode(file["base64"]), takes, gives)
    if sample is None:
        return None
    as_text = isinstance(sample, str) and takes != JSON
    return Body(sample.encode() if as_text else json.dumps(sample).encode(), takes, gives)


def _complete(models: Sequence[ServedModel], config: Path) -> tuple[ServedModel, ...]:
    from centralized_ml_api.local.run.reload import load_plan

    try:
        planned = {model.name: model for model in load_planned(load_plan(config))}
    except ConfigError:  # an edit that is not applied
        return tuple(models)
    return tuple(model if model.sample else planned.get(model.name, model) for model in models)


def _message(content: bytes) -> str:
    try:
        return str(json.loads(content)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return "no reason given"
