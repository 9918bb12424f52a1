"""Programs that people put in front of models: each in its own environment, with telemetry off."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bench.environments import PEERS, peer_version, prepare_environment
from bench.processes import free_port
from bench.scenarios.gateway.calls import KEY, OPENAI_PATH, build_call
from bench.scenarios.gateway.peer import Peer, Place, Running, start_on_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

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
}
"""No telemetry, no downloads at the start, no calls on the terminal; MLflow may call loopback."""

_WARM_SECONDS = 5
"""Their initialisation continues for seconds after the first call."""


@contextlib.contextmanager
def start_litellm(place: Place) -> Iterator[Running]:
    """Starts LiteLLM with one model and one key, without a database."""
    port, file = free_port(), place.fill("litellm/config.yaml", key=KEY)
    arguments = ["--config", file, "--host", "127.0.0.1", "--port", port]
    with _start("litellm", "litellm", arguments, port, place) as pid:
        yield Running(build_call(port, OPENAI_PATH, KEY), pid)


@contextlib.contextmanager
def start_mlflow(place: Place) -> Iterator[Running]:
    """Starts MLflow with one endpoint."""
    port, file = free_port(), place.fill("mlflow/config.yaml")
    arguments = ["gateway", "start", "--config-path", file, "--port", port, "--workers", 1]
    with _start("mlflow", "mlflow", arguments, port, place) as pid:
        yield Running(build_call(port, OPENAI_PATH), pid)


@contextlib.contextmanager
def start_bentoml(place: Place) -> Iterator[Running]:
    """Starts the service of `peers/bentoml` with one worker."""
    port = free_port()
    arguments = [
        "serve",
        "service:Forward",
        "--working-dir",
        PEERS / "bentoml",
        "--host",
        "127.0.0.1",
        "--port",
        port,
    ]
    with _start("bentoml", "bentoml", arguments, port, place) as pid:
        yield Running(build_call(port, "/model"), pid)


@contextlib.contextmanager
def start_ray(place: Place) -> Iterator[Running]:
    """Starts the deployment of `peers/ray` with one replica."""
    port = free_port()
    arguments = [PEERS / "ray/deployment.py", port, _upstream(place)]
    with _start("ray", "python", arguments, port, place) as pid:
        yield Running(build_call(port, "/model"), pid)


def _start(
    name: str, program: str, arguments: list[object], port: int, place: Place
) -> AbstractContextManager[int]:
    """Starts a program of the environment `name`, whose own programs come first on the PATH."""
    programs = prepare_environment(name, place.say)
    environment = {
        **QUIET,
        "HOME": str(place.folder),
        "RAY_TMPDIR": str(place.folder),
        "PATH": f"{programs}:/usr/bin:/bin",
        "UPSTREAM": _upstream(place),
    }
    return start_on_port([programs / program, *arguments], port, place.folder, environment=environment)


def _upstream(place: Place) -> str:
    return f"http://127.0.0.1:{place.upstream}{OPENAI_PATH}"


def _version(name: str, say: Say) -> dict[str, str]:
    return {name: peer_version(prepare_environment(name, say), name)}


LITELLM = Peer(
    "LiteLLM proxy",
    "one OpenAI model, one key, no database, production settings",
    start_litellm,
    lambda say: _version("litellm", say),
    keyed=True,
    warm_seconds=_WARM_SECONDS,
)
MLFLOW = Peer(
    "MLflow gateway",
    "one OpenAI endpoint; no keys, no limits",
    start_mlflow,
    lambda say: _version("mlflow", say),
    warm_seconds=_WARM_SECONDS,
)
BENTOML = Peer(
    "BentoML",
    "[a service](../../bench/peers/bentoml/service.py) that calls the model; no keys, no limits",
    start_bentoml,
    lambda say: _version("bentoml", say),
    warm_seconds=_WARM_SECONDS,
)
RAY = Peer(
    "Ray Serve",
    "[a deployment](../../bench/peers/ray/deployment.py) that calls the model; no keys, no limits",
    start_ray,
    lambda say: _version("ray", say),
    warm_seconds=_WARM_SECONDS,
)
