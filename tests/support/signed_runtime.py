"""SageMaker's runtime API as it is in truth: it answers only calls that a known key has signed.

Signatures are computed by botocore, from what arrived.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from aiohttp import web
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from centralized_ml_api.local.machine.listen import serve_application
from centralized_ml_api.local.machine.ports import bind_loopback, url_of
from centralized_ml_api.local.sagemaker_runtime import build_application

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from centralized_ml_api.local.sagemaker_runtime import Endpoint
    from support.background import Background

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 "
    r"Credential=(?P<key>\w+)/(?P<date>\d{8})/(?P<region>[\w-]+)/(?P<service>\w+)/aws4_request,"
    r" ?SignedHeaders=(?P<headers>[\w;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_MUST_BE_SIGNED = {"host", "x-amz-date"}
_CLOCK = timedelta(minutes=5)


@dataclass
class Keys:
    """Who may call, by key id, in which region; `refused` says which code each refused call got."""

    region: str
    service: str = "sagemaker"
    known: dict[str, Credentials] = field(default_factory=dict)
    expired: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def add(self, key: str, secret: str, token: str | None = None) -> None:
        """One more."""
        self.known[key] = Credentials(key, secret, token)

    def why_refused(self, request: web.Request, body: bytes) -> str:
        """AWS's code for what is wrong with a call; empty where nothing is."""
        found = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
        if found is None:
            return "MissingAuthenticationTokenException"
        credentials = self.known.get(found["key"])
        if credentials is None or request.headers.get("X-Amz-Security-Token") != credentials.token:
            return "UnrecognizedClientException"
        if found["key"] in self.expired:
            return "ExpiredTokenException"
        self.seen.append(found["key"])
        scope = (found["region"], found["service"]) == (self.region, self.service)
        return "" if scope and _is_signed(request, body, found, credentials) else "InvalidSignatureException"


def _is_signed(request: web.Request, body: bytes, found: re.Match[str], credentials: Credentials) -> bool:
    names = found["headers"].split(";")
    date = request.headers.get("X-Amz-Date", "")
    if not set(names) >= _MUST_BE_SIGNED or not _is_now(date):
        return False
    if request.headers.get("X-Amz-Content-Sha256", "") not in {"", hashlib.sha256(body).hexdigest()}:
        return False
    signed = AWSRequest(request.method, f"http://{request.host}{request.raw_path}", data=body)
    for name in names:
        signed.headers[name] = request.headers.get(name, "")
    signed.context["timestamp"] = date
    auth = SigV4Auth(credentials, found["service"], found["region"])
    expected = auth.signature(auth.string_to_sign(signed, auth.canonical_request(signed)), signed)
    return hmac.compare_digest(expected, found["signature"])


def _is_now(date: str) -> bool:
    when = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return abs(datetime.now(UTC) - when) < _CLOCK


@contextlib.contextmanager
def start_signed_runtime(background: Background, endpoint: Endpoint, keys: Keys) -> Iterator[str]:
    """The runtime API over one endpoint for these keys; gives its address, until the end of the block."""

    @web.middleware
    async def verify(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        code = keys.why_refused(request, await request.read())
        if not code:
            return await handler(request)
        keys.refused.append(code)
        text = json.dumps({"message": f"The call is refused: {code}; arn:aws:iam::111122223333:user/x"})
        headers = {"x-amzn-ErrorType": code, "Content-Type": "application/x-amz-json-1.1"}
        return web.Response(status=403, text=text, headers=headers)

    application = build_application(
        lambda name: endpoint if name == endpoint.name else None, lambda: [endpoint.name]
    )
    application.middlewares.insert(0, verify)
    stack, listening = contextlib.AsyncExitStack(), bind_loopback()
    background.run(serve_application(stack, application, listening, cancels=True))
    try:
        yield url_of(listening)
    finally:
        background.run(stack.aclose())
