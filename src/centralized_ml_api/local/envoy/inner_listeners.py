"""The listeners on which this machine's own programs call: the translator, and `mlapi up` for jobs.

Each has nearly all filters of the public one, which take most of Envoy's start. So Envoy starts with those
that something calls, and gets another in a file when it is needed (LDS). It keeps what it has: to take one
away would end its connections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.envoy.calls_listener import build_calls_listener
from centralized_ml_api.local.envoy.job_listener import build_job_listener
from centralized_ml_api.local.envoy.servers_listener import build_servers_listener

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.settings import Settings
    from centralized_ml_api.local.gateway import Gateway

_LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"


def build_inner_listeners(gateway: Gateway, settings: Settings) -> dict[str, dict[str, Any]]:
    """Builds those that are needed, by name: two for the translator, one from the first job on. Pure.

    Args:
        gateway: What is served.
        settings: What stays the same while Envoy runs.
    """
    listeners = []
    if gateway.translates:
        listeners += [build_servers_listener(settings.limits), build_calls_listener(settings)]
    if gateway.runs_jobs:
        listeners.append(build_job_listener(settings))
    return {listener["name"]: {"@type": _LISTENER, **listener} for listener in listeners}
