"""The API's own routes, and what each takes: those under `/v1`, jobs, joining.

Each is called with the key of a team that has limits, so that the admission service is asked too. Behind them
are llama.cpp, Python models that compute nothing, a provider, and a server of which nothing is known.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.faults.api import Api, find_quiet_port, run_api
from bench.faults.bad_requests import calls
from bench.faults.bad_requests.forms import FORM_TYPE, build_recording_form
from bench.faults.bad_requests.requests import JSON, Taken, take_json
from bench.faults.bad_requests.served import CHAT, COMMAND, build_config
from bench.processes import start, wait_for_port
from bench.programs import any_openai
from centralized_ml_api.local.keys import JoinBook, KeyStore, LocalKeys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from random import Random

HOSTED, HEARS, SAYS, DRAWS = "hosted", "hears", "says", "draws"
TEAM = "team"
KEY_VARIABLE = "BAD_REQUESTS_KEY"
"""Holds what the provider would ask for."""
OWN_WORDS = frozenset({"chats", "completions", "responses", "hosted chats", "hosted embeddings"})
"""Routes whose model words its refusals itself, as the API passes them on."""

_PLACES = 20
_PLENTY = 10**9
_SOUND = Path(__file__).resolve().parents[3] / "models/speech_to_text/sample.wav"
_INFERENCE = {
    HEARS: """\
def model_fn(model_dir):
    return None


def input_fn(body, content_type):
    return len(body)


def predict_fn(size, model):
    return {"text": "yes", "language": "english", "duration": 1.0,
            "segments": [{"start": 0.0, "end": 1.0, "text": "yes"}]}
""",
    SAYS: """\
import io
import wave


def model_fn(model_dir):
    return None


def predict_fn(order, model):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24000)
        file.writeframes(bytes(480))
    return buffer.getvalue()


def output_fn(prediction, accept):
    return prediction, "audio/wav"
""",
    DRAWS: """\
def model_fn(model_dir):
    return None


def predict_fn(order, model):
    return {"artifacts": [{"base64": "AAAA"}]}
