"""Rewords and counts what providers answer, by Lua on the routes to them.

An error of a provider keeps its status and its message, but for what concerns its customer alone: the key,
the account, the organization. A refused key is not the caller's fault, and is said differently.

Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/lua_filter
"""

from __future__ import annotations

import functools
import json

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.admission.terms import BODY_NAMESPACE, HIDES_USAGE
from centralized_ml_api.local.envoy.aws_signing import render_error
from centralized_ml_api.local.envoy.headers import KEPT_ID_HEADER
from centralized_ml_api.local.envoy.lua_scripts import read_script
from centralized_ml_api.local.envoy.token_counts import render_counting

PROVIDER_ANSWER = "provider-answer"
PROVIDER_STREAM = "provider-stream"
PROVIDER_UNCOUNTED = "provider-uncounted"
"""The names of the Lua scripts for complete responses, for streams, and for responses without tokens."""

_ERRORS = {
    "MODEL_FAILED": errors.MODEL_FAILED,
    "MODEL_REFUSED": errors.MODEL_REFUSED,
    "MODEL_TOO_SLOW": errors.MODEL_TOO_SLOW,
    "PROVIDER_REFUSED_KEY": errors.PROVIDER_REFUSED_KEY,
    "TOO_MANY_REQUESTS": errors.TOO_MANY_REQUESTS,
}


@functools.cache
def render_provider_answers(held_bytes: int, *, streams: bool, counts: bool = True) -> str:
    """Renders a Lua script; it is read once: no disk can stop a later start.

    Args:
        held_bytes: The largest response that is held until it is complete.
        streams: Whether responses pass as they come.
        counts: Whether they have tokens.
    """
    tables = "\n".join(render_error(name, error) for name, error in _ERRORS.items())
    names = {"BODY": BODY_NAMESPACE, "HIDES_USAGE": HIDES_USAGE, "KEPT_ID": KEPT_ID_HEADER}
    head = "".join(f"local {name} = {json.dumps(value)}\n" for name, value in names.items())
    return (
        f"{render_counting()}local ERRORS = {{\n{tables}\n}}\n{head}"
        f"local HELD_BYTES = {held_bytes}\nlocal STREAMS = {json.dumps(streams)}\n"
        f"local COUNTS = {json.dumps(counts)}\n"
        f"{read_script('json_strings')}{read_script('provider_answers')}"
    )
