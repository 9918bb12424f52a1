"""Which models can answer now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.api import error_shape as errors
from contract.api import ASLEEP, AWAY, DOWN, MODELS, NOWHERE, UNREACHABLE
from contract.case import JSON, Bytes, Case, Expected, Request, refused

if TYPE_CHECKING:
    from support.running_gateway import Answer

_READ = {"allow": "GET, HEAD, OPTIONS"}
_WAIT = {"retry-after": str(errors.RETRY_AFTER_SECONDS)}


@dataclass(frozen=True)
class Health:
    """All but four are ready or asleep, and these are named with a reason, in the error too."""

    def check(self, answer: Answer) -> None:
        """Compares them."""
        assert answer.json.keys() == {"error", "status", "ready", "unready", "asleep"}, answer
        assert answer.json["asleep"] == dict.fromkeys(ASLEEP, "asleep"), answer
        assert answer.json["status"] == "unready", answer
        assert answer.json["unready"].keys() == {AWAY, DOWN, NOWHERE, UNREACHABLE}, answer
        assert set(MODELS) <= set(answer.json["ready"]), answer
        assert answer.json["ready"] == sorted(answer.json["ready"]), "they are in the order of their names"
        reasons = "; ".join(f"{name} ({reason})" for name, reason in answer.json["unready"].items())
        assert (answer.error["code"], answer.error["message"]) == (
            errors.MODEL_NOT_READY.code,
            f"Not ready: {reasons}.",
        )
        assert answer.error["request_id"] == answer.header("x-request-id")


CASES = [
    Case(
        "health names the model that is not ready",
        Request("/health", b"", "GET"),
        Expected(503, Health(), JSON, _WAIT),
    ),
    Case(
        "HEAD of health is GET without the body",
        Request("/health", b"", "HEAD"),
        Expected(503, Bytes(b""), JSON, _WAIT),
    ),
    *(
        Case(
            f"another method is 405 with Allow: {method} /health",
            Request("/health", method=method),
            refused(errors.METHOD_NOT_ALLOWED, headers=_READ),
        )
        for method in ("POST", "PUT", "DELETE")
    ),
    Case("a preflight succeeds: /health", Request("/health", b"", "OPTIONS"), Expected(204)),
]
