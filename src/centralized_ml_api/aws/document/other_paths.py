"""What the streaming function must know to answer every path that is no resource of the API.

`/{name}/v1/...` is an address that SDKs take as a base; all else is a 404. One greedy resource leads there:
paths of their own would take resources for each entry, of which an API may have 300. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.http import HEALTH_PATH, JOBS_PATH, JOIN_PATH, USAGE_PATH
from centralized_ml_api.api.openai import MODELS_PATH, build_model
from centralized_ml_api.aws.document.own_paths import describe_entry, list_openai_calls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.plan.speaks import OpenAiModels

ANY_PATH = "/{proxy+}"


def list_calls(
    names: Iterable[str],
    openai: OpenAiModels,
    documents: Iterable[str],
    *,
    tells_usage: bool,
    has_jobs: bool = False,
) -> list[str]:
    """Lists what a 404 offers, such as `POST /a-model`.

    Args:
        names: All entries.
        openai: Those under `/v1`.
        documents: The paths of what the API tells about itself.
        tells_usage: Whether teams are told what they have used.
        has_jobs: Whether callers need not wait for answers.
    """
    paths = [*documents]
    return [
        *(f"POST /{name}" for name in sorted(names)),
        *list_openai_calls(openai),
        *(f"GET {path}" for path in paths),
        f"GET {HEALTH_PATH}",
        *([f"GET {USAGE_PATH}"] if tells_usage else ()),
        *([f"GET {JOBS_PATH}"] if has_jobs else ()),
        *([f"POST {JOIN_PATH}"] if JOIN_PATH in paths else ()),
    ]


def describe_other_paths(openai: OpenAiModels, calls: Iterable[str]) -> dict[str, Any]:
    """Builds what the function is told: the models by their names, as lists describe them, and all calls."""
    return {
        "calls": [*calls],
        "list": MODELS_PATH,
        "models": {name: build_model(describe_entry(openai, name, name)) for name in openai.names},
    }
