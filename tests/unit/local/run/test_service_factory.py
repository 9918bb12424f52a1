"""Which kind of service a spec gets, and what its server is prepared from."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.local.gateway import ExternalUpstream, Upstream
from centralized_ml_api.local.lambda_host.server import read_specification
from centralized_ml_api.local.run.service_factory import (
    FUNCTION_START_SECONDS,
    ServiceFactory,
)
from centralized_ml_api.local.run.specs import FunctionSpec
from centralized_ml_api.local.servers.parts import ModelSpec
from centralized_ml_api.local.servers.sagemaker import SageMakerService
from centralized_ml_api.local.supervision.probe import Prober, ProbeResult
from centralized_ml_api.local.supervision.replica import Timeouts
from centralized_ml_api.local.supervision.server_watch import ServerWatches
from centralized_ml_api.local.supervision.service import ExternalService, ReplicatedService
from centralized_ml_api.plan.engines import (
    CommandServing,
    LlamaCppServing,
    PythonServing,
    SageMakerServing,
    UrlServing,
)
from centralized_ml_api.plan.types import LocalPlan
from support.fake_target import function, soon
from support.story import story

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from centralized_ml_api.local.run.specs import ServiceSpec
    from centralized_ml_api.local.supervision.service import Report, Service
    from centralized_ml_api.plan.serving import Serving

SLEEP = CommandServing(("sleep", "600"), ping="/up", invocations="/run")
QUICK = Timeouts(start=0.05, probe=0.01, silence=0.02, stop=1.0)


class FakeProber(Prober):
    """Every server answers as the test says."""

    def __init__(self, result: ProbeResult = ProbeResult.READY) -> None:
        self.result = result
        self.asked: list[str] = []
        self.keeps = False

    async def probe(self, url: str, timeout_seconds: float = 5.0) -> ProbeResult:
        """The result of the test."""
        del timeout_seconds
        self.asked.append(url)
        await asyncio.sleep(0)
        return self.result

    async def keeps_connections(self, url: str, timeout_seconds: float = 1.0) -> bool:
        """What the test says."""
        del url, timeout_seconds
        await asyncio.sleep(0)
        return self.keeps


def model(serving: Serving, folder: Path, *, replicas: int = 1, **environment: str) -> ModelSpec:
    return ModelSpec("a", LocalPlan(serving, replicas, environment), (folder,))


class World:
    """A factory in a folder of the test."""

    def __init__(self, folder: Path, *, timeouts: Timeouts = QUICK) -> None:
        self.prober = FakeProber()
        self.changes = 0
        self.folder = folder
        (folder / "scratch").mkdir()
        self.factory = ServiceFactory(
            folder,
            folder / "scratch",
            self.prober,
            ServerWatches(self.prober),
            "http://127.0.0.1:8081",
            timeouts,
        )

    def make(self, spec: ServiceSpec) -> Service:
        return self.factory.make(spec, self.changed)

    def changed(self) -> None:
        self.changes += 1

    async def run(self, service: Service, until: Callable[[Report], object]) -> Report:
        """Runs the service until its report is such; the report then."""
        running = asyncio.create_task(service.run())
        await soon(lambda: until(service.report()))
        report = service.report()
        running.cancel()
        await asyncio.wait({running})
        return report


def test_a_server_elsewhere_is_only_probed_at_its_ping(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        service = world.make(model(UrlServing("http://gpu-box:81/go", "/up"), tmp_path))
        assert isinstance(service, ExternalService)
        report = await world.run(service, lambda now: now.state == "ready")
        assert report.pids == ()
        assert service.upstream("a@1") == ExternalUpstream("a@1", "gpu-box", 81, tls=False)
        assert set(world.prober.asked) == {"http://gpu-box:81/up"}
        assert world.changes == 1

    story(tell)


def test_a_server_elsewhere_without_a_ping_is_ready_when_its_port_answers(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        service = world.make(model(UrlServing(f"http://127.0.0.1:{port}/go", None), tmp_path))
        await world.run(service, lambda now: now.state == "ready")
        assert world.prober.asked == []
        server.close()

    story(tell)


def test_a_real_endpoint_has_its_credentials_in_the_scratch_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    async def tell() -> None:
        world = World(tmp_path)
        service = world.make(model(SageMakerServing("eu-west-1"), tmp_path))
        assert isinstance(service, SageMakerService)
        assert service.upstream("a@1") == Upstream("a@1", ())
        running = asyncio.create_task(service.run())
        await soon(lambda: service.report().state == "ready")
        upstream = service.upstream("a@1")
        assert not isinstance(upstream, Upstream)
        assert upstream.signing is not None
        assert upstream.signing.region == "eu-west-1"
        assert upstream.signing.credentials.is_relative_to(tmp_path / "scratch")
        assert world.changes == 1
        running.cancel()
        await asyncio.wait({running})
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "http://127.0.0.1:8081")
        circle = world.make(model(SageMakerServing("eu-west-1"), tmp_path))
        report = await world.run(circle, lambda now: now.state == "unready")
        assert "points to this machine" in report.detail

    story(tell)


def test_a_program_runs_as_often_as_there_are_replicas(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        service = world.make(model(SLEEP, tmp_path, replicas=3))
        assert isinstance(service, ReplicatedService)
        assert service.report().replicas == 3
        report = await world.run(service, lambda now: now.ready_replicas == 3)
        assert (report.state, len(set(report.pids))) == ("ready", 3)
        assert {url.rpartition("/")[2] for url in world.prober.asked} == {"up"}
        assert world.changes > 3

    story(tell)


def test_a_program_that_is_never_ready_is_given_up_after_the_factorys_timeouts(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.prober.result = ProbeResult.REFUSED
        service = world.make(model(SLEEP, tmp_path))
        report = await world.run(service, lambda now: now.state == "restarting")
        assert report.detail == "was not ready after 0.05 seconds"

    story(tell)


def test_what_a_program_prints_is_in_the_log_of_its_name(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        serving = CommandServing(("sh", "-c", "echo hello; exec sleep 600"), "/up", "/run")
        service = world.make(model(serving, tmp_path))
        await world.run(service, lambda now: "hello" in now.log)
        assert (tmp_path / "a.log").read_text() == "hello\n"

    story(tell)


def test_a_function_is_hosted_with_what_its_spec_says(tmp_path: Path) -> None:
    world = World(tmp_path)
    hosted = function(tmp_path, environment={"COLOUR": "red"})
    spec = FunctionSpec("a.function", "a", hosted, "a-endpoint", "openai-chat", "f1")
    given = read_specification(world.factory.function_server(spec).launch(9000).stdin)
    assert (given.name, given.endpoint_name, given.model_speaks) == ("a", "a-endpoint", "openai-chat")
    assert (given.runtime_url, given.scratch) == (
        "http://127.0.0.1:8081/callers/a",
        str(tmp_path / "scratch"),
    )
    assert (given.code, given.environment) == (str(tmp_path), {"COLOUR": "red"})


def test_a_function_runs_once_and_has_longer_than_a_model_to_start(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.prober.result = ProbeResult.REFUSED
        spec = FunctionSpec("a.function", "a", function(tmp_path), "a-endpoint", "", "f1")
        service = world.make(spec)
        assert isinstance(service, ReplicatedService)
        report = await world.run(service, lambda _: len(world.prober.asked) > 8)
        assert (report.state, report.replicas) == ("starting", 1)

    story(tell)
    assert FUNCTION_START_SECONDS > 60  # its host gives up after 60 seconds, and says why


def failure(spec: ModelSpec, folder: Path) -> str:
    """Why the service of that spec could not be prepared."""
    told: list[str] = []

    async def tell() -> None:
        world = World(folder)
        report = await world.run(world.make(spec), lambda now: now.state == "failed")
        told.append(report.detail)

    story(tell)
    return told[0]


def test_weights_that_are_not_there_fail_the_service(tmp_path: Path) -> None:
    serving = LlamaCppServing(parse_weights("none.gguf"), 512, "auto")
    assert "none.gguf" in failure(model(serving, tmp_path), tmp_path)


def test_a_program_that_is_not_installed_fails_with_a_fix(tmp_path: Path) -> None:
    serving = CommandServing(("no-such-program-here",), "/up", "/run")
    assert failure(model(serving, tmp_path), tmp_path).endswith("(install it, or correct `run`)")


def test_a_program_gets_the_environment_of_the_config_and_its_folder(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        serving = CommandServing(("sh", "-c", "echo $COLOUR in $PWD; exec sleep 600"), "/up", "/run")
        service = world.make(model(serving, tmp_path, COLOUR="red"))
        report = await world.run(service, lambda now: now.log)
        assert report.log == (f"red in {tmp_path}",)

    story(tell)


def test_llama_cpp_gets_a_connection_for_each_call_and_a_server_of_ours_keeps_them(tmp_path: Path) -> None:
    # llama.cpp closes it after a stream, unannounced, just when the call that waited for a place arrives.
    llama = LlamaCppServing(parse_weights("none.gguf"), 512, "auto")
    ours = PythonServing(tmp_path, None, "auto")
    world = World(tmp_path)
    for serving, keeps in ((llama, False), (ours, True)):
        upstream = world.make(model(serving, tmp_path)).upstream("a@1")
        assert upstream == Upstream("a@1", (), keeps_connections=keeps)


@pytest.mark.parametrize("keeps", [True, False])
def test_a_program_of_the_user_keeps_connections_if_it_is_of_a_known_kind(
    tmp_path: Path, *, keeps: bool
) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.prober.keeps = keeps
        service = world.make(model(SLEEP, tmp_path))
        assert service.upstream("a@1") == Upstream("a@1", (), keeps_connections=False)
        running = asyncio.create_task(service.run())
        await soon(lambda: service.report().state == "ready")
        assert service.upstream("a@1").keeps_connections is keeps
        running.cancel()
        await asyncio.wait({running})

    story(tell)
