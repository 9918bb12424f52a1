"""A target with something broken in it, beside the whole one and with the same models behind it."""

from __future__ import annotations

import contextlib
import copy
import json
import shutil
import socket
import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.terms import ADMISSION_SOCKET, OCCUPANCY_SOCKET
from centralized_ml_api.local.envoy.settings import find_envoy
from centralized_ml_api.local.envoy.translator import TRANSLATOR_SOCKET
from centralized_ml_api.plan.aws.spending import NOT_COUNTED
from support.api_gateway import ApiGateway, build_rest_api, serve_api
from support.api_gateway.functions import Instances
from support.own_ports import own_ports
from support.route_table import list_routes, remove_route
from support.stream_host.host import write_function
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from contract.targets import Targets
    from support.background import Background

Json = dict[str, Any]


@dataclass(frozen=True)
class EnvoyConfig:
    """What Envoy reads: the HTTP connection manager with its filters and replies, and the routes in order.

    `limit_files` are the options of the filters that limit calls, by the name of the file.
    """

    bootstrap: Json
    route_file: Json
    limit_files: dict[str, Json]

    @property
    def manager(self) -> Json:
        """The HTTP connection manager."""
        chain = self.bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]
        found: Json = chain["filters"][0]["typed_config"]
        return found

    @property
    def routes(self) -> list[Json]:
        """The routes of the table; the first that matches counts."""
        return list_routes(self.route_file["resources"][0])

    def remove(self, route: Json) -> None:
        """Removes a route."""
        remove_route(self.route_file["resources"][0], route)


@contextlib.contextmanager
def serve_document(
    targets: Targets, background: Background, change: Callable[[Json], object]
) -> Iterator[str]:
    """The address of the API of a changed document, until the end of the block."""
    document = copy.deepcopy(dict(targets.document))
    change(document)
    with serve_api(background, ApiGateway(build_rest_api(document), targets.back_ends)) as url:
        yield url


@contextlib.contextmanager
def serve_envoy(targets: Targets, folder: Path, change: Callable[[EnvoyConfig], object]) -> Iterator[str]:
    """The address of an Envoy with the changed configuration of the local target, until the end of it."""
    port = own_ports()
    _write(targets.local.folder / ".mlapi", folder, port, change)
    argv = [str(find_envoy()), "-c", "bootstrap.json", "--disable-hot-restart", "--concurrency", "1"]
    process = subprocess.Popen([*argv, "--log-level", "critical"], cwd=folder, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _answers(process, port), "the changed gateway takes calls")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def serve_function(
    targets: Targets, background: Background, change: Callable[[Path], object]
) -> Iterator[str]:
    """The address of the API with changed code of the function that streams, until the end of the block."""
    folder = write_function(NOT_COUNTED)
    change(folder)
    with contextlib.ExitStack() as stack:
        streams = {}
        for arn, instances in targets.back_ends.streams.items():
            assert isinstance(instances, Instances)
            streams[arn] = stack.enter_context(instances.with_code(folder))
        back_ends = replace(targets.back_ends, streams=streams)
        gateway = ApiGateway(build_rest_api(dict(targets.document)), back_ends)
        yield stack.enter_context(serve_api(background, gateway))


def _write(state: Path, folder: Path, port: int, change: Callable[[EnvoyConfig], object]) -> None:
    """Every file of the local target's gateway again, changed, with the paths of `folder`."""
    shutil.copytree(state / "gateway", folder, ignore=shutil.ignore_patterns("*.sock"), dirs_exist_ok=True)
    # The running services answer for both gateways.
    for name in (ADMISSION_SOCKET, OCCUPANCY_SOCKET, TRANSLATOR_SOCKET):
        (folder / name).symlink_to(state / "gateway" / name)
    for file in folder.rglob("*.json"):
        moved = file.read_text().replace(str(state / "gateway"), str(folder))
        file.write_text(moved.replace(str(state / "logs"), str(folder)))
    bootstrap, routes = folder / "bootstrap.json", folder / "routes.json"
    limits = {file.name: json.loads(file.read_text()) for file in folder.glob("limit-*.json")}
    config = EnvoyConfig(json.loads(bootstrap.read_text()), json.loads(routes.read_text()), limits)
    config.bootstrap["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"] = port
    change(config)
    bootstrap.write_text(json.dumps(config.bootstrap))
    routes.write_text(json.dumps(config.route_file))
    for name, changed in config.limit_files.items():
        (folder / name).write_text(json.dumps(changed))


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    assert process.poll() is None, "Envoy refuses the changed configuration"
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
