"""What a response must be where the targets differ."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.api import error_shape as errors
from contract.streams import EVENTS, StreamAnswer

if TYPE_CHECKING:
    from support.running_gateway import Answer

CENTURY = 946_684_800


@dataclass(frozen=True)
class With:
    """The Lambda event of a function has this header."""

    header: str

    def check(self, answer: Answer) -> None:
        """Asserts it."""
        assert self.header in {name.lower() for name in answer.json["headers"]}


@dataclass(frozen=True)
class Without:
    """The Lambda event of a function does not have this header."""

    header: str

    def check(self, answer: Answer) -> None:
        """Asserts it."""
        assert self.header not in {name.lower() for name in answer.json["headers"]}


@dataclass(frozen=True)
class AnthropicError:
    """An error of this type, in the shape of Anthropic's API."""

    type: str

    def check(self, answer: Answer) -> None:
        """Asserts it."""
        document = json.loads(answer.body)
        said = {"type": self.type, "message": document["error"]["message"]}
        assert document == {"type": "error", "error": said, "request_id": answer.header("x-request-id")}


@dataclass(frozen=True)
class Created:
    """The time of each model is that of this century, or none."""

    known: bool

    def check(self, answer: Answer) -> None:
        """Asserts it."""
        for model in answer.json["data"]:
            assert (model["created"] > CENTURY) is self.known, model


@dataclass(frozen=True)
class Catalogued:
    """The catalogue has these entries, in any order."""

    names: tuple[str, ...]

    def check(self, answer: Answer) -> None:
        """Asserts it."""
        assert {model["name"] for model in answer.json["models"]} == set(self.names)


@dataclass(frozen=True)
class BreaksOff:
    """The stream's first event; then the connection closes without HTTP's end of the body."""

    def check(self, answer: Answer) -> None:
        """Asserts it."""
        assert isinstance(answer, StreamAnswer)
        assert (answer.body, answer.ended) == (EVENTS[0], False)


@dataclass(frozen=True)
class EndsInError:
    """The stream's first event, the error as the last, and HTTP's end of the body."""

    error: errors.ApiError

    def check(self, answer: Answer) -> None:
        """Asserts it."""
        assert isinstance(answer, StreamAnswer)
        assert answer.body.startswith(EVENTS[0]), answer
        assert answer.ended, "HTTP's own end is missing"
        said = json.loads(answer.body.removeprefix(EVENTS[0]).removeprefix(b"data: "))["error"]
        assert (said["type"], said["code"]) == (self.error.type, self.error.code), said
