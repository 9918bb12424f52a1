"""Decides which headers pass, as Envoy's header mutations. Envoy has all names in lower case."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.error_shape import RETRY_AFTER_SECONDS
from centralized_ml_api.api.http import CORS_HEADERS, MODEL_STATE_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable

OWN_REPLY_HEADER = "x-mlapi-own-reply"
"""Marks what the translator gets or gives that no model server has answered, with Envoy's response flags.

The translator's own answers have `-`, for none, where the server may have worked.
"""

ENDING_HEADER = "x-mlapi-ending"
"""Tells whoever calls in the place of a caller how a call ended."""

UNTAKEN_HEADER = "x-mlapi-untaken"
"""Tells, with the error of the last of several entries, that no server has got the call from any of them."""

SERVED_BY_HEADER = "x-served-by"
HIDES_USAGE_HEADER = "x-mlapi-hides-usage"
"""Name the entry among several that has answered, and tell that callers must not see the event of tokens."""

REQUEST_ID = "req-%START_TIME(%s%9f)%-%CONNECTION_ID%"
"""Identifies a request: when it began, to the nanosecond, and on which connection.

Envoy's own UUID is in a request header. Once that is kept from the model it is gone for the log and the
response too, and a request that is too broken to have headers never has one. This format always has a value,
the same wherever it is written.
"""

REQUEST_ID_HEADER = "x-request-id"
RESPONSE_HEADERS: tuple[tuple[str, str], ...] = ((REQUEST_ID_HEADER, REQUEST_ID), *CORS_HEADERS)
"""On every response, error or not."""

ALWAYS_PASS = ("accept", "content-type")
"""The headers of requests that every model gets."""

KEPT_ID_HEADER = "x-mlapi-kept-id"
"""The request's id on a response of which a script must know it; no caller gets this header.

The route sets it, whatever a server sent. Envoy's own replies on such a route have the id in `x-request-id`
too, which no server can: none is told it.
"""

_REQUEST_FRAMING = ("content-length", "host", "transfer-encoding")
"""HTTP itself needs these; `host` is rewritten, and cannot be removed."""

ATTEMPT_HEADER = "x-mlapi-attempt"
"""Marks the call of one entry among several: it goes to this entry, and to no other one."""

PATH_HEADER = "x-mlapi-path"
"""The path of a request without its query: a tree of routes looks up whole headers."""

SET_PATH = {
    "append": {
        "header": {"key": PATH_HEADER, "value": "%PATH(NQ:PATH)%"},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
}
"""A mutation that sets it, before a route is chosen."""

REMOVED_BY_ROUTE = ("x-forwarded-proto", ATTEMPT_HEADER)
ENVOY_NEEDS = (*REMOVED_BY_ROUTE, PATH_HEADER)
"""Removed later, by the route or the whole table: Envoy finds no route without them, or another one."""

_RESPONSE_ALLOWED = (
    "allow",
    "content-length",
    "content-type",
    "date",
    "retry-after",
    "transfer-encoding",
    "www-authenticate",  # the gateway's own: see `MODEL_HEADERS_DROPPED`
    "x-amzn-sagemaker-custom-attributes",
    MODEL_STATE_HEADER,
    "x-should-retry",
)
MODEL_HEADERS_DROPPED = ("www-authenticate", MODEL_STATE_HEADER)
"""Dropped where a model's response arrives: a browser would ask its user for a password, and what the model
does is ours to say.
"""

_PSEUDO_HEADERS = (":authority", ":method", ":path", ":protocol", ":scheme", ":status")

OVERWRITE = "OVERWRITE_IF_EXISTS_OR_ADD"
IF_ABSENT = "ADD_IF_ABSENT"
APPEND = "APPEND_IF_EXISTS_OR_ADD"
IF_PRESENT = "OVERWRITE_IF_EXISTS"


def build_header(name: str, value: str, action: str = OVERWRITE) -> dict[str, Any]:
    """Builds a `HeaderValueOption`, which routes, local replies and mutations share. Pure.

    Args:
        name: The header's name.
        value: Its value, a format string of Envoy.
        action: What happens if the header is there already.
    """
    return {"header": {"key": name, "value": value}, "append_action": action}


JSON_CONTENT_TYPE = build_header("content-type", "application/json")
"""Declares the body JSON, whatever the caller declared."""

SET_REQUEST_ID = {"append": build_header(REQUEST_ID_HEADER, REQUEST_ID)}
"""A mutation that sets the request's id, whatever the caller, or a function, set."""


