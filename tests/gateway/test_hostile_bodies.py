"""Bodies that would exhaust whoever reads them: below `/v1` the gateway itself reads JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api.openai import CHAT_PATH
from centralized_ml_api.local.gateway import ServedRoute
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES
from support.running_gateway import start_gateway

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.gateway import Gateway
    from support.background import Background

PATH = "/v1/chat/completions"
MANY = BODY_LIMIT_BYTES // 6 - 100
BODIES = {
    "brackets": b"[" * BODY_LIMIT_BYTES,
    "braces": b'{"a":' * MANY,
    "a deep model": b'{"model":' + b"[" * MANY + b"]" * MANY + b"}",
    "deep beside the model": b'{"model":"echo","a":' + b"[" * MANY + b"]" * MANY + b"}",
    "a long number": b'{"model":"echo","a":' + b"9" * MANY + b"}",
    "a long name": b'{"model":"' + b"a" * MANY + b'"}',
    "half a character": b'{"model":"\\ud800"}',
    "no characters": b'{"model":"\xff\xfe"}',
}


@pytest.mark.slow
def test_no_body_ends_the_gateway_or_passes_for_a_model(
    tmp_path: Path, background: Background, served: Gateway
) -> None:
    chats = replace(served, by_model={CHAT_PATH: (ServedRoute("echo", "odd", "/chat", ()),)})
    with start_gateway(tmp_path, background, chats) as gateway:
        process = gateway.process
        statuses = {name: gateway.call(PATH, body).status for name, body in BODIES.items()}
        assert statuses == {**dict.fromkeys(BODIES, 400), "a long name": 404}
        assert gateway.call("/echo", b"{}").status == 200
        assert process is not None
        assert process.poll() is None, "the same Envoy, which never went away"
