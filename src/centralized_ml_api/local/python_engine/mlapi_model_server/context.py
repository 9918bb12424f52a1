"""What a function of `inference.py` that takes a `context` gets: the part of SageMaker's that is in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Context:
    """About one call. `index` counts the requests of a batch in SageMaker's API; here there is always one, 0.

    Source: https://github.com/awslabs/multi-model-server/blob/master/mms/context.py (names and arguments)
    """

    model_name: str
    system_properties: dict[str, Any]
    request_headers: Mapping[str, str] = field(default_factory=dict)
    response_headers: dict[str, str] = field(default_factory=dict)

    def get_all_request_header(self, index: int = 0) -> dict[str, str]:
        """The request's headers that reach a model: Content-Type, Accept and those of the config."""
        del index
        return dict(self.request_headers)

    def get_request_header(self, index: int, name: str) -> str | None:
        """One of them, whatever the case of its name; None where it was not sent."""
        del index
        wanted = name.lower()
        return next((value for key, value in self.request_headers.items() if key.lower() == wanted), None)

    def set_response_header(self, index: int, name: str, value: str) -> None:
        """A header of the answer; callers see `X-Amzn-SageMaker-Custom-Attributes` alone."""
        del index
        self.response_headers[name] = value
