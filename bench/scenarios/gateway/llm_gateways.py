"""Gateways that were made for language models, but for those in Python."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from bench.environments import NODE, PEERS, node_version, prepare_environment, prepare_node_environment
from bench.processes import START_SECONDS, free_port, pin, start
from bench.scenarios.gateway.calls import OPENAI_PATH, build_call
from bench.scenarios.gateway.installed import build_environment, find_version, start_installed
from bench.scenarios.gateway.peer import GATEWAY_CORES, Peer, Place, Running, start_on_port

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

_PORTKEY = "@portkey-ai/gateway"
_STEP_SECONDS = 0.05


@contextlib.contextmanager
def start_vllm_router(place: Place) -> Iterator[Running]:
    """Starts vllm-router with one worker."""
    port, metrics = free_port(), free_port()
    arguments = [
        *("--host", "127.0.0.1", "--port", port),
        *("--worker-urls", f"http://127.0.0.1:{place.upstream}"),
        *("--policy", "round_robin", "--log-level", "error"),
        *("--prometheus-host", "127.0.0.1", "--prometheus-port", metrics),
    ]
    with start_installed("vllm_router", "vllm-router", arguments, port, place) as pid:
        yield Running(build_call(port, OPENAI_PATH), pid)


@contextlib.contextmanager
def start_portkey(place: Place) -> Iterator[Running]:
    """Starts Portkey's gateway; each call says which provider is meant, and where it is."""
    modules = prepare_node_environment("portkey", place.say)
    port = free_port()
    program = modules / _PORTKEY / "build/start-server.js"
    preload = PEERS / "portkey/loopback.mjs"
    command = [NODE, "--import", preload, program, "--headless", f"--port={port}"]
    environment = {"NODE_ENV": "production", "HOME": str(place.folder)}
    headers = {
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": f"http://127.0.0.1:{place.upstream}/v1",
    }
    with start_on_port(command, port, place.folder, environment=environment) as pid:
        yield Running(build_call(port, OPENAI_PATH, "none", headers=headers), pid)


@contextlib.contextmanager
def start_tensorzero(place: Place) -> Iterator[Running]:
    """Starts TensorZero's gateway with one model, without databases."""
    programs = prepare_environment("tensorzero", place.say)
    config, told = place.fill("tensorzero/tensorzero.toml"), place.folder / "port"
    log = place.folder / "said.log"
    command = [programs / "python", PEERS / "tensorzero/serve.py", config, told]
    pinned = [*pin(GATEWAY_CORES), *map(str, command)]
    environment = build_environment(programs, place)
    with start(pinned, log=log, folder=place.folder, environment=environment) as process:
        port = _wait_for_number(told, process, log)
        yield Running(
            build_call(port, f"/openai{OPENAI_PATH}", model="tensorzero::model_name::model"), process.pid
        )


def _wait_for_number(file: Path, process: subprocess.Popen[bytes], log: Path) -> int:
    """Returns the number that a program writes into a file.

    Raises:
        RuntimeError: It ended, or did not write it in time. The message has the end of its output.
    """
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if file.is_file() and (text := file.read_text(encoding="ascii")):
            return int(text)
        time.sleep(_STEP_SECONDS)
    said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"nothing was written to {file}:\n{said}")


VLLM_ROUTER = Peer(
    "vllm-router",
    "in Rust; one worker; no keys, no limits, no log",
    start_vllm_router,
    lambda say: find_version("vllm-router", say, folder="vllm_router"),
)
PORTKEY = Peer(
    "Portkey's gateway",
    "in JavaScript; the headers of a call name provider and address; no keys, no limits, no log",
    start_portkey,
    lambda say: {"portkey-ai/gateway": node_version(prepare_node_environment("portkey", say), _PORTKEY)},
)
TENSORZERO = Peer(
    "TensorZero",
    "in Rust, [embedded in Python](../../bench/peers/tensorzero/serve.py); one OpenAI model; no keys, no "
    "limits, no databases",
    start_tensorzero,
    lambda say: find_version("tensorzero", say),
)
ALL = (VLLM_ROUTER, PORTKEY, TENSORZERO)
