"""AWS Secrets Manager, as far as keys are read: it answers only calls that a known key has signed.

Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from centralized_ml_api.local.machine.listen import serve_application
from centralized_ml_api.local.machine.ports import bind_loopback, url_of
from support.signed_runtime import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background

_TYPE = "application/x-amz-json-1.1"


@dataclass
class SecretsManager:
    """A running one: `values` by name or ARN, None for an empty secret; `asked` has the names of calls."""

    url: str
    keys: Keys
    values: dict[str, str | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    is_away: bool = False

    async def answer(self, request: web.Request) -> web.Response:
        """Answers a call."""
        body = await request.read()
        assert request.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue"
        refused = self.keys.why_refused(request, body)
        if refused:
            return _fail(400, refused)
        name = json.loads(body)["SecretId"]
        self.asked.append(name)
        if self.is_away:
            return _fail(500, "InternalServiceError")
        if self.values.get(name) is None:
            return _fail(400, "ResourceNotFoundException")
        answer = {
            "ARN": name,
            "Name": name,
            "SecretString": self.values[name],
            "VersionStages": ["AWSCURRENT"],
        }
        return web.json_response(answer, content_type=_TYPE)


def _fail(status: int, code: str) -> web.Response:
    text = json.dumps({"__type": code, "Message": "no"})
    return web.Response(status=status, text=text, content_type=_TYPE)


@contextlib.contextmanager
def start_secrets_manager(background: Background, keys: Keys) -> Iterator[SecretsManager]:
    """One without secrets, for callers with these keys, until the end of the block."""
    stack, listening = contextlib.AsyncExitStack(), bind_loopback()
    manager = SecretsManager(url_of(listening), keys)
    application = web.Application()
    application.router.add_post("/", manager.answer)
    background.run(serve_application(stack, application, listening, cancels=True))
    try:
        yield manager
    finally:
        background.run(stack.aclose())
