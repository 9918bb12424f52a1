"""An upstream whose calls are signed: a real SageMaker endpoint, with the user's own AWS credentials.

Envoy reads the credentials from a file, and again when another is renamed to its name; they are in none of
its configuration. It signs last, what is really sent: as a filter of the upstream.
Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/aws_request_signing_filter
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors

if TYPE_CHECKING:
    from centralized_ml_api.local.gateway import Signing

SAGEMAKER_ERRORS = "sagemaker-errors"
"""The name of the Lua that words SageMaker's own errors as this API does."""

_FILTERS = "type.googleapis.com/envoy.extensions.filters.http"
_SCRIPT = Path(__file__).with_name("sagemaker_errors.lua")
_WORDS: dict[str, errors.ApiError] = {
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
    """The filters of a cluster, the last of which must be the codec."""
    file = {
        "filename": str(signing.credentials),
        "watched_directory": {"path": str(signing.credentials.parent)},
    }
    sign = {
        "@type": f"{_FILTERS}.aws_request_signing.v3.AwsRequestSigning",
        "service_name": "sagemaker",
        "region": signing.region,
        "credential_provider": {
            "custom_credential_provider_chain": True,
            "credentials_file_provider": {"credentials_data_source": file, "profile": "default"},
        },
    }
    codec = {"@type": f"{_FILTERS}.upstream_codec.v3.UpstreamCodec"}
    return [{"name": "sign", "typed_config": sign}, {"name": "codec", "typed_config": codec}]


@functools.cache
def render_sagemaker_errors() -> str:
    """The Lua, with the words of the errors; read once, so that nothing on disk can stop a later start."""
    words = "\n".join(_render_words(name, error) for name, error in _WORDS.items())
    head = f'local RETRY_AFTER = "{errors.RETRY_AFTER_SECONDS}"\nlocal ERRORS = {{\n{words}\n}}\n'
    return head + _SCRIPT.read_text(encoding="ascii")


def _render_words(name: str, error: errors.ApiError) -> str:
    """One error as a Lua table; its message is twice in quotes, once as JSON and once as Lua."""
    message = json.dumps(json.dumps(error.message)[1:-1])
    words = f'status = {error.status}, type = "{error.type}", code = "{error.code}", message = {message}'
    return f"  {name} = {{{words}}},"
