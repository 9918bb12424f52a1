"""The two functions of jobs over moto's DynamoDB: that of the API, and that which Lambda runs later."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from centralized_ml_api.plan.aws.spending import OWNER_KEY, PERIOD_KEY
from support.model_server import ModelServer, start_model_server
from support.moto_server import start_moto
from support.runtime import FakeEndpoint, start_runtime
from support.stream_host import StreamAnswer, StreamHost, build_event, start_stream_host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.background import Background
    from support.stream_host.runtime_api import Invocation

TABLE = "jobs"
FUNCTION, KEEPER = "run-jobs", "admit-callers"
CHAT_PATH = "/v1/chat/completions"
ASYNC = {"Prefer": "respond-async"}
JOB_PATH = "/v1/jobs/{id}"


@dataclass
class AsyncLambda:
    """Lambda: keeps the events of the function of jobs, and answers as the one that admits callers.

    That is asked who they are, and says what `paused` has of each team, and whether it is `revoked`; while
    there is `trouble`, it fails.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    asked: list[Mapping[str, str]] = field(default_factory=list)
    status: int = 202
    loses_answers: bool = False
    paused: dict[str, dict[str, str]] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    trouble: str = ""
    admitted: list[str] = field(default_factory=list)

    async def __call__(self, request: web.Request, body: bytes) -> web.StreamResponse:
        if request.path == f"/2015-03-31/functions/{KEEPER}/invocations":
            return self._admit(json.loads(body)["job_of"])
        assert request.path == f"/2015-03-31/functions/{FUNCTION}/invocations"
        self.asked.append({name.lower(): value for name, value in request.headers.items()})
        if self.status == 202:
            self.events.append(json.loads(body))
        if self.loses_answers and request.transport is not None:
            request.transport.abort()
        return web.Response(status=self.status, text="{}")

    def _admit(self, team: str) -> web.Response:
        self.admitted.append(team)
        if self.trouble:
            failed = {"X-Amz-Function-Error": "Unhandled"}
            return web.json_response({"errorMessage": self.trouble}, headers=failed)
        return web.json_response({"has_key": team not in self.revoked, "paused": self.paused.get(team, {})})


@dataclass
class Jobs:
    """Both functions, what is between them, and the model behind the entries.

    These are `hosted`, `native`, `claude`, which is asked by translation, `falls`, which falls back on the
    second, and `rescued`, the second itself, which falls back on `claude` and it. `deploy` starts one more
    function of the API, with more variables.
    """

    front: StreamHost
    runner: StreamHost
    endpoint: FakeEndpoint
    queue: AsyncLambda
    server: ModelServer
    database: Any
    deploy: Callable[[Mapping[str, str]], AbstractContextManager[StreamHost]]

    def call(
        self,
        path: str = CHAT_PATH,
        body: Any = None,
        *,
        method: str = "POST",
        team: str | None = "red",
        **parameters: str,
    ) -> StreamAnswer:
        """A request, which prefers not to wait where it is a `POST`."""
        headers = ASYNC if method == "POST" else {}
        return self.front.invoke(
            build_event(path, body, headers, method=method, team=team, parameters=parameters)
        )

    def start(self, body: Any, path: str = CHAT_PATH, team: str | None = "red") -> str:
        """Starts a job; returns its id."""
        answer = self.call(path, body, team=team)
        document = json.loads(answer.body.read())
        assert answer.status == 202, document
        job_id: str = document["id"]
        return job_id

    def look(self, job_id: str, team: str | None = "red", method: str = "GET") -> tuple[StreamAnswer, bytes]:
        """What is answered about a job."""
        answer = self.call(JOB_PATH, method=method, team=team, id=job_id)
        return answer, answer.body.read()

    def statuses(self, team: str | None = "red") -> dict[str, str]:
        """The listed jobs of a team, the newest first."""
        answer = self.call("/v1/jobs", method="GET", team=team)
        return {job["id"]: job["status"] for job in json.loads(answer.body.read())["data"]}

    def begin(self) -> Invocation:
        """Lets Lambda run the oldest event, without waiting for its end."""
        return self.runner.begin(self.queue.events.pop(0), timeout_seconds=120)

    def run(self) -> None:
        """The same, to its end."""
        assert b"".join(self.begin()) == b"null"

    def items(self) -> list[dict[str, Any]]:
        """All that is in the table."""
        items: list[dict[str, Any]] = self.database.scan(TableName=TABLE, ConsistentRead=True)["Items"]
        return items

    def spans(self) -> set[str]:
        """The second keys of it, but for what is open."""
        return {item[PERIOD_KEY]["S"] for item in self.items()} - {"open"}

    def age(self, job_id: str, seconds: int, team: str = "red") -> None:
        """Lets a job be over by so many seconds earlier, and expire so much earlier."""
        key = {OWNER_KEY: {"S": f"team#{team}"}, PERIOD_KEY: {"S": f"job#{job_id}"}}
        self.database.update_item(
            TableName=TABLE,
            Key=key,
            UpdateExpression="ADD over_by :back, expires_at :back",
            ExpressionAttributeValues={":back": {"N": str(-seconds)}},
        )


