"""Jobs asked of the API that AWS would get: its document, both of its functions, a table, keys of teams.

Lists of jobs are asked of both targets: only a team has them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import openai
import pytest
from openai.pagination import SyncCursorPage

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.aws.stack.contract import KEY_FUNCTION, NOTHING_PAUSED, PAUSED_VARIABLE
from centralized_ml_api.local.keys import KeyStore, LocalKeys
from contract.api import DOWN, build_config
from contract.case import AWS, JSON, LOCAL, Bytes, Expected, Json, Request, refused, send
from contract.targets import Targets, read_targets
from support.api_gateway.functions import Functions
from support.jobs_on_aws import make_table
from support.local_api import start_local_api
from support.moto_server import start_moto
from support.odd_server import OddServer
from support.own_ports import own_ports
from support.synthesis import read_template
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background
    from support.moto_server import MotoServer
    from support.running_gateway import Answer

pytestmark = pytest.mark.slow
ENTRIES = {"echo", "function", "chat", DOWN}
CONFIG = {"event": {"teams": ["red", "blue"]}, "aws": {"jobs": True}}
PROBED = "/status/200"
CHAT = {"model": "chat", "messages": [{"role": "user", "content": "a"}]}


@pytest.fixture(scope="module")
def late() -> int:
    """Where the server of the entry that is away would listen."""
    return own_ports()


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoServer]:
    """The DynamoDB with the table of jobs."""
    with start_moto(tmp_path_factory.mktemp("moto")) as moto:
        yield moto


@pytest.fixture(scope="module")
def targets(
    tmp_path_factory: pytest.TempPathFactory,
    odd: OddServer,
    background: Background,
    late: int,
    moto: MotoServer,
) -> Iterator[Targets]:
    folder = tmp_path_factory.mktemp("jobs")
    models = [one for one in build_config(folder, odd.port, late)["models"] if one["name"] in ENTRIES]
    next(model for model in models if model["name"] == DOWN)["local"]["ping"] = PROBED
    with start_local_api(folder, {"models": models, **CONFIG}) as local:
        local.wait_serving()
        with read_targets(local, folder, background, tables_url=moto.url) as targets:
            table = read_template(folder / "cdk.out").id_of("AWS::DynamoDB::Table")
            make_table(moto.client("dynamodb"), table)
            yield targets


def ask(targets: Targets, path: str, method: str = "GET", team: str = "red", **more: bytes) -> Answer:
    """A request of a team, which prefers not to wait where it is a `POST`."""
    headers = {"x-api-key": targets.door.usage.key_of(team).value}
    prefer = {"Prefer": "respond-async", "Content-Type": JSON} if method == "POST" else {}
    return send(targets.aws_url, Request(path, more.get("body", b""), method, {**headers, **prefer}))


def start(targets: Targets, path: str, body: bytes) -> str:
    """Starts a job; returns its path below the address of the API."""
    answer = ask(targets, path, "POST", body=body)
    Expected(202, Json({"object": "job", "status": "queued"}), JSON, {"retry-after": "5"}).check(answer, AWS)
    location = answer.header("location") or ""
    assert location == f"/prod/v1/jobs/{answer.json['id']}", "it is resolved against the host alone"
    return location.removeprefix("/prod")


def wait(targets: Targets, path: str, team: str = "red") -> Answer:
    """The answer of a job, once it is there."""
    answers: list[Answer] = []

    def is_over() -> bool:
        answers.append(ask(targets, path, team=team))
        return answers[-1].status != 202

    wait_until(is_over, f"{path} is over")
    return answers[-1]


@pytest.mark.parametrize(
    ("path", "body", "model"),
    [
        ("/chat", json.dumps(CHAT).encode(), "chat"),
        ("/v1/chat/completions", json.dumps(CHAT).encode(), "chat"),
        ("/chat/v1/chat/completions", json.dumps({**CHAT, "stream": True}).encode(), "chat"),
    ],
)
def test_the_answer_of_a_job_is_the_one_that_a_caller_who_waits_gets(
    targets: Targets, path: str, body: bytes, model: str
) -> None:
    headers = {"x-api-key": targets.door.usage.key_of("red").value, "Content-Type": JSON}
    waited = send(targets.aws_url, Request(path, body, "POST", headers))
    job = start(targets, path, body)
    answer = wait(targets, job)
    Expected(waited.status, content_type=waited.header("content-type")).check(answer, AWS)
    assert len(answer.body) == len(waited.body), (answer, waited)
    listed = ask(targets, "/v1/jobs")
    assert {each["id"]: (each["model"], each["status"]) for each in listed.json["data"]}[
        job.rpartition("/")[2]
    ] == (model, "done" if waited.status == 200 else "failed")


def test_bytes_come_back_as_they_would_have(targets: Targets) -> None:
    job = start(targets, "/echo", b'{"a": 1}')
    headers = {"x-api-key": targets.door.usage.key_of("red").value, "Content-Type": JSON}
    waited = send(targets.aws_url, Request("/echo", b'{"a": 1}', "POST", headers))
    Expected(waited.status, Bytes(waited.body), waited.header("content-type")).check(wait(targets, job), AWS)


def test_another_team_neither_sees_nor_ends_a_job(targets: Targets) -> None:
    job = start(targets, "/echo", b"{}")
    for method in ("GET", "DELETE"):
        refused(errors.JOB_NOT_FOUND).check(ask(targets, job, method, "blue"), AWS)
    assert ask(targets, "/v1/jobs", team="blue").json["data"] == []
    wait(targets, job)
    Expected(200, Json({"status": "done"}), JSON).check(ask(targets, job, "DELETE"), AWS)
    refused(errors.JOB_NOT_FOUND).check(ask(targets, job), AWS)


class ListedJob(openai.BaseModel):
    """What a list says of a job."""

    id: str
    object: str
    status: str


@pytest.fixture(params=[LOCAL, AWS])
def client(targets: Targets, request: pytest.FixtureRequest) -> Iterator[openai.OpenAI]:
    """OpenAI's own client, with the key of blue, which has three jobs."""
    local = LocalKeys(KeyStore(targets.local.folder / ".mlapi"))
    keys = {LOCAL: local.show("blue"), AWS: targets.door.usage.key_of("blue").value}
    url = targets.url(request.param)
    with openai.OpenAI(base_url=f"{url}/v1", api_key=keys[request.param], max_retries=0) as client:
        later = {"Prefer": "respond-async", "Content-Type": JSON}
        while len(list_pages(client, limit=100)[0]) < 3:
            client.post("/chat/completions", cast_to=object, body=CHAT, options={"headers": later})
        yield client


