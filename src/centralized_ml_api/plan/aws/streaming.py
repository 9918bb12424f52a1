"""The function behind the paths that stream, those of OpenAI, and `/health`. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.providers import OTHER_SERVER
from centralized_ml_api.plan.aws.roles import divide, divide_endpoints
from centralized_ml_api.plan.aws.spending import NOT_COUNTED
from centralized_ml_api.plan.aws.types import StreamModel, StreamPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from centralized_ml_api.plan.aws.spending import SpendingPlan
    from centralized_ml_api.plan.aws.types import BedrockTarget, ProviderTarget

IDLE_SECONDS = 290
"""How long a model may be silent: less than the 300 seconds after which API Gateway ends a stream.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
"""

STREAM_SECONDS = 900
"""The longest a stream may last, for Lambda and for API Gateway.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
"""

HEALTH_SECONDS = 10
"""Less than the page waits between two checks; many callers do not make SageMaker throttle."""

ENVIRONMENT_CHARACTERS = 3200
"""What the models may take of the 4 KB of a function's environment, which the names of tables and what an
organizer says to everybody need, too.

Lambda measures its variables as one JSON object, in which each quote of JSON within a string takes two.
Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html and
https://github.com/github-aws-runners/terraform-aws-github-runner/issues/3594 (what it measured)
"""

PARAMETER_CHARACTERS = 4000
"""What they may take of the 4 KB of a parameter.

Source: https://docs.aws.amazon.com/general/latest/gr/ssm.html (parameter values, standard tier)
"""

_LONGEST_ENDPOINT_NAME = "x" * 63
_LONGEST_SECRET_ARN = "x" * 150
"""As CloudFormation names secrets."""


def build_stream(
    models: Iterable[StreamModel],
    *,
    health_names: bool = True,
    spending: SpendingPlan = NOT_COUNTED,
    jobs: bool = False,
) -> StreamPlan:
    """Builds the function for these entries, which are all entries of the config.

    Args:
        models: The entries.
        health_names: Whether `/health`, which needs no key, names them: not with teams.
        spending: Whose tokens and dollars it counts.
        jobs: Whether callers need not wait for answers.
    """
    known = tuple(models)
    at_sagemaker = [model for model in known if model.endpoint]
    return StreamPlan(
        models=known,
        tables=_tables(known),
        policies=_policies(model for model in at_sagemaker if model.is_called),
        described=_policies(model for model in at_sagemaker if not model.is_called),
        idle_seconds=IDLE_SECONDS,
        timeout_seconds=STREAM_SECONDS,
        health_seconds=HEALTH_SECONDS,
        health_names=health_names,
        spending=spending,
        jobs=jobs,
    )


def _policies(models: Iterable[StreamModel]) -> tuple[tuple[str, ...], ...]:
    return divide_endpoints({model.name: model.sleeps for model in models})


def build_row(model: StreamModel, address: str, component: str = "") -> dict[str, Any]:
    """Builds what the function must know about an entry.

    Args:
        model: The entry.
        address: AWS's name of its endpoint, or the ARN or name of the secret with its provider's key; empty
            without one.
        component: The name of the inference component that the endpoint hosts, for a model that may sleep.
    """
    if model.provider:
        return _hosted_row(model, "provider", _describe_provider(model.provider, address))
    if model.bedrock:
        return _hosted_row(model, "bedrock", _describe_bedrock(model.bedrock))
    speaks = {"speaks": model.speaks} if model.speaks else {}
    headers = {} if model.headers is None else {"headers": [*model.headers]}
    limit = {"max_output_tokens": model.max_output_tokens} if speaks and model.max_output_tokens else {}
    hosted = {"component": component} if component else {}
    return {"endpoint": address, **hosted, **speaks, **headers, **limit, **_describe_names(model)}


def _describe_bedrock(target: BedrockTarget) -> dict[str, Any]:
    model = target.model
    converse = {} if model.is_openai else {"converse": True}
    return {"model": model.model_id, "region": target.region, "apis": [*model.apis], **converse}


def _describe_provider(target: ProviderTarget, secret: str) -> dict[str, Any]:
    """Leaves out what the function takes for granted: rows share a few kilobytes."""
    serving, preset, usual = target.serving, target.serving.preset, OTHER_SERVER
    return {
        "url": serving.url.rstrip("/"),
        "model": serving.model,
        "apis": [*serving.apis],
        **({"secret": secret} if secret else {}),
        **({"header": preset.header} if preset.header != usual.header else {}),
        **({"prefix": preset.prefix} if preset.prefix != usual.prefix else {}),
        **({"adds": dict(preset.headers)} if preset.headers else {}),
        **({"limit_key": preset.limit_key} if preset.limit_key != usual.limit_key else {}),
        **({"counts": True} if preset.takes_stream_options else {}),
        **({"check": preset.key_path} if preset.key_path not in {None, usual.key_path} else {}),
    }


def _hosted_row(model: StreamModel, kind: str, said: dict[str, Any]) -> dict[str, Any]:
    limit = {"max_output_tokens": model.max_output_tokens} if model.max_output_tokens else {}
    return {kind: said, "headers": [*(model.headers or ())], **limit, **_describe_names(model)}


def _describe_names(model: StreamModel) -> dict[str, Any]:
    """Returns its other names, and the names of those that are asked where it fails."""
    lists = {"aliases": model.aliases, "fallback": model.fallback}
    return {key: [*names] for key, names in lists.items() if names}


def render_table(rows: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """Renders rows, by entry name, as compact JSON."""
    return json.dumps(dict(rows), separators=(",", ":"))


def _tables(models: Sequence[StreamModel]) -> tuple[tuple[str, ...], ...]:
    """Divides the models into parameters; there are none while all fit into the environment."""
    written = {model.name: _render_longest(model) for model in models}
    if sum(len(json.dumps(row)) for row in written.values()) <= ENVIRONMENT_CHARACTERS:
        return ()
    return divide(written, lambda name: len(written[name]), PARAMETER_CHARACTERS)


def _render_longest(model: StreamModel) -> str:
    """Renders the table of one model with the longest names that AWS may give to what it calls."""
    longest = _LONGEST_SECRET_ARN if model.provider else _LONGEST_ENDPOINT_NAME
    component = _LONGEST_ENDPOINT_NAME if model.sleeps else ""
    return render_table([(model.name, build_row(model, longest, component))])
