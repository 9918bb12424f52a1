"""Asks `envoy --mode validate`, which reads no xDS files, what is wrong with a configuration."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.keys import hide_keys
from centralized_ml_api.local.envoy.bootstrap import build_bootstrap
from centralized_ml_api.local.envoy.jobs import JOB_TABLE_NAME
from centralized_ml_api.local.envoy.settings import find_envoy
from centralized_ml_api.local.envoy.xds import build_snapshot, count_reading_seconds, write_file

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.settings import Settings
    from centralized_ml_api.local.envoy.xds import DiscoveryResponse
    from centralized_ml_api.local.gateway import Gateway

VALIDATE_SECONDS = 20.0
_REASON_CHARACTERS = 1000
_FLAGS = ("--mode", "validate", "--disable-hot-restart", "--log-level", "critical")


async def find_config_error(gateway: Gateway, settings: Settings, seconds: float = VALIDATE_SECONDS) -> str:
    """Returns Envoy's error about this configuration; empty if there is none.

    Args:
        gateway: What is to be served.
        settings: What stays the same while Envoy runs.
        seconds: How long Envoy may take, apart from the time for large tables of routes.

    Raises:
        StartError: The configuration cannot be written, or there is no Envoy for this platform.
    """
    path = settings.files.folder / "whole.json"
    text = json.dumps(build_static_bootstrap(gateway, settings))
    seconds += count_reading_seconds(len(text))
    write_file(path, text)
    try:
        process = await asyncio.create_subprocess_exec(
            str(find_envoy()),
            *("-c", str(path)),
            *_FLAGS,
            env={},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(seconds):
                _, output = await process.communicate()
        except TimeoutError:
            return f"it could not be validated within {seconds:g} s"
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    except OSError:
        return ""  # no room on the machine for another process says nothing against the configuration
    finally:
        path.unlink(missing_ok=True)
    return _last_line(output.decode(errors="replace")) if process.returncode else ""


def _last_line(output: str) -> str:
    """Envoy shows the whole configuration first, then what is wrong with it."""
    lines = [line.strip() for line in output.split("\n") if line.strip()]
    return hide_keys(lines[-1])[-_REASON_CHARACTERS:] if lines else ""


def build_static_bootstrap(gateway: Gateway, settings: Settings) -> dict[str, Any]:
    """Builds one file of all that Envoy has once it serves `gateway`, with nothing dynamic. Pure."""
    bootstrap = build_bootstrap(settings)
    snapshot = build_snapshot(gateway, settings)
    del bootstrap["dynamic_resources"]
    clusters = bootstrap["static_resources"]["clusters"]
    for name, cluster in snapshot.clusters.items():
        static = _without(cluster, "@type")
        if name in snapshot.endpoints:
            assignment = _without(_resource_of(snapshot.endpoints[name]), "@type")
            static = {**_without(static, "eds_cluster_config"), "load_assignment": assignment}
            static["type"] = "STATIC"
        clusters.append(static)
    listeners = bootstrap["static_resources"]["listeners"]
    listeners += [_without(listener, "@type") for listener in snapshot.listeners.values()]
    for listener in listeners:
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        for http_filter in manager["http_filters"]:
            if http_filter.pop("config_discovery", None):
                limit = _resource_of(snapshot.rate_limits[http_filter["name"]])
                http_filter["typed_config"] = limit["typed_config"]
        if table := manager.pop("rds", None):
            is_of_jobs = table["route_config_name"] == JOB_TABLE_NAME
            routes = snapshot.job_routes if is_of_jobs else snapshot.routes
            manager["route_config"] = _without(_resource_of(routes), "@type")
    return bootstrap


def _resource_of(response: DiscoveryResponse) -> dict[str, Any]:
    resource: dict[str, Any] = json.loads(response.text)["resources"][0]
    return resource


def _without(resource: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name != key}
