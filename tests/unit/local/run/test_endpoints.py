"""Running models as SageMaker's runtime API finds them."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.local.gateway import ExternalUpstream
from centralized_ml_api.local.run.endpoints import (
    BY_PROVIDER,
    NOT_READY,
    NOT_STARTED,
    ModelEndpoint,
    build_runtime_application,
)
from centralized_ml_api.local.run.specs import build_desired_state
from centralized_ml_api.local.sagemaker_runtime import MODEL_TIMEOUT_SECONDS
from centralized_ml_api.local.servers.aws_access import Access, AwsAccess, AwsTarget, Credentials
from centralized_ml_api.local.servers.sagemaker import SageMakerService
from centralized_ml_api.local.sleep.types import NotAwakeError
from centralized_ml_api.local.supervision.service import Report
from centralized_ml_api.plan.engines import CommandServing, LlamaCppServing, SageMakerServing, UrlServing
from centralized_ml_api.plan.provider import KeyPlace, ProviderServing
from centralized_ml_api.plan.types import SleepPlan
from support.fake_target import FakeService, entry, plan, running, soon
from support.story import story

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from centralized_ml_api.local.run.registry import Running
    from centralized_ml_api.plan.types import ApiPlan

LLAMA = LlamaCppServing(parse_weights("hf://o/r/m.gguf"), 2048, "auto")
NAMED = UrlServing("http://127.0.0.1:9/v1/chat/completions", None, "org/b")
CHAT = [{"role": "user", "content": "hi"}]
ECHO = CommandServing(("echo",), ping="/ping", invocations="/run?x=1")
HOSTED = ProviderServing("https://api.test/v1", "m", KeyPlace("env", "KEY"), ("openai-chat",), "openai")


class Machine:
    """The models of a plan, as the supervisor finds them."""

    def __init__(self, served: ApiPlan) -> None:
        self.plan = served
        self.running: dict[str, Running] = {}
        self.refused = build_desired_state(served).refused
        self.admitted: list[tuple[str, float]] = []
        self.awake = asyncio.Event()
        self.awake.set()
        self.refusal: NotAwakeError | None = None

    async def start(self) -> Machine:
        for spec in build_desired_state(self.plan).specs.values():
            self.running[spec.name] = await running(spec)
        return self

    def find(self, name: str) -> Running | None:
        return self.running.get(name)

    def why_refused(self, name: str) -> str:
        return self.refused.get(name, "")

    async def admit(self, name: str, seconds: float) -> None:
        self.admitted.append((name, seconds))
        await self.awake.wait()
        if self.refusal:
            raise self.refusal

    def fake(self, name: str) -> FakeService:
        service = self.running[name].service
        assert isinstance(service, FakeService)
        return service


def client(machine: Machine) -> TestClient[web.Request, web.Application]:
    return TestClient(TestServer(build_runtime_application(machine)))


async def model_server(seen: list[str], during: Callable[[], None] = lambda: None) -> TestServer:
    """A model that notes what it is asked."""

    async def answer(request: web.Request) -> web.Response:
        seen.append(f"{request.path_qs} {await request.text()}")
        during()
        return web.json_response({"answer": len(seen)})

    application = web.Application()
    application.router.add_post("/{path:.*}", answer)
    server = TestServer(application, host="127.0.0.1")
    await server.start_server()
    return server


def test_a_function_may_ask_no_more_of_a_model_than_a_caller() -> None:
    async def tell() -> None:
        seen: list[str] = []
        machine = await Machine(plan(entry("a", LLAMA), entry("b", NAMED))).start()
        server = await model_server(seen)
        assert server.port is not None
        for name in ("a", "b"):
            machine.fake(name).ports = (server.port,)
        async with client(machine) as caller, server:
            refused = await caller.post(
                "/endpoints/a-endpoint/invocations", json={"messages": CHAT, "top_logprobs": 10**6}
            )
            assert refused.status == 424
            told = await refused.json()
            assert (told["OriginalStatusCode"], "top_logprobs" in told["OriginalMessage"]) == (400, True)
            assert seen == []
            machine.fake("a").description = {"chat_template_caps": {"supports_tools": False}}
            long = await caller.post("/endpoints/a-endpoint/invocations", data=b"{" * 393_217)
            assert (await long.json())["OriginalStatusCode"] == 413
            tools = {"messages": CHAT, "tools": [], "tool_choice": "required"}
            refused = await caller.post("/endpoints/a-endpoint/invocations", json=tools)
            assert "cannot call tools" in (await refused.json())["OriginalMessage"]
            assert seen == []
            await caller.post("/endpoints/a-endpoint/invocations", json={"messages": CHAT, "max_tokens": -1})
            assert json.loads(seen[-1].partition(" ")[2])["max_tokens"] == 2048
            await caller.post("/endpoints/b-endpoint/invocations", data=b'{"model": "other", "x": 1.0}')
            assert seen[-1] == '/v1/chat/completions {"model": "org/b", "x": 1.0}'

    story(tell)


def test_a_call_reaches_the_model_behind_the_endpoints_name_and_is_counted_meanwhile() -> None:
    async def tell() -> None:
        machine = await Machine(plan(entry("other"), entry("a", ECHO))).start()
        seen: list[str] = []
        counts: list[int] = []
        calls = machine.running["a"].calls
        server = await model_server(seen, lambda: counts.append(calls.count))
        assert server.port is not None
        machine.fake("a").ports = (server.port,)
        async with client(machine) as caller:
            answer = await caller.post("/endpoints/a-endpoint/invocations", data=b"hello")
            assert (answer.status, await answer.json()) == (200, {"answer": 1})
        assert seen == ["/run?x=1 hello"]
        assert (counts, calls.count, machine.running["other"].calls.count) == ([1], 0, 0)
        await server.close()

    story(tell)


def test_an_unknown_name_is_told_which_there_are() -> None:
    async def tell() -> None:
        machine = await Machine(plan(entry("a", ECHO), entry("b", serving=None))).start()
        async with client(machine) as caller:
            answer = await caller.post("/endpoints/a/invocations", data=b"")
            assert answer.status == 400
            said = await answer.text()
            assert "a-endpoint" in said
            assert "b-endpoint" in said
            assert (await caller.post("/elsewhere")).status == 404

    story(tell)


def test_a_model_that_is_not_ready_and_one_that_is_refused_say_so() -> None:
    async def tell() -> None:
        machine = await Machine(plan(entry("a", ECHO), entry("b", serving=None), entry("c", HOSTED))).start()
        machine.fake("a").ports = ()
        async with client(machine) as caller:
            starting = await caller.post("/endpoints/a-endpoint/invocations", data=b"")
            refused = await caller.post("/endpoints/b-endpoint/invocations", data=b"")
            assert NOT_READY in await starting.text()
            assert (await refused.json())["Message"].endswith(machine.refused["b"])
            assert starting.status == refused.status == 503
            hosted = await caller.post("/endpoints/c-endpoint/invocations", data=b"")
            assert (hosted.status, BY_PROVIDER in await hosted.text()) == (503, True)
            machine.running.pop("a")
            gone = await caller.post("/endpoints/a-endpoint/invocations", data=b"")
            assert gone.status == 503

    story(tell)


def test_calls_go_to_the_ready_replicas_in_turn() -> None:
    async def tell() -> None:
        machine = await Machine(plan(entry("a", ECHO))).start()
        seen: tuple[list[str], list[str]] = ([], [])
        servers = [await model_server(each) for each in seen]
        machine.fake("a").ports = tuple(server.port or 0 for server in servers)
        async with client(machine) as caller:
            for _ in range(4):
                assert (await caller.post("/endpoints/a-endpoint/invocations", data=b"x")).status == 200
        assert [len(each) for each in seen] == [2, 2]
        for server in servers:
            await server.close()

    story(tell)


def test_a_server_elsewhere_is_called_at_its_own_address_while_it_is_ready() -> None:
    async def tell() -> None:
        serving = UrlServing("https://gpu-box:8443/go?x=1", None)
        machine = await Machine(plan(entry("a", serving))).start()
        machine.fake("a").elsewhere = ExternalUpstream("", "gpu-box", 8443, tls=True)
        endpoint = ModelEndpoint("a-endpoint", serving, None, machine.running["a"], itertools.count())
        assert (endpoint.pick(), endpoint.invocations_path) == ("https://gpu-box:8443", "/go?x=1")
        machine.fake("a").elsewhere = ExternalUpstream("", "gpu-box", 8443, tls=True, ready=False)
        assert endpoint.pick() is None

    story(tell)


class Reached(SageMakerService):
    """A way into AWS, without a look."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(
            AwsAccess("sagemaker-runtime", "eu-west-1"), folder, "http://127.0.0.1:1", lambda: None
        )
        self.access: Access | None = Access(AwsTarget("eu-west-1", url), Credentials("K", "s", None))
        self.state = Report("ready")

    def report(self) -> Report:
        return self.state


