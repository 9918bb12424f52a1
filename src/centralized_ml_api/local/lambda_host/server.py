"""The host as the supervisor starts it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from centralized_ml_api.local.lambda_host.specification import IDLE_SECONDS, MAX_WORKERS, HostSpecification
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.plan.types import FunctionPlan

DEFAULT_REGION = "us-east-1"
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def why_not_here(function: FunctionPlan) -> str | None:
    """Why one machine cannot run the function, as a message for the caller; None when it can. Pure."""
    if function.runtime.startswith("python"):
        return None
    return (
        f"this function is written for {function.runtime}, and one machine runs Python functions only: "
        'deploy it to AWS, or set "runtime" to a Python and rewrite it'
    )


@dataclass(frozen=True, slots=True)
class FunctionServer:
    """Hosts the function of the entry `name`: a `Server` of `local/launch.py`.

    `runtime_url` is the SageMaker runtime listener, `model_speaks` what the model server behind
    `endpoint_name` understands. Of `inherited`, the supervisor's environment, only PATH, the region and the
    credential keys are used. `scratch` is a folder for temporary files (None: the system's).
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
        """Answers 200 once a worker has imported the function."""
        return "/ping"

    def launch(self, port: int) -> Launch:
        """The host process. Isolated from the folder it runs in, whose modules are the function's."""
        return Launch(
            argv=(sys.executable, "-I", "-m", "centralized_ml_api.local.lambda_host"),
            environment={"PATH": self._path, "LANG": "C.UTF-8"},
            cwd=self.function.code,
            stdin=self.specification(port).to_json(),
        )

    def specification(self, port: int) -> HostSpecification:
        """What the host process reads from its standard input."""
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
            region=self._region,
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

    @property
    def _region(self) -> str:
        return self.inherited.get("AWS_REGION") or self.inherited.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
