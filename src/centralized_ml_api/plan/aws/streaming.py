"""The function behind the paths that stream, those of OpenAI, and `/health`. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.plan.aws.roles import ENDPOINT_ARN_CHARACTERS, divide
from centralized_ml_api.plan.aws.types import StreamModel, StreamPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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

ENVIRONMENT_CHARACTERS = 3600
"""What the models may take of the 4 KB of a function's environment.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

PARAMETER_CHARACTERS = 4000
"""What they may take of the 4 KB of a parameter.

Source: https://docs.aws.amazon.com/general/latest/gr/ssm.html (parameter values, standard tier)
"""

_LONGEST_ENDPOINT_NAME = "x" * 63


def build_stream(models: Iterable[StreamModel], *, health_names: bool = True) -> StreamPlan:
    """Builds the function for these entries, which are all entries of the config.

    `/health` needs no key; with teams it is not to name the entries.
    """
    known = tuple(models)
    return StreamPlan(
        models=known,
        tables=_tables(known),
        policies=_policies(model for model in known if model.is_called),
        described=_policies(model for model in known if not model.is_called),
        idle_seconds=IDLE_SECONDS,
        timeout_seconds=STREAM_SECONDS,
        health_seconds=HEALTH_SECONDS,
        health_names=health_names,
    )


def _policies(models: Iterable[StreamModel]) -> tuple[tuple[str, ...], ...]:
    return divide((model.name for model in models), lambda _name: ENDPOINT_ARN_CHARACTERS)


def build_row(model: StreamModel, endpoint_name: str) -> dict[str, Any]:
    """Builds what the function must know about an entry; `endpoint_name` is AWS's."""
    speaks = {"speaks": model.speaks} if model.speaks else {}
    headers = {} if model.headers is None else {"headers": [*model.headers]}
    limit = {"max_output_tokens": model.max_output_tokens} if speaks and model.max_output_tokens else {}
    aliases = {"aliases": [*model.aliases]} if model.aliases else {}
    return {"endpoint": endpoint_name, **speaks, **headers, **limit, **aliases}


def render_table(rows: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """Renders rows, by entry name, as compact JSON."""
    return json.dumps(dict(rows), separators=(",", ":"))


def _tables(models: Sequence[StreamModel]) -> tuple[tuple[str, ...], ...]:
    """Divides the models into parameters; there are none while all fit into the environment."""
    sizes = {model.name: _characters(model) for model in models}
    if sum(sizes.values()) <= ENVIRONMENT_CHARACTERS:
        return ()
    return divide(sizes, sizes.__getitem__, PARAMETER_CHARACTERS)


def _characters(model: StreamModel) -> int:
    return len(render_table([(model.name, build_row(model, _LONGEST_ENDPOINT_NAME))]))
