"""The listener on which `mlapi up` makes the calls of jobs, in the place of a caller.

It is the public listener without what was done when the job was asked for: the key, the rates. Its calls are
in the access log and in the statistics, and may take as long as those of AWS. The connection begins with the
caller's address (PROXY protocol), and a header names the team; nobody else can reach the socket.

The gateway says with each answer how the call ended: one that it refuses for now, because its model is
paused, wakes or is away, is made again later. Such a refusal is neither logged nor counted: no call is made.
Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/listeners/listener_filters/proxy_protocol
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.jobs import CALL_SECONDS
from centralized_ml_api.local.envoy.admission import (
    SAID_FORMAT,
    build_admission_logs,
)
from centralized_ml_api.local.envoy.api_keys import KEY_FILTER
from centralized_ml_api.local.envoy.auth_scheme import SCHEME_FILTER
from centralized_ml_api.local.envoy.headers import ENDING_HEADER, build_header
from centralized_ml_api.local.envoy.jobs import JOB_TABLE_NAME
from centralized_ml_api.local.envoy.listener import build_connection_manager
from centralized_ml_api.local.envoy.log_filters import build_expression_filter
from centralized_ml_api.local.envoy.rate_limits import LEFT_FILTER, RATE_LIMIT_FILTERS
from centralized_ml_api.local.envoy.settings import build_config_source
from centralized_ml_api.local.envoy.token_counts import UNTAKEN, UNTAKEN_FORMAT, is_not_noted

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.settings import Limits, Settings

JOBS_SOCKET = "jobs.sock"
"""The socket, in Envoy's own folder."""

JOBS_PREFIX = "jobs"
"""What the names of its statistics begin with, after `http.`."""

_ENDING = f"%RESPONSE_FLAGS% {SAID_FORMAT} %RESPONSE_CODE_DETAILS% {UNTAKEN_FORMAT}"
_IS_MADE = (
    build_expression_filter("response.code != 503 || response.code_details == 'via_upstream'"),
    is_not_noted(UNTAKEN),
)

_DONE_BEFORE = frozenset({SCHEME_FILTER, KEY_FILTER, LEFT_FILTER, *RATE_LIMIT_FILTERS})
_FILTERS = "type.googleapis.com/envoy.extensions.filters"


def patient(limits: Limits) -> Limits:
    """Returns the limits of the calls of jobs. Pure."""
    seconds = max(CALL_SECONDS, limits.response_seconds)
    return replace(limits, response_seconds=seconds, stream_idle_seconds=seconds, turn_seconds=seconds - 5)


def build_job_listener(settings: Settings) -> dict[str, Any]:
    """Builds it: a socket for this user alone. Pure."""
    manager = build_connection_manager(replace(settings, limits=patient(settings.limits)))
    filters = [each for each in manager["http_filters"] if each["name"] not in _DONE_BEFORE]
    own = {
        "stat_prefix": JOBS_PREFIX,
        "early_header_mutation_extensions": [],
        "rds": {
            "route_config_name": JOB_TABLE_NAME,
            "config_source": build_config_source(settings.files.job_routes),
        },
        # The first filter is the last that sees an answer.
        "http_filters": [_build_ending_filter(), *filters],
        "access_log": [*map(_log_made, manager["access_log"])],
    }
    proxy = {"@type": f"{_FILTERS}.listener.proxy_protocol.v3.ProxyProtocol"}
    return {
        "name": "jobs",
        "address": {"pipe": {"path": JOBS_SOCKET, "mode": 0o600}},
        "ignore_global_conn_limit": True,  # nobody outside has these connections
        "listener_filters": [{"name": "caller", "typed_config": proxy}],
        "filter_chains": [{"filters": [{"name": "http", "typed_config": {**manager, **own}}]}],
    }


def _build_ending_filter() -> dict[str, Any]:
    """Builds the filter that says how a call ended, whatever a model said of that."""
    mutations = {"response_mutations": [{"append": build_header(ENDING_HEADER, _ENDING)}]}
    kind = f"{_FILTERS}.http.header_mutation.v3.HeaderMutation"
    return {"name": "ending", "typed_config": {"@type": kind, "mutations": mutations}}


def _log_made(log: dict[str, Any]) -> dict[str, Any]:
    """Returns a logger for those calls alone that have been made; the admission service hears of all."""
    if log in build_admission_logs():
        return log
    return {**log, "filter": {"and_filter": {"filters": [*_IS_MADE, log["filter"]]}}}
