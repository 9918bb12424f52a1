"""The host of a function as the supervisor starts it, and what it reads from its standard input."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from centralized_ml_api.local.launch import Launch
from centralized_ml_api.plan.types import FunctionPlan
from centralized_ml_api.record import record

DEFAULT_REGION = "us-east-1"
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
MAX_WORKERS = 32
IDLE_SECONDS = 300.0


def why_not_here(function: FunctionPlan) -> str | None:
    """Returns why one machine cannot run the function, as a message for the caller; None if it can. Pure."""
    if function.runtime.startswith("python"):
        return None
    return (
        f"this function is written for {function.runtime}, but one machine runs only Python functions: "
        'deploy it to AWS, or rewrite it in Python and change "runtime"'
    )


@record
class HostSpecification:
    """One function and how to host it; travels through standard input because it may hold secrets.

    `code` and `scratch` are absolute paths of folders. Each worker gets a temporary folder in `scratch`
    (None: in the system's). `environment` is the config's. `credentials` are AWS_* variables, and may be
    empty. `path` is the PATH of the workers. A worker that was idle for `idle_seconds` is ended unless it is
    the last.
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
        """The ARN that the function finds in its context, with an account that does not exist."""
        return f"arn:aws:lambda:{self.region}:000000000000:function:{self.name}"

    def to_json(self) -> bytes:
        """Returns the specification as `read_specification` reads it."""
        return json.dumps(dataclasses.asdict(self)).encode()


def read_specification(text: bytes) -> HostSpecification:
    """Returns the specification that `HostSpecification.to_json` wrote. Pure.

    Raises:
        ValueError: The text is not JSON.
        TypeError: A field is missing or unknown.
    """
    fields: dict[str, Any] = json.loads(text)
    fields["layers"] = tuple(fields.get("layers", ()))
    return HostSpecification(**fields)


@record
class FunctionServer:
    """The host of the function of the entry `name`: a `Server` of `local/launch.py`.

    `runtime_url` is the address of the SageMaker runtime listener, `model_speaks` the format of the model
    behind `endpoint_name`. Of `inherited`, the supervisor's environment, only PATH, the region and the
    credentials are used. `scratch` is a folder for temporary files (None: the system's).
    """

    function: FunctionPlan
    name: str
    endpoint_name: str
    runtime_url: str
    model_speaks: str
    inherited: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    scratch: Path | None = None
    max_workers: int = MAX_WORKERS
    idle_seconds: float = IDLE_SECONDS

    @property
    def ping_path(self) -> str:
        """The path that answers 200 once a worker has imported the function."""
        return "/ping"

    @property
    def work_path(self) -> str | None:
        """None: the host replaces a worker that takes too long."""
        return None

    def launch(self, port: int) -> Launch:
        """Returns the host process; `-I` keeps it from importing the function's modules. Pure."""
        return Launch(
            argv=(sys.executable, "-I", "-m", "centralized_ml_api.local.lambda_host"),
            environment={"PATH": self._path, "LANG": "C.UTF-8"},
            cwd=self.function.code,
            stdin=self._specification(port).to_json(),
        )

    def _specification(self, port: int) -> HostSpecification:
        region = self.inherited.get("AWS_REGION") or self.inherited.get("AWS_DEFAULT_REGION")
        return HostSpecification(
            name=self.name,
            code=str(self.function.code),
            handler=self.function.handler,
            timeout_seconds=self.function.timeout_seconds,
            memory_mib=self.function.memory_mib,
            endpoint_name=self.endpoint_name,
            runtime_url=self.runtime_url,
            model_speaks=self.model_speaks,
            port=port,
            region=region or DEFAULT_REGION,
            path=self._path,
            scratch=str(self.scratch) if self.scratch else None,
            layers=self.function.layers,
            environment=dict(self.function.environment),
            credentials={name: self.inherited[name] for name in CREDENTIALS if name in self.inherited},
            max_workers=self.max_workers,
            idle_seconds=self.idle_seconds,
        )

    @property
    def _path(self) -> str:
        return self.inherited.get("PATH") or os.defpath