def list_pages(client: openai.OpenAI, **query: object) -> list[list[str]]:
    """The ids of the jobs on each page that the client asks for."""
    pages = client.get_api_list(
        "/jobs", model=ListedJob, page=SyncCursorPage[ListedJob], options={"params": query}
    )
    return [[job.id for job in page.data] for page in pages.iter_pages()]


def test_openais_client_lists_jobs_page_by_page(client: openai.OpenAI) -> None:
    ((first, second, third),) = list_pages(client)
    assert list_pages(client, limit=2) == [[first, second], [third]]
    assert list_pages(client, limit=3) == [[first, second, third]]
    assert list_pages(client, limit=1, after=first) == [[second], [third]]
    told = client.get("/jobs?limit=2", cast_to=dict[str, object])
    ends = {name: told[name] for name in ("object", "first_id", "last_id", "has_more")}
    assert ends == {"object": "list", "first_id": first, "last_id": second, "has_more": True}


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"limit": 0}, errors.REFUSED),
        ({"limit": 101}, errors.REFUSED),
        ({"limit": "x"}, errors.REFUSED),
        ({"after": "job_0"}, errors.JOB_NOT_FOUND),
    ],
)
def test_a_page_that_cannot_be_is_refused(
    client: openai.OpenAI, query: dict[str, object], error: errors.ApiError
) -> None:
    with pytest.raises(openai.APIStatusError) as refusal:
        list_pages(client, **query)
    assert (refusal.value.status_code, refusal.value.code) == (error.status, error.code)


