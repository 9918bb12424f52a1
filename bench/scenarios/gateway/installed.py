"""Starts programs that the bench has installed, each from an environment of its own, with telemetry off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.environments import peer_version, prepare_environment
from bench.scenarios.gateway.calls import OPENAI_PATH
from bench.scenarios.gateway.peer import Place, start_on_port

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bench.scenarios.gateway.peer import Say

QUIET = {
    "DO_NOT_TRACK": "1",
    "BENTOML_DO_NOT_TRACK": "True",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOG": "ERROR",
    "LITELLM_MODE": "PRODUCTION",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_GATEWAY_API_BASE_ALLOW_PRIVATE_IPS": "true",
    "NO_COLOR": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TENSORZERO_DISABLE_PSEUDONYMOUS_USAGE_ANALYTICS": "1",
}
"""No telemetry, no downloads at the start, no calls on the terminal; MLflow may call loopback."""


def start_installed(
    name: str, program: str, arguments: list[object], port: int, place: Place
) -> AbstractContextManager[int]:
    """Starts a program of the environment `name`; yields the process id.

    Args:
        name: The environment.
        program: One of its programs.
        arguments: What the program is told.
        port: Where it will listen.
        place: Its folder, and the model behind it.
    """
    programs = prepare_environment(name, place.say)
    environment = build_environment(programs, place)
    return start_on_port([programs / program, *arguments], port, place.folder, environment=environment)


def build_environment(programs: Path, place: Place) -> Mapping[str, str]:
    """Returns the variables of such a program, whose own programs come first on the PATH."""
    return {
        **QUIET,
        "HOME": str(place.folder),
        "RAY_TMPDIR": str(place.folder),
        "PATH": f"{programs}:/usr/bin:/bin",
        "UPSTREAM": upstream_of(place),
    }


def upstream_of(place: Place) -> str:
    """Returns the URL at which the model takes calls."""
    return f"http://127.0.0.1:{place.upstream}{OPENAI_PATH}"


def find_version(name: str, say: Say, *, folder: str = "") -> dict[str, str]:
    """Returns the version of a package in the environment that is named after it, or in another one."""
    return {name: peer_version(prepare_environment(folder or name, say), name)}
