"""The request and the model's response, the same for all gateways."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import urllib3

from bench.load import Call

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "sk-0123456789abcdef0123456789abcdef"
"""The key for gateways whose keys we can choose."""
TEAMS = 20
"""How many keys a gateway knows; only one of them calls."""
OPENAI_PATH = "/v1/chat/completions"
ANTHROPIC_PATH = "/v1/messages"
OK, REFUSED = 200, 400
ANSWER_SECONDS = 60
_STEP_SECONDS = 0.1
WORDS = "AWS is a cloud."

JSON = {"content-type": "application/json"}
_MODEL = "model"
BODY = json.dumps(
    {
        "model": _MODEL,
        "messages": [{"role": "user", "content": "What is AWS? Say it in one sentence."}],
        "max_tokens": 32,
    }
)
"""A chat, which OpenAI's and Anthropic's API have alike."""
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
ANTHROPIC_ANSWER = json.dumps(
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": _MODEL,
        "content": [{"type": "text", "text": WORDS}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 17, "output_tokens": 5},
    }
)


def build_call(
    port: int,
    path: str,
    key: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    model: str = _MODEL,
) -> Call:
    """Builds the request to this path of a gateway.

    Args:
        port: Where the gateway listens.
        path: The path.
        key: Is sent as OpenAI's clients send it; None for none.
        headers: Others that the gateway wants.
        model: How the gateway knows the model.
    """
    keys = {"authorization": f"Bearer {key}"} if key else {}
    body = json.dumps({**json.loads(BODY), "model": model})
    return Call(f"http://127.0.0.1:{port}{path}", body, {**JSON, **keys, **(headers or {})})


def find_words(answer: Mapping[str, Any]) -> str:
    """Returns what the model said, in the shape of OpenAI's API or of Anthropic's."""
    if "content" in answer:
        return str(answer["content"][0]["text"])
    return str(answer["choices"][0]["message"]["content"])


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
    if status != OK or find_words(json.loads(text)) != WORDS:
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
