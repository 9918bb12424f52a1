"""Signs the calls to SageMaker endpoints and to Bedrock, with the user's own AWS credentials.

Envoy reads the credentials from a file, and again when another is renamed to its name; its configuration has
none of them. It signs as a filter of the upstream: last, and exactly what is sent.
Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/aws_request_signing_filter
"""

from __future__ import annotations

import functools
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.envoy.headers import KEPT_ID_HEADER
from centralized_ml_api.local.envoy.lua_scripts import read_script
from centralized_ml_api.local.envoy.token_counts import render_counting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.local.gateway import Signing

SAGEMAKER_ERRORS = "sagemaker-errors"
SAGEMAKER_COUNTED = "sagemaker-counted"
"""The names of the Lua scripts that reword SageMaker's errors as this API's; the second counts tokens too."""

_FILTERS = "type.googleapis.com/envoy.extensions.filters.http"
UPSTREAM_CODEC = {
    "name": "codec",
    "typed_config": {"@type": f"{_FILTERS}.upstream_codec.v3.UpstreamCodec"},
}
"""The last filter of every upstream that has filters."""

_ERRORS: dict[str, errors.ApiError] = {
    "API_FAILED": errors.API_FAILED,
    "BODY_TOO_LARGE": errors.BODY_TOO_LARGE,
    "MODEL_FAILED": errors.MODEL_FAILED,
    "MODEL_NOT_READY": errors.MODEL_NOT_READY,
    "MODEL_REFUSED": errors.MODEL_REFUSED,
    "MODEL_TOO_SLOW": errors.MODEL_TOO_SLOW,
    "NOT_CALLED": errors.MODEL_FAILED.with_message("endpoint_not_called"),
    "REFUSED_BY_SAGEMAKER": errors.REFUSED_BY_SAGEMAKER,
    "TOO_MANY_REQUESTS": errors.TOO_MANY_REQUESTS,
}


def build_signing_filters(signing: Signing) -> list[dict[str, Any]]:
    """Builds the HTTP filters of a cluster; the last must be the codec. Pure."""
    file = {
        "filename": str(signing.credentials),
        "watched_directory": {"path": str(signing.credentials.parent)},
    }
    sign = {
        "@type": f"{_FILTERS}.aws_request_signing.v3.AwsRequestSigning",
        "service_name": signing.service,
        "region": signing.region,
        "credential_provider": {
            "custom_credential_provider_chain": True,
            "credentials_file_provider": {"credentials_data_source": file, "profile": "default"},
        },
    }
    return [{"name": "sign", "typed_config": sign}, UPSTREAM_CODEC]


@functools.cache
def render_sagemaker_errors(held_bytes: int, *, counts: bool = False) -> str:
    """Renders the Lua script with the API's errors; it is read once: no disk can stop a later start.

    Args:
        held_bytes: The largest response that is held until it is complete.
        counts: Whether responses have tokens.
    """
    tables = "\n".join(render_error(name, error) for name, error in _ERRORS.items())
    head = (
        f"{render_counting()}local COUNTS = {json.dumps(counts)}\n"
        f'local RETRY_AFTER = "{errors.RETRY_AFTER_SECONDS}"\nlocal ERRORS = {{\n{tables}\n}}\n'
        f"local HELD_BYTES = {held_bytes}\n"
        f"local KEPT_ID = {json.dumps(KEPT_ID_HEADER)}\n"
        f"local MARKS = {{{', '.join(_render_marks())}}}\n"
    )
    return head + read_script("json_strings") + read_script("sagemaker_errors")


def _render_marks() -> Iterator[str]:
    """Yields the fields of a Lua table; for plain ASCII JSON and Lua quote alike."""
    for name, marks in asdict(errors.SAGEMAKER_MARKS).items():
        value = json.dumps(marks)
        yield f"{name} = {value if isinstance(marks, str) else f'{{{value[1:-1]}}}'}"


def render_error(name: str, error: errors.ApiError) -> str:
    """Renders one error as a field of a Lua table; its message is quoted for JSON and for Lua. Pure."""
    message = json.dumps(json.dumps(error.message)[1:-1])
    fields = f'status = {error.status}, type = "{error.type}", code = "{error.code}", message = {message}'
    return f"  {name} = {{{fields}}},"