def test_a_real_endpoint_is_called_in_aws_signed_and_only_while_there_is_a_way(tmp_path: Path) -> None:
    async def tell() -> None:
        machine = await Machine(plan(entry("a", SageMakerServing("eu-west-1")))).start()
        seen: list[str] = []
        server = await model_server(seen)
        service = Reached(tmp_path, str(server.make_url("/")))
        machine.running["a"].service = service
        async with client(machine) as caller:
            path = "/endpoints/a-endpoint/invocations"
            assert (await caller.post(path, data=b"hello")).status == 200
            assert seen == ["/endpoints/a-endpoint/invocations hello"]
            service.state = Report("unready")
            refused = await caller.post(path, data=b"hello")
            assert refused.status == 503
            assert "there is no way into AWS" in await refused.text()
            service.state, service.access = Report("ready"), None
            assert (await caller.post(path, data=b"hello")).status == 503
        assert len(seen) == 1
        await server.close()

    story(tell)


def test_a_call_of_a_function_waits_until_the_model_is_awake_and_then_counts() -> None:
    async def tell() -> None:
        seen: list[str] = []
        machine = await Machine(plan(entry("a", ECHO))).start()
        machine.awake.clear()
        server = await model_server(seen, during=lambda: seen.append(str(machine.running["a"].calls.count)))
        assert server.port is not None
        machine.fake("a").ports = (server.port,)
        async with client(machine) as caller, server:
            call = asyncio.create_task(caller.post("/endpoints/a-endpoint/invocations", data=b"hello"))
            await soon(lambda: machine.admitted)
            assert (machine.admitted, machine.running["a"].calls.count) == ([("a", MODEL_TIMEOUT_SECONDS)], 0)
            machine.awake.set()
            assert (await call).status == 200
            assert seen == ["/run?x=1 hello", "1"]
            machine.refusal = NotAwakeError("a")
            refused = await caller.post("/endpoints/a-endpoint/invocations", data=b"hello")
            assert (refused.status, refused.headers["x-amzn-ErrorType"]) == (400, "ValidationError")
            assert "has no capacity to process this request" in await refused.text(), "as on AWS"
            machine.refusal = NotAwakeError("a", has_failed=True)
            refused = await caller.post("/endpoints/a-endpoint/invocations", data=b"hello")
            assert (refused.status, NOT_STARTED in await refused.text()) == (503, True)

    story(tell)


