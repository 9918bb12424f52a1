"""From a spec to the service that runs it: which kind of server, where its weights come from."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.lambda_host import FunctionServer
from centralized_ml_api.local.python_engine import find_model_folder, prepare_environment
from centralized_ml_api.local.run.specs import FunctionSpec, ModelSpec, ServiceSpec
from centralized_ml_api.local.servers import (
    CommandServer,
    LlamaCppServer,
    PythonServer,
    build_environment,
    build_python_environment,
    parse_url,
    why_not_here,
)
from centralized_ml_api.local.servers.sagemaker import AwsAccess
from centralized_ml_api.local.supervision.probe import Prober
from centralized_ml_api.local.supervision.replica import Timeouts
from centralized_ml_api.local.supervision.sagemaker_service import SageMakerService
from centralized_ml_api.local.supervision.service import ExternalService, ReplicatedService, Service
from centralized_ml_api.local.weights import Progress, fetch_weights, render_bytes
from centralized_ml_api.plan.types import (
    CommandServing,
    LlamaCppServing,
    PythonServing,
    SageMakerServing,
    UrlServing,
)

if TYPE_CHECKING:
    from centralized_ml_api.config.weights import Weights
    from centralized_ml_api.local.launch import Server
    from centralized_ml_api.local.supervision.process import ServerLog

Say = Callable[[str], None]
T = TypeVar("T")

DEFAULT_TIMEOUTS = Timeouts()

FUNCTION_START_SECONDS = 75.0
"""How long a function may take to be imported; its host gives up after 60 and says why, before we would."""


@dataclass(frozen=True, slots=True)
class ServiceFactory:
    """Makes services. `runtime_url` is where functions find the models, `scratch` where they may write."""

    logs: Path
    scratch: Path
    prober: Prober
    runtime_url: str
    timeouts: Timeouts = DEFAULT_TIMEOUTS

    def make(self, spec: ServiceSpec, changed: Callable[[], None]) -> Service:
        """The service of a spec, not yet running; `changed` is called after each change of its report."""
        if isinstance(spec, FunctionSpec):
            return self._function(spec, changed)
        serving = spec.local.serving
        if isinstance(serving, UrlServing):
            target = parse_url(serving)
            return ExternalService(target.host, target.port, target.ping_url, self.prober, changed)
        if isinstance(serving, SageMakerServing):
            return SageMakerService(AwsAccess(serving.region), self.scratch, self.runtime_url, changed)
        return self._replicated(
            spec.name, lambda say, log: prepare_model(spec, say, log), spec.local.replicas, changed
        )

    def _function(self, spec: FunctionSpec, changed: Callable[[], None]) -> Service:
        server = FunctionServer(
            function=spec.function,
            name=spec.entry,
            endpoint_name=spec.endpoint_name,
            runtime_url=self.runtime_url,
            model_speaks=spec.model_speaks,
            scratch=self.scratch,
        )

        async def prepare(_: Say, __: ServerLog) -> Server:
            return server

        timeouts = Timeouts(FUNCTION_START_SECONDS, self.timeouts.probe, self.timeouts.silence)
        return self._replicated(spec.name, prepare, 1, changed, timeouts)

    def _replicated(
        self,
        name: str,
        prepare: Callable[[Say, ServerLog], Awaitable[Server]],
        replicas: int,
        changed: Callable[[], None],
        timeouts: Timeouts | None = None,
    ) -> Service:
        return ReplicatedService(
            name,
            prepare,
            replicas=replicas,
            logs=self.logs,
            prober=self.prober,
            changed=changed,
            timeouts=timeouts or self.timeouts,
        )


async def prepare_model(spec: ModelSpec, say: Say, log: ServerLog) -> Server:
    """The server of a model, its weights fetched and its packages installed; `say` hears how far that is.

    Raises:
        WeightsError: the weights cannot be had.
        StartError: the program is not here, or the packages cannot be installed: `log` has what was said.
    """
    serving = spec.local.serving
    environment = build_environment(os.environ, spec.local.environment)
    cwd = spec.folders[0]
    if isinstance(serving, LlamaCppServing):
        path = await fetch(serving.weights, spec.folders, say)
        return LlamaCppServer(path, serving.context, spec.name, environment, cwd)
    if isinstance(serving, CommandServing):
        missing = why_not_here(serving, environment, cwd)
        if missing:
            raise StartError(missing, fix="install it, or correct `run`")
        return CommandServer(serving, environment, cwd)
    if isinstance(serving, PythonServing):
        return await _prepare_python(spec, serving, say, log)
    raise StartError(f'the engine "{serving.engine}" is not served on this machine')


async def _prepare_python(spec: ModelSpec, serving: PythonServing, say: Say, log: ServerLog) -> Server:
    python = await _in_thread(
        lambda say, cancelled: prepare_environment(serving.code, say=say, log=log.write, cancelled=cancelled),
        say,
    )
    weights = await fetch(serving.weights, spec.folders, say) if serving.weights else serving.code
    environment = build_python_environment(os.environ, spec.local.environment)
    return PythonServer(serving.code, find_model_folder(weights), spec.name, python, environment)


async def fetch(weights: Weights, folders: tuple[Path, ...], say: Say) -> Path:
    """Fetches weights; `say` hears how far that is."""
    return await _in_thread(
        lambda say, cancelled: fetch_weights(
            weights, folders=folders, progress=lambda now: say(render_progress(now)), cancelled=cancelled
        ),
        say,
    )


async def _in_thread(work: Callable[[Say, threading.Event], T], say: Say) -> T:
    """Runs work that blocks; when this is cancelled, the work's event is set, and its thread has ended."""
    loop = asyncio.get_running_loop()
    cancelled = threading.Event()

    def say_there(words: str) -> None:
        loop.call_soon_threadsafe(say, words)

    running = asyncio.ensure_future(asyncio.to_thread(work, say_there, cancelled))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        cancelled.set()
        await asyncio.wait({running})
        running.exception()  # that the work was cancelled is no news
        raise


def render_progress(now: Progress) -> str:
    """Such as `downloading weights: 12.3 MB of 93.8 MB (13%)`."""
    words = {
        "waiting": "waiting for another process that fetches the same weights",
        "downloading": "downloading weights",
        "unpacking": "unpacking weights",
        "verifying": "verifying weights",
    }[now.stage]
    if now.total_bytes:
        share = f"{now.done_bytes / now.total_bytes:.0%}"
        return f"{words}: {render_bytes(now.done_bytes)} of {render_bytes(now.total_bytes)} ({share})"
    return f"{words}: {render_bytes(now.done_bytes)}" if now.done_bytes else words
