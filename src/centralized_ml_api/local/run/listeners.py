"""What programs of this machine ask while the target serves: functions, `mlapi` itself, Prometheus.

Importing this takes a fifth of a second, most of it aiohttp's server; nothing that must be there before the
models are started belongs here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.local.machine.listen import serve_application
from centralized_ml_api.local.run.control import build_control_application
from centralized_ml_api.local.run.endpoints import build_runtime_application
from centralized_ml_api.local.traffic.metrics import build_metrics_application

if TYPE_CHECKING:
    import socket
    from contextlib import AsyncExitStack

    from centralized_ml_api.local.run.serve import LocalTarget
    from centralized_ml_api.local.run.supervisor import Supervisor


async def listen_for_functions(
    stack: AsyncExitStack, supervisor: Supervisor, listening: socket.socket
) -> None:
    """SageMaker's runtime API, until the stack unwinds."""
    await serve_application(stack, build_runtime_application(supervisor), listening, cancels=True)


async def listen_to_control(
    stack: AsyncExitStack, target: LocalTarget, token: str, listening: socket.socket
) -> None:
    """`mlapi status`, `mlapi reload` and `mlapi down`, for whoever has the token."""
    await serve_application(stack, build_control_application(target, token), listening, cancels=False)


async def listen_for_prometheus(stack: AsyncExitStack, target: LocalTarget, listening: socket.socket) -> None:
    """What there are metrics of."""
    await serve_application(stack, build_metrics_application(target), listening, cancels=True)
