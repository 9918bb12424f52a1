"""The parts around the supervisor, without processes: services, the gateway and a clock that a test moves."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.envoy import EnvoyGateway
from centralized_ml_api.local.gateway import ExternalUpstream, Upstream
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.local.machine.clock import Clock
from centralized_ml_api.local.run.admission_process import SupervisedAdmission
from centralized_ml_api.local.run.gateway_process import SupervisedGateway
from centralized_ml_api.local.run.registry import Running
from centralized_ml_api.local.run.sleepers_link import SleepersLink
from centralized_ml_api.local.run.translator_process import SupervisedTranslator
from centralized_ml_api.local.sleep.types import Calls
from centralized_ml_api.local.supervision.process import Process
from centralized_ml_api.local.supervision.service import Report
from centralized_ml_api.plan.engines import CommandServing
from centralized_ml_api.plan.event import EventPlan
from centralized_ml_api.plan.types import (
    ApiPlan,
    ExistingEndpoint,
    FunctionPlan,
    LocalPlan,
    ModelDeployment,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from centralized_ml_api.errors import StartError
    from centralized_ml_api.local.gateway import Gateway
    from centralized_ml_api.local.run.specs import ServiceSpec
    from centralized_ml_api.local.supervision.service import ServiceState
    from centralized_ml_api.plan.serving import Serving

DEADLINE_SECONDS = 30.0
QUICK_TURNS = 1000
NOON = datetime(2030, 6, 1, 12, tzinfo=UTC)
ECHO = CommandServing(("echo",), ping="/ping", invocations="/run")


def entry(name: str, serving: Serving | None = ECHO, *, replicas: int = 1, **changes: Any) -> ModelDeployment:
    """An entry of the plan; `changes` are fields of `ModelDeployment`."""
    plain = ModelDeployment(
        name=name,
        endpoint_name=f"{name}-endpoint",
        origin=ExistingEndpoint(),
        instances=(),
        autoscaling=None,
        environment={},
        integration="api",
        headers=(),
        function=None,
        description="",
        sample=None,
        local=None if serving is None else LocalPlan(serving, replicas, {}),
    )
    return replace(plain, **changes)


def function(code: Path, **changes: Any) -> FunctionPlan:
    """A function in Python."""
    plain = FunctionPlan(code, "index.handler", "python3.12", 10, 128, {}, (), (), None)
    return replace(plain, **changes)


def plan(*entries: ModelDeployment, event: EventPlan | None = None) -> ApiPlan:
    """A plan of these entries."""
    return ApiPlan(entries, (Path("/config"),), event=event or EventPlan())


async def soon(condition: Callable[[], object]) -> None:
    """Returns once that is true: a few turns of the event loop, or a thread, away."""
    deadline, turns = time.monotonic() + DEADLINE_SECONDS, 0
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0 if turns < QUICK_TURNS else 0.001)
        turns += 1


class HandClock:
    """Time passes only when somebody sleeps, at once, or when the test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    @property
    def clock(self) -> Clock:
        """The clock to hand over."""
        return Clock(lambda: NOON + timedelta(seconds=self.seconds), self.sleep, lambda: self.seconds)

    async def sleep(self, seconds: float) -> None:
        """Notes how long, and lets everybody else go on."""
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


class FakeService:
    """A service that is in the state that the test says."""

    def __init__(
        self, spec: ServiceSpec, changed: Callable[[], None] = lambda: None, *, state: ServiceState = "ready"
    ) -> None:
        self.spec = spec
        self.changed = changed
        self.state: ServiceState = state
        self.detail = ""
        self.log: tuple[str, ...] = ()
        self.ports: tuple[int, ...] = (7000,)
        self.elsewhere: ExternalUpstream | None = None
        self.path: str | None = None
        self.description: dict[str, Any] = {}
        self.started = False
        self.stopped = False
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.bug: Exception | None = None
        self.broken = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled, then until `may_end`; or until it breaks."""
        self.started = True
        try:
            await self.broken.wait()
            raise AssertionError(self.bug) if self.bug is None else self.bug
        finally:
            await self.may_end.wait()
            self.stopped = True

    def report(self) -> Report:
        """What the test says."""
        return Report(self.state, self.detail, log=self.log)

    def upstream(self, name: str) -> Upstream | ExternalUpstream:
        """Where the test says: the ports, or a server elsewhere."""
        return replace(self.elsewhere, name=name) if self.elsewhere else Upstream(name, self.ports)

    def path_of(self, endpoint_name: str) -> str | None:
        """As the test says."""
        return self.path and f"{self.path}/{endpoint_name}"

    def about(self) -> dict[str, Any]:
        """As the test says."""
        return self.description

    def become(self, state: ServiceState, detail: str = "", log: tuple[str, ...] = ()) -> None:
        """Tells whoever listens."""
        self.state, self.detail, self.log = state, detail, log
        self.changed()


async def running(spec: ServiceSpec, state: ServiceState = "ready", **fields: Any) -> Running:
    """A running fake of that spec, named `<name>@1` at the gateway."""
    service = FakeService(spec, state=state)
    for name, value in fields.items():
        setattr(service, name, value)
    made = Running(spec, service, f"{spec.name}@1", make=FakeService, ended=lambda: None)
    made.wake()
    return made


class FakeGateway(SupervisedGateway):
    """Takes everything, but for what the test lets it refuse."""

    def __init__(self) -> None:
        self.trouble = ""
        self.applied: list[Gateway] = []
        self.moved: list[list[Upstream | ExternalUpstream]] = []
        self.can_move = True
        self.takes = asyncio.Event()
        self.takes.set()
        self.takes_routes = asyncio.Event()
        self.takes_routes.set()
        self.refusal: StartError | None = None
        self.busy: dict[str, int | None] = {}

    async def apply(self, gateway: Gateway, reached: Callable[[], None] = lambda: None) -> None:
        """Notes it, once `takes` is set, or refuses; the endpoints are taken before `takes_routes` is set."""
        await asyncio.sleep(0)
        await self.takes.wait()
        if self.refusal:
            raise self.refusal
        self.applied.append(gateway)
        if not self.takes_routes.is_set():
            reached()
            await self.takes_routes.wait()

    async def move(self, upstreams: Iterable[Upstream | ExternalUpstream]) -> bool:
        """Notes it, unless it cannot move anything."""
        await asyncio.sleep(0)
        if self.can_move:
            self.moved.append([*upstreams])
        return self.can_move

    async def active_requests(self, upstream: str) -> int | None:
        """As the test says."""
        await asyncio.sleep(0)
        return self.busy.get(upstream, 0)


class FakeTranslator(SupervisedTranslator):
    """A translator whose calls are written down in `did`, and which starts at once."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self._wanted = False

    async def start(self) -> None:
        """Notes it."""
        self._wanted = True
        self.did.append("start")

    async def wait_ready(self, seconds: float = 20.0) -> None:
        """Notes it."""
        del seconds
        self.did.append("wait")

    async def run(self) -> None:
        """Goes on until cancelled."""
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """Notes it."""
        self._wanted = False
        self.did.append("stop")


