"""Reads a response from a connection, and says whether an error has the contract's shape."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_FIELDS = {"message", "type", "code", "request_id"}
_MORE_FIELDS = {"param"}
"""What the translator adds, as OpenAI's API does."""
_FIRST_ERROR = 400
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP response; header names are lowercase."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_error(self) -> bool:
        """4xx or 5xx."""
        return self.status >= _FIRST_ERROR

    @property
    def is_server_error(self) -> bool:
        """5xx."""
        return self.status >= _SERVER_ERROR

    @property
    def closes(self) -> bool:
        """Whether the server closes the connection after this response."""
        return self.headers.get("connection", "").lower() == "close"

    @property
    def is_readable(self) -> bool:
        """Whether browsers and the SDKs can show the error: a model's too, which has an id of its own."""
        return bool(self._read_error())

    @property
    def has_message(self) -> bool:
        """Whether it says what is wrong, as model servers do in words and codes of their own."""
        try:
            return bool(json.loads(self.body)["error"]["message"])
        except (ValueError, TypeError, KeyError):
            return False

    @property
    def is_readable_by_anthropic(self) -> bool:
        """Whether the SDKs of Anthropic's API can show the error."""
        try:
            whole = json.loads(self.body)
            return bool(whole["type"] == "error" and whole["error"]["type"] and whole["error"]["message"])
        except (ValueError, TypeError, KeyError):
            return False

    @property
    def in_shape(self) -> bool:
        """Whether browsers and the SDKs can show the error, and its id is the one in the log."""
        return self.is_readable and self.headers.get("x-request-id") == self._read_error()["request_id"]

    def _read_error(self) -> dict[str, str]:
        """Returns the fields of an error; none if they are not those of the contract, or its headers lack."""
        try:
            error: dict[str, str] = json.loads(self.body)["error"]
        except (ValueError, TypeError, KeyError):
            return {}
        headers = ("content-type", "access-control-allow-origin")
        is_ours = [self.headers.get(name) for name in headers] == ["application/json", "*"]
        is_error = isinstance(error, dict) and error.keys() - _MORE_FIELDS == _FIELDS
        return error if is_ours and is_error else {}


def read_answer(raw: bytes) -> Answer | None:
    """Returns the response at the start of `raw`; None if it is incomplete or missing."""
    raw = raw.removeprefix(_CONTINUE)
    head, blank, body = raw.partition(b"\r\n\r\n")
    if not blank or not head.startswith(b"HTTP/1."):
        return None
    length = _LENGTH.search(head + b"\r\n")
    whole = len(body) >= int(length[1]) if length else _is_whole(head, body)
    if not whole:
        return None
    lines = [line.partition(": ") for line in head.decode("latin-1").split("\r\n")[1:]]
    headers = {name.lower(): value for name, _, value in lines}
    return Answer(int(head[9:12]), headers, body[: int(length[1])] if length else body)


def _is_whole(head: bytes, body: bytes) -> bool:
    """Returns whether a response without a length is complete: it has no body, or its last chunk is there."""
    return head[9:12] == b"204" or body.endswith(b"0\r\n\r\n")
