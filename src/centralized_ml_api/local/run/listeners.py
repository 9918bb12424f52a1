"""Listens to programs of this machine while the target serves: functions, `mlapi`, Prometheus, the gateway.

Importing this takes a fifth of a second, most of it aiohttp's server. Nothing belongs here that is needed
before the API serves.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from centralized_ml_api.local.jobs.application import build_jobs_application
from centralized_ml_api.local.machine.listen import serve_application
from centralized_ml_api.local.machine.ports import bind_loopback, url_of
from centralized_ml_api.local.run.control import build_control_application
from centralized_ml_api.local.run.endpoints import build_runtime_application
from centralized_ml_api.local.run.join_application import build_join_application
from centralized_ml_api.local.traffic.metrics import build_metrics_application
from centralized_ml_api.organizer.board_server import build_board_application

if TYPE_CHECKING:
    import socket
    from contextlib import AsyncExitStack

    from centralized_ml_api.local.run.control import Controlled
    from centralized_ml_api.local.run.endpoints import Models
    from centralized_ml_api.local.run.jobs import Jobs
    from centralized_ml_api.local.run.joining import Entrance
    from centralized_ml_api.local.run.supervisor import Supervisor
    from centralized_ml_api.local.traffic.metrics import MetricsSource
    from centralized_ml_api.organizer.board_server import BoardSource


async def listen_for_functions(stack: AsyncExitStack, models: Models, listening: socket.socket) -> None:
    """Serves SageMaker's runtime API until the stack unwinds.

    Args:
        stack: Ends the listener when it unwinds.
        models: The models that functions may call.
        listening: The socket, bound and listening.
    """
    await serve_application(stack, build_runtime_application(models), listening, cancels=True)


async def listen_to_control(
    stack: AsyncExitStack, target: Controlled, token: str, listening: socket.socket
) -> None:
    """Answers `mlapi status` and `mlapi reload`, for whoever has the token, until the stack unwinds.

    Args:
        stack: Ends the listener when it unwinds.
        target: What is shown and changed.
        token: The secret that every request has to have.
        listening: The socket, bound and listening.
    """
    await serve_application(stack, build_control_application(target, token), listening, cancels=False)


async def listen_to_gateway(
    stack: AsyncExitStack, entrance: Entrance, supervisor: Supervisor, jobs: Jobs
) -> None:
    """Hands out places to teams that join, and takes calls that are answered later, until the stack unwinds.

    Args:
        stack: Ends the serving.
        entrance: Where the gateway, which has its token, brings teams that join.
        supervisor: What is served.
        jobs: Where it brings calls that are answered later; loaded.
    """
    desk = build_join_application(entrance.open_desk(supervisor), entrance.door.token)
    await serve_application(stack, desk, entrance.socket, cancels=False)
    application = build_jobs_application(jobs.book, jobs.runner, jobs.door.token)
    await serve_application(stack, application, jobs.socket, cancels=False)  # no job is half taken


async def listen_for_prometheus(
    stack: AsyncExitStack, target: MetricsSource, listening: socket.socket
) -> None:
    """Serves the metrics until the stack unwinds.

    Args:
        stack: Ends the listener when it unwinds.
        target: What is measured.
        listening: The socket, bound and listening.
    """
    await serve_application(stack, build_metrics_application(target), listening, cancels=True)


async def listen_for_organizer(stack: AsyncExitStack, source: BoardSource) -> str:
    """Serves the organizer's screen until the stack unwinds; returns the link to it, with a new token."""
    token, listening = secrets.token_urlsafe(32), bind_loopback()
    await serve_application(stack, build_board_application(source, token), listening, cancels=False)
    return f"{url_of(listening)}/#token={token}"
