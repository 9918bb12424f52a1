"""Calls over HTTP while a scaled model gets another instance type: each one is answered.

After each step of the update, in CloudFormation's order, the tests' API Gateway serves what the stage serves
then. The endpoints that exist, and that the API's role may call, answer through a runtime listener.
"""

from __future__ import annotations

import contextlib
import json
import urllib.request
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest

from contract.api import CUSTOM_ATTRIBUTES, OTHER_HEADER
from contract.case import AWS, send
from contract.suite import CASES
from support.api_gateway import ApiGateway, build_rest_api, serve_api
from support.api_gateway.back_ends import BackEnds
from support.api_gateway.document import resolve
from support.background import Background, start_background
from support.model_server import ModelServer, answer, start_model_server
from support.odd_server import OddServer
from support.runtime import FakeEndpoint, start_runtime
from support.stack_update import MOVES, World, walk
from support.synthesis import package

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.api_gateway.message import Request, Response, Streamed
    from support.synthesis import Config, Deploys, Template

pytestmark = pytest.mark.slow

ENDPOINT = "AWS::SageMaker::Endpoint"
GONE = "gone"
"""A name that no endpoint has."""


class MovingGateway(ApiGateway):
    """The gateway of a stage whose deployment changes."""

    def __init__(self, now: ApiGateway) -> None:
        self.now = now

    async def answer(self, request: Request) -> Response | Streamed:
        """Answers by what is served now."""
        return await self.now.answer(request)


@pytest.fixture(scope="module")
def background() -> Iterator[Background]:
    with start_background() as background:
        yield background


def ask(url: str, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """The status and the body of an answer."""
    headers = {"Content-Type": "application/json"} if body else {}
    request = urllib.request.Request(url + path, body, headers, method=method)  # our own
    try:
        with urllib.request.urlopen(request, timeout=20) as answered:
            return answered.status, answered.read()
    except HTTPError as error:
        return error.code, error.read()


def serving(world: World, templates: Mapping[str, Any], runtime: str, endpoints: set[str]) -> ApiGateway:
    """The gateway of this step; an endpoint that is not there, or may not be called, is not found."""
    callable_now = {
        name for name, role in world.callers() if name in world.resources and name in world.allowed(role)
    }
    known = {name: name if name in callable_now else GONE for name in endpoints}
    back_ends = BackEnds(runtime, known, {}, {})
    return ApiGateway(build_rest_api(resolve(world.document, templates)), back_ends)


def check_calls(url: str, step: str, models: Mapping[str, ModelServer]) -> str:
    """Makes the calls of a participant; which of the endpoints answered."""
    status, said = ask(url, "POST", "/chat", b'{"inputs": "hello"}')
    assert status == 200, f"after {step}: {status} {said!r}"
    name: str = json.loads(said)["endpoint"]
    assert models[name].asked[-1].body == b'{"inputs": "hello"}', "as it was sent"
    assert ask(url, "OPTIONS", "/chat")[0] in {200, 204}, f"after {step}"
    assert ask(url, "GET", "/chat")[0] == 405, f"after {step}"
    assert ask(url, "POST", "/nobody", b"{}")[0] == 404, f"after {step}"
    return name


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_every_call_is_answered_while_the_api_moves(
    template_of: Deploys, background: Background, move: tuple[Config, Config]
) -> None:
    before, after = (template_of(package("chat", **each)) for each in move)
    old, new = before.id_of(ENDPOINT), after.id_of(ENDPOINT)
    with contextlib.ExitStack() as stack:
        models = {name: stack.enter_context(start_model_server(background)) for name in (old, new)}
        for name, model in models.items():
            said = json.dumps({"endpoint": name}).encode()
            model.answering = answer(200, said, Content_Type="application/json")
        made = [FakeEndpoint(name, [model.url]) for name, model in models.items()]
        runtime = stack.enter_context(start_runtime(background, *made))
        gateway = MovingGateway(serve_first(before, runtime, {old, new}))
        url = stack.enter_context(serve_api(background, gateway))
        answered = [check_calls(url, "the deploy before", models)]
        for step, world in walk(before, after):
            gateway.now = serving(world, every_resource(before, after), runtime, {old, new})
            answered.append(check_calls(url, step, models))
    moves = answered.index(new)
    assert answered == [old] * moves + [new] * (len(answered) - moves), "it moves once"
    assert 0 < moves < len(answered) - 1


LARGE_BYTES = 1_000_000
CONTRACT = [
    case
    for case in CASES
    if case.request.path.partition("?")[0] == "/echo"
    and len(case.request.body) < LARGE_BYTES
    and case.only in {None, AWS}
]
"""What the contract says of a model that SageMaker answers for: its bodies, headers and methods."""

DIRECT: Config = {"integration": {"type": "api", "headers": [CUSTOM_ATTRIBUTES, OTHER_HEADER]}}


def test_the_contract_holds_after_every_step_of_the_move(
    template_of: Deploys, background: Background
) -> None:
    move = MOVES["another type"]
    before, after = (template_of(package("chat", **each, **DIRECT)) for each in move)
    names = {before.id_of(ENDPOINT), after.id_of(ENDPOINT)}
    assert len(names) == 2, "it moves"
    asked = [
        (case, replace(case.request, path=case.request.path.replace("/echo", "/chat", 1)))
        for case in CONTRACT
    ]
    assert len(asked) > 10
    with contextlib.ExitStack() as stack:
        odd = stack.enter_context(OddServer())
        url = f"http://127.0.0.1:{odd.port}"
        made = [FakeEndpoint(name, [url], invocations_path="/echo") for name in names]
        runtime = stack.enter_context(start_runtime(background, *made))
        gateway = MovingGateway(serve_first(before, runtime, names))
        api = stack.enter_context(serve_api(background, gateway))
        steps = 0
        for step, world in walk(before, after):
            gateway.now = serving(world, every_resource(before, after), runtime, names)
            steps += 1
            for case, request in asked:
                try:
                    case.expected.check(send(api, request), AWS)
                except AssertionError as error:
                    raise AssertionError(f"after {step}: {case.name}") from error
    assert steps > 5


def serve_first(before: Template, runtime: str, endpoints: set[str]) -> ApiGateway:
    """The gateway before the update: nothing but the old endpoint is there."""
    world = World({})
    for name, resource in sorted(before.resources.items(), key=lambda item: "Deployment" in item[1]["Type"]):
        world.take(name, resource)
    return serving(world, before.document, runtime, endpoints)


def every_resource(before: Template, after: Template) -> dict[str, Any]:
    """What a served document may refer to: the snapshot is older than what is there now."""
    mappings = before.document.get("Mappings", {}) | after.document.get("Mappings", {})
    return {"Resources": before.resources | after.resources, "Mappings": mappings}


def test_a_call_of_an_endpoint_that_is_not_there_is_refused(
    template_of: Deploys, background: Background
) -> None:
    """The test above would see it."""
    template = template_of(package("chat"))
    name = template.id_of(ENDPOINT)
    world = World({})
    for logical_id, resource in template.resources.items():
        if resource["Type"] != ENDPOINT:
            world.take(logical_id, resource)
    with (
        start_model_server(background) as model,
        start_runtime(background, FakeEndpoint(name, [model.url])) as url,
    ):
        gateway = serving(world, template.document, url, {name})
        with serve_api(background, gateway) as api:
            status, _ = ask(api, "POST", "/chat", b"{}")
    assert status >= 400
    assert not model.asked