@pytest.fixture
def functions(targets: Targets) -> Iterator[Functions]:
    """The functions of the template, which are as they were deployed afterwards."""
    functions = targets.back_ends.functions
    assert isinstance(functions, Functions)
    yield functions
    functions.set_variables(KEY_FUNCTION, **{PAUSED_VARIABLE: NOTHING_PAUSED})
    for team in ("red", "blue"):
        targets.door.usage.key_of(team).enabled = True


def wait_asked(functions: Functions, team: str) -> None:
    """Waits until a job of a team has asked twice more what it may call: one answer came after now."""
    event = json.dumps({"job_of": team}, separators=(",", ":")).encode()
    before = functions.called.count(event)
    wait_until(lambda: functions.called.count(event) > before + 1, f"a job of {team} asked")


def pause(functions: Functions, *models: str) -> None:
    """Pauses models in the stead of all that were; the function knows no keys then, as a cold one."""
    told = json.dumps({"models": dict.fromkeys(models, "Lunch")}) if models else NOTHING_PAUSED
    functions.set_variables(KEY_FUNCTION, **{PAUSED_VARIABLE: told})


def test_a_job_goes_on_when_the_pause_of_its_model_ends_unless_its_team_may_not(
    targets: Targets, functions: Functions, late: int, moto: MotoServer
) -> None:
    """As on one machine: see `tests/end_to_end/test_jobs.py`."""
    jobs = {team: ask(targets, f"/{DOWN}", "POST", team, body=b"{}").json["id"] for team in ("red", "blue")}
    for team in jobs:
        wait_asked(functions, team)
    pause(functions, DOWN)
    for team in jobs:
        wait_asked(functions, team)
    with OddServer(late) as server:
        wait_until(lambda: state_of(targets) == "ready", "it is there")
        for team in jobs:
            wait_asked(functions, team)
        assert called(server) == [], "nobody calls what is paused"
        blue = targets.door.usage.key_of("blue")
        blue.enabled = False
        pause(functions, DOWN)
        wait_until(lambda: read_status(moto, jobs["blue"]) == "failed", "its job is over")
        blue.enabled = True
        Expected(401).check(wait(targets, f"/v1/jobs/{jobs['blue']}", "blue"), AWS)
        pause(functions)
        Expected(200).check(wait(targets, f"/v1/jobs/{jobs['red']}"), AWS)
        assert len(called(server)) == 1
    listed = {team: ask(targets, "/v1/jobs", team=team).json["data"][0]["status"] for team in jobs}
    assert listed == {"red": "done", "blue": "failed"}


def read_status(moto: MotoServer, job_id: str) -> str:
    """How a job is, whose team cannot ask."""
    database = moto.client("dynamodb")
    (table,) = database.list_tables()["TableNames"]
    items = database.scan(TableName=table, ConsistentRead=True)["Items"]
    return next(str(item["job_status"]["S"]) for item in items if item["span"]["S"] == f"job#{job_id}")


def state_of(targets: Targets) -> str:
    """How the model is that was away."""
    states = {entry["name"]: str(entry["state"]) for entry in targets.local.status()["entries"]}
    return states[DOWN]


def called(server: OddServer) -> list[str]:
    """The calls that the model has got; it is probed elsewhere."""
    return [path for path in server.asked if path == "/echo"]


def test_without_a_key_there_are_no_jobs(targets: Targets) -> None:
    for path in ("/v1/jobs", "/v1/jobs/job_0"):
        refused(errors.UNAUTHORIZED).check(send(targets.aws_url, Request(path, b"", "GET")), AWS)


def test_other_methods_are_refused_with_those_that_there_are(targets: Targets) -> None:
    for path, allow in (("/v1/jobs", "GET, HEAD, OPTIONS"), ("/v1/jobs/job_0", "GET, HEAD, DELETE, OPTIONS")):
        answer = ask(targets, path, "PUT")
        refused(errors.METHOD_NOT_ALLOWED, headers={"allow": allow}).check(answer, AWS)


def test_a_function_of_an_entry_answers_at_once(targets: Targets) -> None:
    answer = ask(targets, "/function", "POST", body=b"{}")
    assert answer.status == 200
    assert answer.header("preference-applied") is None
