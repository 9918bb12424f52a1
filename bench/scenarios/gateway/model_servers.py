"""Programs that people put in front of models, written in Python."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bench.environments import PEERS
from bench.processes import free_port
from bench.scenarios.gateway.calls import KEY, OPENAI_PATH, build_call
from bench.scenarios.gateway.installed import find_version, start_installed, upstream_of
from bench.scenarios.gateway.peer import Peer, Place, Running

if TYPE_CHECKING:
    from collections.abc import Iterator

_WARM_SECONDS = 5
"""Their initialisation continues for seconds after the first call."""


@contextlib.contextmanager
def start_litellm(place: Place) -> Iterator[Running]:
    """Starts LiteLLM with one model and one key, without a database."""
    port, file = free_port(), place.fill("litellm/config.yaml", key=KEY)
    arguments = ["--config", file, "--host", "127.0.0.1", "--port", port]
    with start_installed("litellm", "litellm", arguments, port, place) as pid:
        yield Running(build_call(port, OPENAI_PATH, KEY), pid)


@contextlib.contextmanager
def start_mlflow(place: Place) -> Iterator[Running]:
    """Starts MLflow with one endpoint."""
    port, file = free_port(), place.fill("mlflow/config.yaml")
    arguments = ["gateway", "start", "--config-path", file, "--port", port, "--workers", 1]
    with start_installed("mlflow", "mlflow", arguments, port, place) as pid:
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
    with start_installed("bentoml", "bentoml", arguments, port, place) as pid:
        yield Running(build_call(port, "/model"), pid)


@contextlib.contextmanager
def start_ray(place: Place) -> Iterator[Running]:
    """Starts the deployment of `peers/ray` with one replica."""
    port = free_port()
    arguments = [PEERS / "ray/deployment.py", port, upstream_of(place)]
    with start_installed("ray", "python", arguments, port, place) as pid:
        yield Running(build_call(port, "/model"), pid)


LITELLM = Peer(
    "LiteLLM proxy",
    "one OpenAI model, one key, no database, production settings",
    start_litellm,
    lambda say: find_version("litellm", say),
    keyed=True,
    warm_seconds=_WARM_SECONDS,
)
MLFLOW = Peer(
    "MLflow gateway",
    "one OpenAI endpoint; no keys, no limits",
    start_mlflow,
    lambda say: find_version("mlflow", say),
    warm_seconds=_WARM_SECONDS,
)
BENTOML = Peer(
    "BentoML",
    "[a service](../../bench/peers/bentoml/service.py) that calls the model; no keys, no limits",
    start_bentoml,
    lambda say: find_version("bentoml", say),
    warm_seconds=_WARM_SECONDS,
)
RAY = Peer(
    "Ray Serve",
    "[a deployment](../../bench/peers/ray/deployment.py) that calls the model; no keys, no limits",
    start_ray,
    lambda say: find_version("ray", say),
    warm_seconds=_WARM_SECONDS,
)
