"""Loads the code of the function that streams: its JavaScript, the API's texts and paths, teams, models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api import translator
from centralized_ml_api.api import anthropic, error_shape
from centralized_ml_api.api.jobs import LISTED, MOST_LISTED, PREFERS_ASYNC, RETRY_AFTER_SECONDS
from centralized_ml_api.plan.apis import MEDIA_APIS, MODEL_APIS, TRANSLATED
from centralized_ml_api.plan.aws.jobs import LIMITS
from centralized_ml_api.plan.aws.spending import NOT_COUNTED, render_spending
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES, RESPONSE_LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.plan.aws.spending import SpendingPlan

CODE = Path(__file__).with_name("stream_function")
ERRORS = Path(error_shape.__file__).with_name("errors.json")
APIS = "apis.json"
SPENDING = "spending.json"
JOBS = "jobs.json"
OTHER_PATHS = "other_paths.json"
NO_OTHER_PATHS: Mapping[str, Any] = {"calls": [], "list": "", "models": {}}


def load_stream_code(
    spending: SpendingPlan = NOT_COUNTED, other_paths: Mapping[str, Any] = NO_OTHER_PATHS
) -> dict[str, bytes]:
    """Returns the content of each file of the function, by its path, in order.

    A function's environment has no room for the limits of many teams, and the descriptions of many models, so
    these have files of their own.

    Args:
        spending: Whose tokens and dollars it counts.
        other_paths: What `aws.document.other_paths` describes.
    """
    texts = json.loads(ERRORS.read_bytes())
    limits = {"body_limit_bytes": BODY_LIMIT_BYTES, "response_limit_bytes": RESPONSE_LIMIT_BYTES}
    files = {file.name: file.read_bytes() for file in CODE.glob("*.mjs")}
    files |= {f"translator/{file.name}": file.read_bytes() for file in translator.CODE.glob("*.mjs")}
    files[ERRORS.name] = _render({**texts, **limits, "anthropic": _anthropic_shape()})
    files[APIS] = _render(
        {
            "by_path": {path: api.name for api in MODEL_APIS for path in api.paths},
            "first_paths": {api.name: api.paths[0] for api in MODEL_APIS},
            "translated": TRANSLATED,
            "media": [api.name for api in MEDIA_APIS],
            "headers": {api.name: api.headers for api in MODEL_APIS if api.headers},
            "forms": [api.name for api in MODEL_APIS if api.takes_form],
        }
    )
    jobs = {"retry_after_seconds": RETRY_AFTER_SECONDS, "prefers_async": PREFERS_ASYNC}
    files[JOBS] = _render({**LIMITS, **jobs, "listed": LISTED, "most_listed": MOST_LISTED})
    files[SPENDING] = _render(render_spending(spending))
    files[OTHER_PATHS] = _render(other_paths)
    return dict(sorted(files.items()))


def _anthropic_shape() -> dict[str, Any]:
    return {
        "below": anthropic.ERRORS_BELOW,
        "request_id": anthropic.REQUEST_ID_HEADER,
        "types": anthropic.ERROR_TYPES,
        "caller": anthropic.CALLER_ERROR,
        "server": anthropic.SERVER_ERROR,
    }


def _render(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, indent=2).encode()
