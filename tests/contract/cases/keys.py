"""With teams: who may call what, and how much. `{red}` in a header stands for the key of that team."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.openai import MODEL_NOT_FOUND
from contract.case import JSON, Case, Expected, Request, refused
from contract.cases.openai import chat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.running_gateway import Answer

TEAMS: list[Any] = [
    "red",
    {"name": "listed", "models": ["echo"]},
    {"name": "quick", "requests_per_second": 0.1, "burst": 1},
    {"name": "daily", "requests_per_day": 1},
]
"""The teams of the event."""

KEYLESS = ("/echo", "/function", "/v1/chat/completions")
UNKNOWN_KEY = "mlapi_0000000000000000000000000000000000000000000000000"


@dataclass(frozen=True)
class KeyCase:
    """A case, asked after as many calls like it as `before` says."""

    case: Case
    before: int = 0

    @property
    def name(self) -> str:
        """That of the case."""
        return self.case.name


@dataclass(frozen=True)
class NoNames:
    """All are ready, whatever they are called."""

    def check(self, answer: Answer) -> None:
        """Compares them."""
        assert answer.json == {"status": "ok"}, answer


def plain(team: str) -> dict[str, str]:
    """The key of a team in its own header."""
    return {"x-api-key": f"{{{team}}}"}


def bearer(team: str) -> dict[str, str]:
    """The key of a team as OpenAI's clients send it."""
    return {"Authorization": f"Bearer {{{team}}}"}


def with_key(request: Request, keys: Mapping[str, str]) -> Request:
    """The request with the keys that its headers name."""
    return replace(request, headers={name: one.format(**keys) for name, one in request.headers.items()})


def chat_as(headers: dict[str, str], **more: str) -> Request:
    """A chat with the model `chat`."""
    asked = chat(**more)
    return Request(asked.path, asked.body, headers={**asked.headers, **headers})


def _case(name: str, request: Request, expected: Expected, before: int = 0) -> KeyCase:
    return KeyCase(Case(name, request, expected), before)


CASES = [
    *(_case(f"{path} without a key is 401", Request(path), refused(errors.UNAUTHORIZED)) for path in KEYLESS),
    _case("a list without a key is 401", Request("/v1/models", b"", "GET"), refused(errors.UNAUTHORIZED)),
    _case(
        "a key that nobody has is 401",
        Request("/echo", headers={"x-api-key": UNKNOWN_KEY}),
        refused(errors.UNAUTHORIZED),
    ),
    *(
        _case(
            f"a 401 at {path} says how a key is sent",
            Request(path),
            refused(errors.UNAUTHORIZED, "x-api-key", "Bearer", headers={"www-authenticate": "Bearer"}),
        )
        for path in KEYLESS
    ),
    *(
        _case(f"{scheme!r} is a bearer too", chat_as({"Authorization": f"{scheme}{{red}}"}), Expected(200))
        for scheme in ("bearer ", "BEARER  ")
    ),
    _case(
        "a bearer that nobody has is 401",
        chat_as({"Authorization": f"Bearer {UNKNOWN_KEY}"}),
        refused(errors.UNAUTHORIZED),
    ),
    _case("a key opens a model", Request("/echo", headers=plain("red")), Expected(200)),
    _case("a key opens OpenAI's paths", chat_as(plain("red")), Expected(200, content_type=JSON)),
    _case("a bearer opens OpenAI's paths", chat_as(bearer("red")), Expected(200, content_type=JSON)),
    _case("a team calls what is in its list", Request("/echo", headers=plain("listed")), Expected(200)),
    _case(
        "a model outside of the team's list is 403",
        Request("/function", headers=plain("listed")),
        refused(errors.NOT_ALLOWED),
    ),
    _case(
        "a model outside of the team's list is 403 under /v1 too",
        chat_as(bearer("listed")),
        refused(errors.NOT_ALLOWED),
    ),
    _case(
        "a key opens what is below an entry",
        Request("/chat/v1/models/chat", b"", "GET", bearer("red")),
        Expected(200, content_type=JSON),
    ),
    _case(
        "what is below an entry without a key is 401",
        Request("/chat/v1/models", b"", "GET"),
        refused(errors.UNAUTHORIZED),
    ),
    *(
        _case(
            f"a model outside of the team's list is 403 below it too: {method} {path}",
            Request(path, b"{}", method, bearer("listed")),
            refused(errors.NOT_ALLOWED),
        )
        for method, path in (("POST", "/chat/v1/chat/completions"), ("GET", "/chat/v1/models"))
    ),
    _case("an alias is called with a key", chat_as(bearer("red"), model="gpt-4o-mini"), Expected(200)),
    _case(
        "an alias of a model outside of the team's list is 403",
        chat_as(bearer("listed"), model="gpt-4o-mini"),
        refused(errors.NOT_ALLOWED),
    ),
    _case(
        "an alias of a model outside of the team's list is not described",
        Request("/v1/models/gpt-4o-mini", b"", "GET", plain("listed")),
        refused(MODEL_NOT_FOUND),
    ),
    _case(
        "health needs no key, and names nothing without one",
        Request("/health", b"", "GET"),
        Expected(200, NoNames(), JSON),
    ),
    _case("a preflight needs no key", Request("/echo", b"", "OPTIONS"), Expected(204)),
    _case(
        "a team over its rate is 429",
        Request("/echo", headers=plain("quick")),
        refused(errors.TOO_MANY_REQUESTS),
        before=1,
    ),
    _case(
        "a team over its day is 429",
        Request("/echo", headers=plain("daily")),
        refused(errors.QUOTA_EXCEEDED, headers={"x-should-retry": "false"}),
        before=1,
    ),
    _case(
        "one team over its rate does not slow another",
        Request("/echo", headers=plain("red")),
        Expected(200),
    ),
]