def build_retry_after() -> dict[str, Any]:
    """Builds the header that goes with every 503. Pure."""
    return build_header("retry-after", str(RETRY_AFTER_SECONDS))


def build_response_headers() -> list[dict[str, Any]]:
    """Builds what every response carries, replacing whatever an upstream set. Pure."""
    return [build_header(name, value) for name, value in RESPONSE_HEADERS]


def build_request_mutations(configured: Iterable[str]) -> list[dict[str, Any]]:
    """Lets only Content-Type, Accept and the configured headers pass; Content-Type is always there. Pure."""
    allowed = (*ALWAYS_PASS, *_REQUEST_FRAMING, *ENVOY_NEEDS, *configured)
    return [
        _remove_all_but(allowed),
        {"append": build_header("content-type", "application/json", IF_ABSENT)},
    ]


def build_function_request_mutations() -> list[dict[str, Any]]:
    """Shows a function the call as API Gateway would, with the caller at the end of X-Forwarded-For. Pure.

    Envoy's own X-Forwarded-For has an address of this machine if the caller is on loopback.
    """
    forwarded = build_header("x-forwarded-for", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", APPEND)
    return [
        {"remove_on_match": {"key_matcher": {"prefix": "x-envoy-"}}},
        {"append": forwarded},
        SET_REQUEST_ID,
    ]


def build_response_mutations(more: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Lets only the contract's response headers pass, and `more` of them. Pure.

    The API's own headers are added after the removal, by the same filter, which also sees the errors that
    Envoy makes for the route: the model's CORS headers cannot double them.
    """
    own = ({"append": header} for header in build_response_headers())
    return [_remove_all_but((*_RESPONSE_ALLOWED, *more)), *own]


def build_function_response_mutations() -> list[dict[str, Any]]:
    """Keeps a function's own headers, CORS included, but not those that concern the gateway. Pure."""
    cors = ({"append": build_header(name, value, IF_ABSENT)} for name, value in CORS_HEADERS)
    return [
        {"remove": "server"},
        {"remove_on_match": {"key_matcher": {"prefix": "x-envoy-"}}},
        SET_REQUEST_ID,
        *cors,
    ]


def _remove_all_but(names: Iterable[str]) -> dict[str, Any]:
    pattern = _build_pattern((*_PSEUDO_HEADERS, *(name.lower() for name in names)))
    return {"remove_on_match": {"key_matcher": {"safe_regex": {"regex": pattern}}}}


LIST_MARK = '"remove_on_match":{"key_matcher":{"safe_regex"'
"""How a list of headers that pass begins in the text of a table."""


@lru_cache(maxsize=256)  # each model has several routes, and each change builds all of them
def _build_pattern(names: tuple[str, ...]) -> str:
    return build_complement_regex(names)


def build_complement_regex(names: Iterable[str]) -> str:
    """Builds a pattern that fully matches exactly the strings that are not in `names`. Pure.

    Envoy removes the headers whose name matches, and its regular expressions (RE2) have no lookahead. So the
    complement is written out along the trie of the names: a string either leaves the trie, by a character
    with which no name goes on, or ends within it. What may follow that character is said once: said at every
    node it would take a third more memory.
    Source: https://github.com/google/re2/wiki/Syntax
    """
    ordered = sorted(set(names))
    ends_within = _end_within(ordered)
    return f"(?s:{_leave(ordered)}.*{'' if ends_within is None else f'|{ends_within}'})"


def _leave(suffixes: list[str]) -> str:
    """Builds what leaves the trie at a node, from the sorted suffixes of its names, or below it."""
    by_first = _group_by_first(suffixes)
    if not by_first:
        return "."
    others = f"[^{''.join(map(re.escape, by_first))}]"
    along = (f"{re.escape(first)}{_leave(rests)}" for first, rests in by_first.items())
    return f"(?:{'|'.join([others, *along])})"


def _end_within(suffixes: list[str]) -> str | None:
    """Builds what ends at a node, or below it, and is no name; None if nothing does."""
    below = ((first, _end_within(rests)) for first, rests in _group_by_first(suffixes).items())
    ends = [f"{re.escape(first)}{rest}" for first, rest in below if rest is not None]
    if "" not in suffixes:
        ends.append("")
    return f"(?:{'|'.join(ends)})" if ends else None


def _group_by_first(suffixes: list[str]) -> dict[str, list[str]]:
    """Returns the rests of suffixes by their first character."""
    by_first: dict[str, list[str]] = {}
    for suffix in filter(None, suffixes):
        by_first.setdefault(suffix[0], []).append(suffix[1:])
    return by_first
