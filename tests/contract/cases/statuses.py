"""A model that answered 4xx or 5xx: its status and its message pass through."""

from __future__ import annotations

from contract.case import JSON, Bytes, Case, Expected, Request
from support.odd_server import REFUSAL

CASES = [
    Case(
        "a model that refuses the input keeps its status and its message",
        Request("/refuses"),
        Expected(422, Bytes(REFUSAL), JSON),
    ),
    Case(
        "a model that fails keeps its status and its message",
        Request("/breaks"),
        Expected(500, Bytes(REFUSAL), JSON),
    ),
    Case(
        "a model's message is read by callers that accept only images",
        Request("/refuses", headers={"Accept": "image/png"}),
        Expected(422, Bytes(REFUSAL), JSON),
    ),
]
