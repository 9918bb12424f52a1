"""The listener on which the translator calls one entry after the other, in the place of a caller.

It is the public listener without what has been done with the call there: its key, its rates, the shape of
its errors. Each entry has its own turns, limits and rules. The connection begins with the caller's address
(PROXY protocol), and a header names the team; nobody but the translator can reach the socket.
Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/listeners/listener_filters/proxy_protocol
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.terms import BODY_NAMESPACE, HIDES_USAGE, build_usage_format
from centralized_ml_api.local.envoy.admission import SAID_FORMAT, build_admission_logs
from centralized_ml_api.local.envoy.anthropic_errors import ANTHROPIC_FILTER
from centralized_ml_api.local.envoy.api_keys import KEY_FILTER, TEAM_FILTER
from centralized_ml_api.local.envoy.auth_scheme import SCHEME_FILTER
from centralized_ml_api.local.envoy.headers import ENDING_HEADER, HIDES_USAGE_HEADER, SET_PATH, build_header
from centralized_ml_api.local.envoy.listener import build_connection_manager, build_early_mutation
from centralized_ml_api.local.envoy.rate_limits import LEFT_FILTER, RATE_LIMIT_FILTERS
from centralized_ml_api.local.envoy.token_counts import ATTEMPT_NAMESPACE
from centralized_ml_api.local.envoy.translator import CALLS_SOCKET

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.settings import Settings

_DONE_BEFORE = frozenset(
    {ANTHROPIC_FILTER, SCHEME_FILTER, KEY_FILTER, TEAM_FILTER, LEFT_FILTER, *RATE_LIMIT_FILTERS}
)
_FILTERS = "type.googleapis.com/envoy.extensions.filters"


def build_calls_listener(settings: Settings) -> dict[str, Any]:
    """Builds it: a socket for this user alone. Pure."""
    manager = build_connection_manager(settings)
    filters = [each for each in manager["http_filters"] if each["name"] not in _DONE_BEFORE]
    own = {
        "stat_prefix": "calls",
        "http_filters": [*_build_own_filters(), *filters],
        "early_header_mutation_extensions": [build_early_mutation("path", SET_PATH)],
        # The call as a whole is in the access log, and counted.
        "access_log": build_admission_logs(),
    }
    proxy = {"@type": f"{_FILTERS}.listener.proxy_protocol.v3.ProxyProtocol"}
    return {
        "name": "calls",
        "address": {"pipe": {"path": CALLS_SOCKET, "mode": 0o600}},
        "ignore_global_conn_limit": True,  # the caller's own connection counts
        "listener_filters": [{"name": "caller", "typed_config": proxy}],
        "filter_chains": [{"filters": [{"name": "http", "typed_config": {**manager, **own}}]}],
    }


def _build_own_filters() -> list[dict[str, Any]]:
    """Builds the filters that mark a call, and that tell the translator how it ended.

    That is: Envoy's response flags, whether the translator is unsure, what admission said, Envoy's details.
    """
    mark = {
        "@type": f"{_FILTERS}.http.set_metadata.v3.Config",
        "metadata": [{"metadata_namespace": ATTEMPT_NAMESPACE, "value": {"is": True}}],
    }
    ending = f"%RESPONSE_FLAGS% {build_usage_format('unsure')} {SAID_FORMAT} %RESPONSE_CODE_DETAILS%"
    hides = f"%DYNAMIC_METADATA({BODY_NAMESPACE}:{HIDES_USAGE})%"
    tell = {
        "@type": f"{_FILTERS}.http.header_mutation.v3.HeaderMutation",
        "mutations": {
            "response_mutations": [
                {"append": build_header(ENDING_HEADER, ending)},
                {"append": build_header(HIDES_USAGE_HEADER, hides)},
            ]
        },
    }
    return [{"name": "ending", "typed_config": tell}, {"name": "attempt", "typed_config": mark}]
