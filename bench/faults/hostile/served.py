"""The API that both teams call: llama.cpp, a Python model, and two entries that share a server elsewhere."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from bench.faults.api import Api, find_quiet_port, run_api
from bench.faults.hostile.chat import MOST_TOKENS
from bench.faults.hostile.requests import OTHER_MODEL, SHARED_MODEL
from bench.processes import start, wait_for_port
from bench.programs import shared_server
from centralized_ml_api.local.admission.terms import OCCUPANCY_SOCKET
from centralized_ml_api.local.envoy.admin import shorten_path
from centralized_ml_api.local.keys import KeyStore, LocalKeys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GOOD, BAD = "good", "bad"
ENTRIES = ("chat", "table", "shared")
"""The entries that both teams may call."""

OWN_SERVERS = ("chat", "table")
"""The entries whose servers the API runs."""

_CONFIG = Path(__file__).resolve().parents[3] / "config/models.json"
_INFERENCE = """\
def model_fn(model_dir):
    return None


def predict_fn(data, model):
    return {"kind": type(data).__name__, "size": getattr(data, "size", 0)}
"""
_REQUIREMENTS = "numpy==2.2.6\n"


def build_config(shared_port: int) -> dict[str, Any]:
    """Builds the config: the default weights, the folder `table`, and a server at this port of loopback."""
    api = {"integration": {"type": "api"}, "model_id": "any", "instance": "ml.g5.xlarge"}
    url = {"engine": "url", "url": f"http://127.0.0.1:{shared_port}/v1/chat/completions"}
    return {
        "models": [
            {"name": "chat", **api, "max_output_tokens": MOST_TOKENS, "local": _load_default_model()},
            {"name": "table", **api, "local": {"engine": "python", "code": "table"}},
            {"name": "shared", **api, "local": {**url, "model": SHARED_MODEL}},
            {"name": "other", **api, "local": {**url, "model": OTHER_MODEL}},
        ],
        "event": {"teams": [GOOD, {"name": BAD, "models": list(ENTRIES)}]},
    }


def _load_default_model() -> dict[str, Any]:
    """Returns the `local` block of the default config's language model."""
    models = json.loads(_CONFIG.read_text(encoding="utf-8"))["models"]
    local: dict[str, Any] = next(model["local"] for model in models if model["name"] == "open-llama")
    return local


@contextlib.contextmanager
def serve_both_teams(folder: Path) -> Iterator[Api]:
    """Runs the API in a new folder; after the block, none of its processes runs."""
    code = folder / "table"
    code.mkdir(parents=True)
    (code / "inference.py").write_text(_INFERENCE, encoding="utf-8")
    (code / "requirements.txt").write_text(_REQUIREMENTS, encoding="utf-8")
    port, log = find_quiet_port(), folder / "shared.log"
    with start([sys.executable, shared_server.__file__, str(port)], log=log) as process:
        wait_for_port(port, process, log)
        api = Api(folder, folder / "state")
        api.write_config(build_config(port))
        with run_api(api):
            api.wait_well()
            yield api


def load_keys(api: Api) -> Mapping[str, str]:
    """Returns the key of each team."""
    keys = LocalKeys(KeyStore(api.state))
    return {team: keys.show(team) for team in (GOOD, BAD)}


def find_lasting(api: Api) -> dict[str, psutil.Process]:
    """Returns the processes that should live as long as the API, by their role."""
    children = {child.pid: child.cmdline() for child in api.supervisor.children()}
    admission = next(pid for pid, words in children.items() if "centralized_ml_api.local.admission" in words)
    servers = {f"server of {entry}": api.servers(entry)[0] for entry in OWN_SERVERS}
    return {
        "supervisor": api.supervisor,
        "gateway": api.gateway(),
        "admission": psutil.Process(admission),
        **servers,
    }


def count_under_way(api: Api) -> int:
    """Returns how many calls have a place at a model, or wait for one."""
    with (
        shorten_path(api.state / "gateway" / OCCUPANCY_SOCKET) as path,
        socket.socket(socket.AF_UNIX) as connection,
    ):
        connection.connect(path)
        occupancy = json.loads(connection.makefile("rb").read())
    return sum(entry["under_way"] + entry["waiting"] for entry in occupancy.values())


def find_tracebacks(api: Api) -> list[str]:
    """Returns the lines with which tracebacks begin, in any log."""
    return [
        f"{log.name}: {line}"
        for log in sorted(path for path in api.state.rglob("*") if path.is_file())
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
        if "Traceback" in line
    ]
