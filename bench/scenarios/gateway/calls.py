"""The request and the model's response, the same for all gateways."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import urllib3

from bench.load import Call

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "sk-0123456789abcdef0123456789abcdef"
"""The key for gateways whose keys we can choose."""
TEAMS = 20
"""How many keys a gateway knows; only one of them calls."""
OPENAI_PATH = "/v1/chat/completions"
OK, REFUSED = 200, 400
ANSWER_SECONDS = 60
_STEP_SECONDS = 0.1
WORDS = "AWS is a cloud."

JSON = {"content-type": "application/json"}
BODY = json.dumps(
    {
        "model": "model",
        "messages": [{"role": "user", "content": "What is AWS? Say it in one sentence."}],
        "max_tokens": 32,
    }
)
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "model",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": WORDS},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 17, "completion_tokens": 5, "total_tokens": 22},
    }
)


def build_call(port: int, path: str, key: str | None = None) -> Call:
    """Builds the request to this path of a gateway, with a key as OpenAI's clients send it."""
    keys = {"authorization": f"Bearer {key}"} if key else {}
    return Call(f"http://127.0.0.1:{port}{path}", BODY, {**JSON, **keys})


def build_keys() -> dict[str, str]:
    """Returns the names of teams by key; `KEY` comes first."""
    return {f"{KEY}{number or ''}": f"team-{number}" for number in range(TEAMS)}


def wait_for_answer(call: Call) -> None:
    """Waits until the model answers through the gateway: some listen long before they pass anything on.

    Raises:
        RuntimeError: It does not answer in time. The message has the last response.
    """
    end = time.monotonic() + ANSWER_SECONDS
    status, text = _ask(call, call.headers or {})
    while status != OK and time.monotonic() < end:
        time.sleep(_STEP_SECONDS)
        status, text = _ask(call, call.headers or {})
    if status != OK or json.loads(text)["choices"][0]["message"]["content"] != WORDS:
        raise RuntimeError(f"{call.url} answers {status}: {text[:500]}")


def check_refusal(call: Call) -> None:
    """Checks that the gateway refuses a call without a key.

    Raises:
        RuntimeError: It does not.
    """
    if (status := _ask(call, JSON)[0]) < REFUSED:
        raise RuntimeError(f"{call.url} answers {status} without a key")


def _ask(call: Call, headers: Mapping[str, str]) -> tuple[int, str]:
    answer = urllib3.request(
        call.method, call.url, body=call.body, headers=dict(headers), retries=False, timeout=30
    )
    return answer.status, answer.data.decode()