def make_table(database: Any, name: str) -> None:
    """Makes a table as a deploy does; `database` is boto3's client."""
    parts = {OWNER_KEY: "HASH", PERIOD_KEY: "RANGE"}
    database.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": part, "AttributeType": "S"} for part in parts],
        KeySchema=[{"AttributeName": part, "KeyType": kind} for part, kind in parts.items()],
    )


@contextlib.contextmanager
def start_jobs(folder: Path, loop: Background) -> Iterator[Jobs]:
    """Starts both functions.

    Args:
        folder: for moto's log.
        loop: serves the model and Lambda.
    """
    with contextlib.ExitStack() as stack:
        moto = stack.enter_context(start_moto(folder))
        database = moto.client("dynamodb")
        make_table(database, TABLE)
        server = stack.enter_context(start_model_server(loop))
        queue = stack.enter_context(start_model_server(loop))
        queue.answering = lambda_queue = AsyncLambda()
        endpoint = FakeEndpoint("native-endpoint", [server.url])
        runtime = stack.enter_context(start_runtime(loop, endpoint))
        provider = {"url": f"{server.url}/v1", "model": "m", "apis": ["openai-chat"]}
        models: dict[str, dict[str, object]] = {
            "hosted": {"provider": provider, "headers": ["X-Mine"]},
            "claude": {"provider": {**provider, "apis": ["anthropic-messages"]}, "headers": []},
            "falls": {"provider": provider, "headers": [], "fallback": ["native"]},
            "native": {"endpoint": "native-endpoint", "speaks": "openai-chat", "headers": []},
            "rescued": {
                "endpoint": "native-endpoint",
                "speaks": "openai-chat",
                "fallback": ["claude", "native"],
            },
        }
        variables = {
            **moto.environment,
            "AWS_ENDPOINT_URL_DYNAMODB": moto.url,
            "AWS_ENDPOINT_URL_LAMBDA": queue.url,
            "JOBS_TABLE": TABLE,
        }
        del variables["AWS_ENDPOINT_URL"]

        def start(more: Mapping[str, str]) -> AbstractContextManager[StreamHost]:
            all_variables = {**variables, **more}
            return start_stream_host(models=models, sagemaker_url=runtime, environment=all_variables)

        def deploy(more: Mapping[str, str]) -> AbstractContextManager[StreamHost]:
            return start({"JOB_FUNCTION": FUNCTION, **more})

        front = stack.enter_context(deploy({}))
        runner = stack.enter_context(
            start({"_HANDLER": "job.handler", "AGAIN_SECONDS": "0.05", "KEY_FUNCTION": KEEPER})
        )
        yield Jobs(front, runner, endpoint, lambda_queue, server, database, deploy)