""",
}
_SPOKEN = {
    HEARS: ["openai-transcriptions", "openai-translations"],
    SAYS: ["openai-speech"],
    DRAWS: ["openai-images"],
}
_IDS = ("", "a", "..", "%2e%2e", "%00", "é", "a" * 3_000, "0" * 32, "job_", "-", "%ff", "a/b", "*")
_QUERIES = (
    *(
        "limit=0",
        "limit=-1",
        "limit=1e9",
        "limit=" + "9" * 400,
        "after=",
        "after=%ff",
        "after=a",
        "limit",
    ),
    *("limit=5&limit=6", "&&&", "=", "after=" + "a" * 5_000, "limit=%00", "limit=٣", "order=asc", "#"),
)


def list_routes(key: str, code: str = "none") -> dict[str, Taken]:
    """Returns what each route takes.

    Args:
        key: The team's.
        code: Of the link for joining.
    """
    keyed = (f"Authorization: Bearer {key}",)
    later = (*keyed, "Prefer: respond-async")
    messages = (*keyed, "anthropic-version: 2023-06-01")
    return {
        "chats": _take(CHAT, "/v1/chat/completions", calls.CHAT, ("messages",), keyed),
        "completions": _take(CHAT, "/v1/completions", calls.COMPLETION, ("prompt",), keyed),
        "responses": _take(CHAT, "/v1/responses", calls.RESPONSE, ("input",), keyed),
        "messages": _take(CHAT, "/v1/messages", calls.MESSAGE, ("messages", "max_tokens"), messages),
        "tokens": _take(CHAT, "/v1/messages/count_tokens", calls.MESSAGE, ("messages",), messages),
        "hosted chats": _take(HOSTED, "/v1/chat/completions", calls.CHAT, ("messages",), keyed),
        "hosted responses": _take(HOSTED, "/v1/responses", calls.RESPONSE, ("input",), keyed),
        "hosted messages": _take(HOSTED, "/v1/messages", calls.MESSAGE, ("messages", "max_tokens"), messages),
        "hosted embeddings": _take(HOSTED, "/v1/embeddings", calls.EMBEDDING, ("input",), keyed),
        "recordings": _take_forms("/v1/audio/transcriptions", keyed),
        "translations": _take_forms("/v1/audio/translations", keyed),
        "speech": _take(SAYS, "/v1/audio/speech", calls.SPEECH, ("input",), keyed),
        "images": _take(DRAWS, "/v1/images/generations", calls.IMAGE, ("prompt",), keyed),
        "jobs": take_json(f"/{COMMAND}", {"text": "a", "number": 1}, headers=later),
        "late chats": _take(HOSTED, "/v1/chat/completions", calls.CHAT, ("messages",), later),
        "joining": take_json("/join", {**calls.JOINING, "code": code}),
        "lists": Taken(
            JSON, b"", path="/v1/jobs", headers=keyed, other_paths=_list_odd_paths(), is_looked_at=True
        ),
    }


def _take(
    entry: str,
    path: str,
    fields: Mapping[str, Any],
    needed: tuple[str, ...],
    headers: tuple[str, ...],
) -> Taken:
    build = partial(_build, model=entry, fields=fields, needed=needed)
    sample = json.dumps({"model": entry, **{name: fields[name] for name in needed}}).encode()
    known = {"model": entry, **fields}
    return Taken(JSON, sample, build, path, known, headers, (f"/{entry}{path}",))


def _take_forms(path: str, headers: tuple[str, ...]) -> Taken:
    sample = _SOUND.read_bytes()
    build = partial(build_recording_form, model=HEARS, sample=sample)
    return Taken(FORM_TYPE, sample, build, path, {}, headers, (f"/{HEARS}{path}",))


def _build(chance: Random, *, model: str, fields: Mapping[str, Any], needed: tuple[str, ...]) -> bytes:
    return calls.build_call(chance, model, fields, needed)


def _list_odd_paths() -> tuple[str, ...]:
    jobs = [f"/v1/jobs/{name}" for name in _IDS] + [f"/v1/jobs?{query}" for query in _QUERIES]
    models = [f"/v1/models/{name}" for name in _IDS] + [f"/v1/models?{query}" for query in _QUERIES]
    return (*jobs, *models, "/v1/usage", "/v1/usage?a=%ff", "/models", "/openapi.json", "/health?a")


def build_routes_config(hosted_port: int) -> dict[str, Any]:
    """Builds the config; the provider is at this port of loopback."""
    config = build_config([CHAT, COMMAND], 1)
    api = {"integration": {"type": "api"}}
    python = [
        {"name": name, **api, "local": {"engine": "python", "code": name, "speaks": spoken}}
        for name, spoken in _SPOKEN.items()
    ]
    provider = {
        "url": f"http://127.0.0.1:{hosted_port}/v1",
        "model": "any",
        "key": {"env": KEY_VARIABLE},
        "speaks": ["openai-chat", "openai-embeddings"],
    }
    limits = {"requests_per_second": 10_000, "burst": 10_000, "requests_at_once": 100}
    event = {
        "teams": [{"name": TEAM, **limits, "tokens_per_day": _PLENTY}],
        "join": {"teams": _PLACES},
    }
    entries = [*config["endpoints"], *python, {"name": HOSTED, **api, "provider": provider}]
    return {"models": [], "endpoints": entries, "event": event}


@contextlib.contextmanager
def serve_routes(folder: Path) -> Iterator[tuple[Api, dict[str, Taken]]]:
    """Runs the API in a new folder, and yields it with what its routes take; stops it after the block."""
    for name, source in _INFERENCE.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "inference.py").write_text(source, encoding="utf-8")
    port, log = find_quiet_port(), folder / "provider.log"
    os.environ.setdefault(KEY_VARIABLE, "sk-of-nobody")
    with start([sys.executable, any_openai.__file__, str(port)], log=log) as process:
        wait_for_port(port, process, log)
        api = Api(folder, folder / "state")
        api.write_config(build_routes_config(port))
        with run_api(api):
            api.wait_well()
            key = LocalKeys(KeyStore(api.state)).show(TEAM)
            yield api, list_routes(key, JoinBook(api.state).load().code)


ROUTES = tuple(list_routes(""))
"""The names of all."""
