"""The whole configuration as one static file, for `envoy --mode validate`, which reads no dynamic files."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.keys import hide_keys
from centralized_ml_api.local.envoy.binary import find_envoy
from centralized_ml_api.local.envoy.bootstrap import build_bootstrap
from centralized_ml_api.local.envoy.writing import write_file
from centralized_ml_api.local.envoy.xds import build_snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.local.envoy.settings import Settings
    from centralized_ml_api.local.envoy.xds import Document
    from centralized_ml_api.local.gateway import Gateway

VALIDATE_SECONDS = 20.0
_REASON_CHARACTERS = 1000


def build_whole(gateway: Gateway, settings: Settings) -> dict[str, Any]:
    """The bootstrap with everything dynamic in it: all that Envoy has after `gateway` was applied. Pure."""
    bootstrap = build_bootstrap(settings)
    snapshot = build_snapshot(gateway, settings)
    del bootstrap["dynamic_resources"]
    clusters = [_static(one, snapshot.endpoints) for one in snapshot.clusters.values()]
    bootstrap["static_resources"]["clusters"] = [_untyped(one) for one in clusters]
    filters = bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
    manager = filters[0]["typed_config"]
    manager["http_filters"] = [_with_limits(one, snapshot.limits) for one in manager["http_filters"]]
    del manager["rds"]
    manager["route_config"] = _untyped(json.loads(snapshot.routes.text)["resources"][0])
    return bootstrap


def _static(cluster: dict[str, Any], endpoints: Mapping[str, Any]) -> dict[str, Any]:
    """A cluster with its endpoints inside."""
    if cluster["type"] != "EDS":
        return cluster
    assignment = json.loads(endpoints[cluster["name"]].text)["resources"][0]
    rest = {key: value for key, value in cluster.items() if key != "eds_cluster_config"}
    return {**rest, "type": "STATIC", "load_assignment": _untyped(assignment)}


def _with_limits(one: dict[str, Any], limits: Mapping[str, Document]) -> dict[str, Any]:
    """A filter with its options inside."""
    if "config_discovery" not in one:
        return one
    config = json.loads(limits[one["name"]].text)["resources"][0]["typed_config"]
    return {"name": one["name"], "disabled": True, "typed_config": config}


def _untyped(resource: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in resource.items() if key != "@type"}


async def find_fault(gateway: Gateway, settings: Settings) -> str:
    """What Envoy says against this configuration; empty when it has nothing against it.

    Raises:
        StartError: the configuration cannot be written for it to read.
    """
    path = settings.files.folder / "whole.json"
    write_file(path, json.dumps(build_whole(gateway, settings)))
    try:
        return await _validate(str(path))
    except OSError:
        return ""  # no room on the machine for another process says nothing against the configuration
    finally:
        path.unlink(missing_ok=True)


async def _validate(path: str) -> str:
    flags = ("--mode", "validate", "--disable-hot-restart", "--log-level", "critical")
    process = await asyncio.create_subprocess_exec(
        str(find_envoy()),
        *("-c", path),
        *flags,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await asyncio.wait_for(process.communicate(), VALIDATE_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        return "it could not be validated in time"
    lines = said.decode(errors="replace").split("\n") if process.returncode else []
    # Envoy shows the whole configuration first, then what is wrong with it.
    return next(
        (hide_keys(line.strip())[-_REASON_CHARACTERS:] for line in reversed(lines) if line.strip()), ""
    )
