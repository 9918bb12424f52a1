"""The listener on which `mlapi up` makes the calls of jobs, in the place of a caller.

It is the public listener without what was done when the job was asked for: the key, the rates. Its calls are
in the access log and in the statistics, and may take as long as those of AWS. The connection begins with the
caller's address (PROXY protocol), and a header names the team; nobody else can reach the socket.
Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/listeners/listener_filters/proxy_protocol
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.jobs import CALL_SECONDS
from centralized_ml_api.local.envoy.api_keys import KEY_FILTER
from centralized_ml_api.local.envoy.auth_scheme import SCHEME_FILTER
from centralized_ml_api.local.envoy.jobs import JOB_TABLE_NAME
from centralized_ml_api.local.envoy.listener import build_connection_manager
from centralized_ml_api.local.envoy.rate_limits import LEFT_FILTER, RATE_LIMIT_FILTERS
from centralized_ml_api.local.envoy.settings import build_config_source

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.settings import Limits, Settings

JOBS_SOCKET = "jobs.sock"
"""The socket, in Envoy's own folder."""

JOBS_PREFIX = "jobs"
"""What the names of its statistics begin with, after `http.`."""

_DONE_BEFORE = frozenset({SCHEME_FILTER, KEY_FILTER, LEFT_FILTER, *RATE_LIMIT_FILTERS})
_FILTERS = "type.googleapis.com/envoy.extensions.filters"


def patient(limits: Limits) -> Limits:
    """Returns the limits of the calls of jobs. Pure."""
    seconds = max(CALL_SECONDS, limits.response_seconds)
    return replace(limits, response_seconds=seconds, stream_idle_seconds=seconds, turn_seconds=seconds - 5)


def build_job_listener(settings: Settings) -> dict[str, Any]:
    """Builds it: a socket for this user alone. Pure."""
    manager = build_connection_manager(replace(settings, limits=patient(settings.limits)))
    own = {
        "stat_prefix": JOBS_PREFIX,
        "early_header_mutation_extensions": [],
        "rds": {
            "route_config_name": JOB_TABLE_NAME,
            "config_source": build_config_source(settings.files.job_routes),
        },
        "http_filters": [each for each in manager["http_filters"] if each["name"] not in _DONE_BEFORE],
    }
    proxy = {"@type": f"{_FILTERS}.listener.proxy_protocol.v3.ProxyProtocol"}
    return {
        "name": "jobs",
        "address": {"pipe": {"path": JOBS_SOCKET, "mode": 0o600}},
        "ignore_global_conn_limit": True,  # nobody outside has these connections
        "listener_filters": [{"name": "caller", "typed_config": proxy}],
        "filter_chains": [{"filters": [{"name": "http", "typed_config": {**manager, **own}}]}],
    }
