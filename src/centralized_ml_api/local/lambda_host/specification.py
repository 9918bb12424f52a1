"""What a host must know about its function; it travels through standard input because it may hold secrets."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_WORKERS = 32
IDLE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class HostSpecification:
    """One function and how to host it.

    `code` and `scratch` are absolute folders; `scratch` gets one temporary folder per worker (None: the
    system's). `environment` is what the config says. `credentials` are AWS_* variables, maybe none. `path`
    is the PATH of the workers. `idle_seconds` is how long a worker that is not the last one is kept unused.
    """

    name: str
    code: str
    handler: str
    timeout_seconds: int
    memory_mib: int
    endpoint_name: str
    runtime_url: str
    model_speaks: str
    port: int
    region: str
    path: str
    scratch: str | None = None
    layers: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    max_workers: int = MAX_WORKERS
    idle_seconds: float = IDLE_SECONDS

    @property
    def function_arn(self) -> str:
        """The ARN that the function reads from its context; the account is nobody's."""
        return f"arn:aws:lambda:{self.region}:000000000000:function:{self.name}"

    def to_json(self) -> bytes:
        """The specification as the host reads it."""
        return json.dumps(dataclasses.asdict(self)).encode()


def read_specification(text: bytes) -> HostSpecification:
    """The specification that `to_json` wrote.

    Raises:
        ValueError: the text is not JSON.
        TypeError: a field is missing or unknown.
    """
    fields: dict[str, Any] = json.loads(text)
    fields["layers"] = tuple(fields.get("layers", ()))
    return HostSpecification(**fields)