class FakeLink(SleepersLink):
    """An admission service that obeys at once, and whose calls are those that the test says."""

    def __init__(self) -> None:
        self.changed = lambda: None
        self.told: list[dict[str, dict[str, Any]]] = []
        self.counts: dict[str, Calls] = {}
        self.reachable = True
        self.obeys = asyncio.Event()
        self.obeys.set()

    @property
    def sees_calls(self) -> bool:
        """As the test says."""
        return self.reachable

    def calls(self, name: str) -> Calls:
        """As the test says."""
        return self.counts.get(name, Calls())

    def tell(self, entries: dict[str, dict[str, Any]]) -> int:
        """Notes it."""
        self.told.append(entries)
        return len(self.told)

    async def obeyed(self, number: int) -> None:
        """Once the test lets it."""
        del number
        await self.obeys.wait()

    async def run(self) -> None:
        """Goes on until cancelled."""
        await asyncio.Event().wait()

    def note(self, name: str, **calls: int) -> None:
        """Reports the calls of an entry."""
        self.counts[name] = Calls(**calls)
        self.changed()

    @property
    def states(self) -> dict[str, str]:
        """What it was told last."""
        return {name: entry["state"] for name, entry in (self.told[-1] if self.told else {}).items()}


class FakeAdmission(SupervisedAdmission):
    """An admission service whose calls are written down in `did`, which starts at once, and is `busy`."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.busy: dict[str, dict[str, int]] = {}

    async def start(self) -> None:
        """Notes it."""
        self.did.append("start")

    async def wait_ready(self, seconds: float = 20.0) -> None:
        """Notes it."""
        del seconds
        self.did.append("wait")

    async def run(self) -> None:
        """Goes on until cancelled."""
        await asyncio.Event().wait()

    async def occupancy(self) -> dict[str, dict[str, int]]:
        """As the test says."""
        return self.busy

    async def stop(self) -> None:
        """Notes it."""
        self.did.append("stop")


class FakeEnvoy(EnvoyGateway):
    """An Envoy whose calls are written down in `did`, and which starts unless the test says why not."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.launched: list[Gateway | None] = []
        self.applied: list[Gateway] = []
        self.starts = asyncio.Event()
        self.starts.set()
        self.takes = asyncio.Event()
        self.takes.set()
        self.start_error: StartError | None = None
        self.error: StartError | None = None
        self.active = {"busy@1": 3}

    def launch(self, gateway: Gateway | None = None) -> Launch:
        """Notes what it is to serve."""
        self.did.append("launch")
        self.launched.append(gateway)
        return Launch(("envoy",), {}, Path("/"))

    async def wait_started(self, deadline_seconds: float) -> int:
        """Once `starts` is set."""
        self.did.append(f"wait {deadline_seconds:g}")
        await self.starts.wait()
        if self.start_error:
            raise self.start_error
        return 8080

    async def move(self, upstreams: Iterable[Upstream | ExternalUpstream]) -> bool:
        """Notes the names."""
        self.did.append(f"move {' '.join(upstream.name for upstream in upstreams)}")
        return True

    async def apply(self, gateway: Gateway, reached: Callable[[], None] = lambda: None) -> None:
        """Notes it, once `takes` is set."""
        del reached
        self._may_fail("apply")
        await self.takes.wait()
        self.applied.append(gateway)

    async def active_requests(self, upstream: str) -> int:
        """Those that the test says."""
        return self.active.get(upstream, 0)

    async def traffic(self) -> str:
        """No statistics."""
        self._may_fail("traffic")
        return "# nothing\n"

    async def reopen_logs(self) -> None:
        """Notes it."""
        self._may_fail("reopen")

    async def drain(self, seconds: float) -> None:
        """Notes it."""
        self._may_fail(f"drain {seconds:g}")

    def _may_fail(self, did: str) -> None:
        self.did.append(did)
        if self.error:
            raise self.error


class FakeProcess(Process):
    """A process that ends when it is stopped, or when the test says so."""

    def __init__(self, did: list[str]) -> None:
        self._did = did
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def wait(self) -> int:
        """The exit status."""
        return await asyncio.shield(self.status)

    async def stop(self, grace_seconds: float) -> None:
        """Ends at once."""
        self._did.append(f"stop {grace_seconds:g}")
        if not self.status.done():
            self.status.set_result(-15)
        await asyncio.sleep(0)
