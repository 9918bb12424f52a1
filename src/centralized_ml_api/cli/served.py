"""The models of a running API, and a body that works for each."""

from __future__ import annotations

import base64
import contextlib
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.openai import MODELS_PATH
from centralized_ml_api.cli.request import (
    FIRST_ERROR_STATUS,
    KEY_VARIABLE,
    Body,
    ask,
    explain_failures,
    load_sample_body,
)
from centralized_ml_api.errors import ConfigError, MlApiError
from centralized_ml_api.extras import find_missing
from centralized_ml_api.plan.sample import JSON
from centralized_ml_api.plan.speaks import local_openai_models

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.cli.request import Api
    from centralized_ml_api.plan.types import ApiPlan

_CATALOGUE = "/models"


class KeyNeededError(MlApiError):
    """The API has teams, and no key was given."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One entry of an API: its path, a body that works, or None where nobody knows one, whether it chats."""

    name: str
    path: str
    sample: Body | None
    chats: bool = False


def load_served(api: Api) -> tuple[ServedModel, ...]:
    """Returns the models of an API that runs here, from its config; of any other, from its own catalogue.

    The catalogue also stands in for a config that cannot be applied, because an older one is served.

    Raises:
        UsageError: The file of a sample cannot be read.
        UnreachableError: Nothing listens at the address.
        MlApiError: What answers there has no catalogue, or refuses to show it.
    """
    if api.config is not None:
        from centralized_ml_api.local.run.reload import load_plan

        with contextlib.suppress(ConfigError):
            return load_planned(load_plan(api.config))
    return load_catalogue(api)


def load_catalogue(api: Api) -> tuple[ServedModel, ...]:
    """Returns the models of an API, from its own catalogue.

    Raises:
        UnreachableError: Nothing listens at the address.
        MlApiError: What answers there has no catalogue, or refuses to show it.
    """
    address = f"{api.address}{_CATALOGUE}"
    answer = _load(address, api.with_key_for(""))
    try:
        return tuple(_model(model) for model in answer["models"])
    except (ValueError, LookupError, TypeError) as error:
        raise MlApiError(f"{address} is not the catalogue of an API like this one", fix=api.fix) from error


def load_listed(api: Api) -> dict[str, tuple[str, ...]]:
    """Returns the names that a caller may use under `/v1`, aliases too, each with its paths there.

    Raises:
        UnreachableError: Nothing listens at the address.
        KeyNeededError: The API has teams, and no key was given.
        MlApiError: The API refuses, or is not one like this.
    """
    address = f"{api.address}{MODELS_PATH}"
    answer = _load(address, api, if_missing={"data": []})  # no entry has a path under /v1
    try:
        return {str(model["id"]): tuple(model["routes"]) for model in answer["data"]}
    except (ValueError, LookupError, TypeError) as error:
        raise MlApiError(f"{address} is not the list of an API like this one", fix=api.fix) from error


def _load(address: str, api: Api, if_missing: Any = None) -> Any:
    """Returns the JSON of an answer; None where it is not JSON.

    Args:
        address: What to ask.
        api: Whose key is sent.
        if_missing: What to return for a 404, which otherwise is an error.

    Raises:
        UnreachableError: Nothing listens at the address.
        KeyNeededError: The API has teams, and no key was given.
        MlApiError: The API refuses.
    """
    answer = ask("GET", address, api)
    with explain_failures(address, api.fix):
        content = answer.read()
    if if_missing is not None and answer.status == HTTPStatus.NOT_FOUND:
        return if_missing
    if answer.status >= FIRST_ERROR_STATUS:
        said = f"{address} answers {answer.status}: {_message(content)}"
        if answer.status == HTTPStatus.UNAUTHORIZED and not api.key:
            raise KeyNeededError(said, fix=f"give the key of a team: --key, or {KEY_VARIABLE}")
        raise MlApiError(said, fix=api.fix)
    try:
        return json.loads(content)
    except ValueError:
        return None


def load_planned(plan: ApiPlan) -> tuple[ServedModel, ...]:
    """Returns the models of a config, with its samples, as one machine serves them.

    Raises:
        UsageError: The file of a sample cannot be read.
    """
    chat = local_openai_models(plan, translates=not find_missing("translator")).chat
    return tuple(
        ServedModel(entry.name, entry.path, load_sample_body(entry, plan.folders), entry.name in chat)
        for entry in plan.deployments
    )


def _model(written: Mapping[str, Any]) -> ServedModel:
    chats = written.get("openai") == "chat"
    return ServedModel(str(written["name"]), str(written["path"]), _sample(written), chats)


def _sample(written: Mapping[str, Any]) -> Body | None:
    takes, gives = str(written["takes"]), str(written["gives"] or "")
    file, sample = written["sample_file"], written["sample"]
    if file:
        return Body(base64.b64decode(file["base64"]), takes, gives)
    if sample is None:
        return None
    as_text = isinstance(sample, str) and takes != JSON
    return Body(sample.encode() if as_text else json.dumps(sample).encode(), takes, gives)


def _message(content: bytes) -> str:
    try:
        return str(json.loads(content)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return "no reason given"
