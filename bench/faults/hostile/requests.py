"""Hostile calls to the gateway: what goes on before a model is asked, and to a server that entries share."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

from bench.faults.hostile.call import (
    CLOSED,
    FORBIDDEN,
    HEADERS,
    JSON,
    KEY,
    LATE,
    SERVED,
    TOO_LARGE,
    HostileCall,
    build_json,
)
from bench.faults.hostile.chat import chat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHARED_MODEL = "org/allowed"
OTHER_MODEL = "org/other"
_V1 = "/v1/chat/completions"
_OTHERS = "reaches a model of the same server that the team may not call"
_SLOW_HEADERS = b"POST /chat HTTP/1.1\r\nHost: x\r\nX-Slow: "
_LARGE_ANSWER = 20_000_000


def _judge_model(answer: Any) -> str:
    model = answer["model"]
    return "" if OTHER_MODEL not in model else f"the model {model!r} answered"


def _refuse_at_v1(kinds: dict[str, Callable[[], bytes]]) -> Iterator[HostileCall]:
    for name, build_body in kinds.items():
        yield HostileCall(f"{name}, under /v1", "is careless", path=_V1, build_body=build_body)


def _nest(levels: int) -> bytes:
    return b'{"model": "chat", "a": ' + b"[" * levels + b"]" * levels + b"}"


_SHARED: tuple[HostileCall, ...] = (
    HostileCall(
        "name of another model of the server",
        _OTHERS,
        SERVED,
        "/shared",
        build_json(chat(model=OTHER_MODEL)),
        judge=_judge_model,
    ),
    HostileCall(
        "second key for the model", _OTHERS, path="/shared", build_body=build_json(chat(Model=OTHER_MODEL))
    ),
    HostileCall(
        "model named twice",
        _OTHERS,
        path=_V1,
        build_body=lambda: b'{"model": "shared", "messages": [], "model": "' + OTHER_MODEL.encode() + b'"}',
        right=frozenset({400, 404}),
    ),
    HostileCall(
        "model named in another case, under /v1",
        _OTHERS,
        path=_V1,
        build_body=build_json(chat(model="shared", Model=OTHER_MODEL)),
    ),
    HostileCall(
        "entry that the team may not call",
        _OTHERS,
        frozenset({FORBIDDEN}),
        _V1,
        build_json(chat(model="other")),
    ),
    HostileCall(
        "four answers of 20 MB",
        "fills memory with responses that are held",
        SERVED,
        "/shared",
        build_json(chat(bytes=_LARGE_ANSWER)),
        copies=4,
        lasts_seconds=10,
    ),
)
_SIZES: tuple[HostileCall, ...] = (
    HostileCall(
        "body over the limit",
        "fills memory with a body",
        frozenset({TOO_LARGE}),
        "/shared",
        lambda: b"{" + b" " * 8_000_000 + b"}",
    ),
    HostileCall(
        "chunks over the limit",
        "fills memory with a body without a length",
        frozenset({TOO_LARGE}),
        "/shared",
        lambda: b"{" + b" " * 8_000_000 + b"}",
        chunked=True,
    ),
    HostileCall(
        "large body without a key",
        "fills memory with a body, without a key",
        frozenset({401}),
        "/chat",
        lambda: b"{" + b" " * 5_000_000 + b"}",
        has_key=False,
    ),
    HostileCall(
        "accept header of 10 kB",
        "makes a model answer an empty 400",
        frozenset({HEADERS}),
        headers={"content-type": JSON, "accept": "a/b, " * 2_000},
    ),
    *_refuse_at_v1(
        {
            "trailing comma": lambda: b'{"model": "chat",}',
            "number that is none": lambda: b'{"model": "chat", "temperature": NaN}',
            "half of a character": lambda: b'{"model": "chat", "user": "\\ud800"}',
            "gzip": lambda: gzip.compress(b'{"model": "chat"}', mtime=0),
            "brackets of 300 kB": lambda: b"[" * 300_000,
            "brackets of 6 MB": lambda: b"[" * 6_000_000,
            "100,000 levels": lambda: _nest(100_000),
        }
    ),
)
_CONNECTIONS: tuple[HostileCall, ...] = (
    HostileCall(
        "200 silent connections",
        "takes connections from others",
        frozenset({CLOSED}),
        beginning=b"",
        copies=200,
        lasts_seconds=6,
    ),
    HostileCall(
        "headers that never end",
        "holds connections",
        frozenset({LATE}),
        beginning=_SLOW_HEADERS,
        copies=20,
        lasts_seconds=12,
    ),
    HostileCall(
        "body that never ends",
        "holds connections and memory",
        frozenset({LATE}),
        beginning=b"POST /chat HTTP/1.1\r\nHost: x\r\nX-Api-Key: %s\r\nContent-Length: 100000\r\n\r\n{" % KEY,
        copies=20,
        lasts_seconds=65,
    ),
)

REQUEST_CALLS: tuple[HostileCall, ...] = (*_SHARED, *_SIZES, *_CONNECTIONS)
