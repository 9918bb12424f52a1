"""An API with every engine: llama.cpp, Python models, a function, a program, and a server elsewhere."""

from __future__ import annotations

import contextlib
import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.faults.api import Api, find_quiet_port, run_api
from bench.faults.bad_requests.arrays import build_csv, build_npy
from bench.faults.bad_requests.chat import build_bad_chat
from bench.faults.bad_requests.media import build_picture, build_recording
from bench.faults.bad_requests.requests import CSV, JSON, NPY, PICTURE, RECORDING, Taken, take_json
from bench.processes import start, wait_for_port
from bench.programs import any_model
from bench.serving import PUBLIC_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

CHAT, FUNCTION, COMMAND, URL = "chat", "function", "command", "url"
ARRAYS, TABLES, VALUES = "arrays", "tables", "values"
SPEECH, EMBEDDINGS, RECORDINGS, PICTURES = "text-to-speech", "embeddings", "speech-to-text", "ocr"
READERS = (ARRAYS, TABLES, VALUES)
"""Entries of the engine `python` that leave reading and writing to it: one each for npy, csv and JSON."""

LIGHT = (*READERS, FUNCTION, COMMAND, URL)
"""Entries that need neither weights nor large packages."""

OWN_SHAPE = frozenset({CHAT})
"""Entries whose model words its refusals itself, as the API passes them on."""

SHOWCASE = (SPEECH, EMBEDDINGS, RECORDINGS, PICTURES)
ENTRIES = (CHAT, *LIGHT, *SHOWCASE)
ENGINES = {
    "llama.cpp": (CHAT,),
    "python": (*READERS, *SHOWCASE),
    "function": (FUNCTION,),
    "command": (COMMAND,),
    "url": (URL,),
}
"""The entries of each engine. A function stands for Lambda's, whose model is of the engine `command`."""

_ROOT = Path(__file__).resolve().parents[3]
_INFERENCE = """\
import numpy


def model_fn(model_dir):
    return None


def predict_fn(data, model):
    if isinstance(data, numpy.ndarray) and data.dtype.kind in "biuf":
        return numpy.nan_to_num(data)
    return {"kind": type(data).__name__, "data": None if hasattr(data, "dtype") else data}
"""
_REQUIREMENTS = "numpy==2.2.6\n"
_MOST_TOKENS = 4
_CONTEXT_TOKENS = 512
"""Small, or long prompts would take most of the time."""


def build_config(entries: Sequence[str], url_port: int) -> dict[str, Any]:
    """Builds the config of these entries; the server elsewhere is at this port of loopback."""
    showcase = json.loads((_ROOT / "config/showcase.json").read_text(encoding="utf-8"))["endpoints"]
    written = {entry["name"]: _place(entry) for entry in showcase}
    written[CHAT] |= {"max_output_tokens": _MOST_TOKENS}
    written[CHAT]["local"]["context"] = _CONTEXT_TOKENS
    program = {
        "engine": "command",
        "run": [sys.executable, any_model.__file__, "{port}"],
        "ping": "/ping",
        "invocations": "/invocations",
    }
    locals_ = {
        COMMAND: program,
        FUNCTION: program,
        URL: {"engine": "url", "url": f"http://127.0.0.1:{url_port}/invocations"},
        **{name: {"engine": "python", "code": "reader"} for name in READERS},
    }
    for name, local in locals_.items():
        written[name] = {"name": name, "integration": {"type": "api"}, "local": local}
    written[FUNCTION]["integration"] = {
        "type": "lambda",
        "properties": {
            "code": str(_ROOT / "functions/example_function"),
            "permissions": [],
            "timeout": 29,
            "memory": 1024,
        },
    }
    return {"models": [], "endpoints": [written[name] for name in entries], "event": PUBLIC_LIMIT}


def find_taken(entry: str) -> Taken:
    """Returns what an entry takes."""
    path = f"/{entry}"
    if entry == CHAT:
        sample = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": _MOST_TOKENS}
        return Taken(JSON, json.dumps(sample).encode(), _build_chat, path, sample)
    if entry in {ARRAYS, TABLES}:
        return Taken(NPY, b"", build_npy, path) if entry == ARRAYS else Taken(CSV, b"1,2\n", build_csv, path)
    if entry in {PICTURES, RECORDINGS}:
        file = "ocr/sample.png" if entry == PICTURES else "speech_to_text/sample.wav"
        sample_file = (_ROOT / "models" / file).read_bytes()
        build, kind = (build_picture, PICTURE) if entry == PICTURES else (build_recording, RECORDING)
        return Taken(kind, sample_file, partial(build, sample=sample_file), path)
    samples: dict[str, dict[str, Any]] = {
        SPEECH: {"text": "Hi.", "speed": 2.0},
        EMBEDDINGS: {"input": "a", "dimensions": 384, "encoding_format": "float", "model": "m"},
        FUNCTION: {
            "text_inputs": "a",
            "max_new_tokens": 2,
            "top_p": 0.5,
            "stop": "a",
            "seed": 1,
            "num_return_sequences": 1,
        },
    }
    return take_json(path, samples.get(entry, {"text": "a", "number": 1}))


@contextlib.contextmanager
def serve_entries(folder: Path, entries: Sequence[str]) -> Iterator[Api]:
    """Runs the API of these entries in a new folder; after the block, none of its processes runs."""
    code = folder / "reader"
    code.mkdir(parents=True)
    (code / "inference.py").write_text(_INFERENCE, encoding="utf-8")
    (code / "requirements.txt").write_text(_REQUIREMENTS, encoding="utf-8")
    port, log = find_quiet_port(), folder / "elsewhere.log"
    with start([sys.executable, any_model.__file__, str(port)], log=log) as process:
        wait_for_port(port, process, log)
        api = Api(folder, folder / "state")
        api.write_config(build_config(entries, port))
        with run_api(api):
            api.wait_well()
            yield api


def _build_chat(chance: Random) -> bytes:
    return json.dumps(build_bad_chat(chance)).encode()


def _place(entry: dict[str, Any]) -> dict[str, Any]:
    """Returns an entry of the showcase whose code is where it is, without a sample."""
    local = {**entry["local"]}
    if "code" in local:
        local["code"] = str(_ROOT / local["code"])
    names = [name for name in entry if name not in {"description", "made_by", "licence", "sample", "local"}]
    return {**{name: entry[name] for name in names}, "local": local}