def test_a_function_may_not_call_another_model_of_its_own_group() -> None:
    async def tell() -> None:
        gpu, other = SleepPlan(shares="gpu"), SleepPlan(shares="other")
        served = plan(*(entry(name, sleep=gpu) for name in ("a", "b")), entry("c", sleep=other), entry("d"))
        machine = await Machine(served).start()
        server = await model_server([])
        assert server.port is not None
        for name in ("a", "b", "c", "d"):
            machine.fake(name).ports = (server.port,)
        async with client(machine) as caller, server:
            refused = await caller.post("/callers/a/endpoints/b-endpoint/invocations", data=b"")
            told = (await refused.json())["Message"]
            assert (refused.status, refused.headers["x-amzn-ErrorType"]) == (400, "ValidationError")
            assert told == (
                'Endpoint b-endpoint cannot be called here: it shares "gpu" with a, whose function calls it '
                'and keeps that place until its own call is over; give the two different words in "shares"'
            )
            assert machine.admitted == []
            for path in (
                "/callers/a/endpoints/a-endpoint/invocations",
                "/callers/a/endpoints/c-endpoint/invocations",
                "/callers/d/endpoints/b-endpoint/invocations",
                "/endpoints/b-endpoint/invocations",
            ):
                assert (await caller.post(path, data=b"")).status == 200
            assert [name for name, _ in machine.admitted] == ["a", "c", "b", "b"]

    story(tell)
