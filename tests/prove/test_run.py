"""The whole command against a simulated AWS: it ends with a report, and nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contract.api import build_config
from contract.targets import serve_template
from prove.placing import NOWHERE
from prove.run import ADDRESS_VARIABLE
from support.api_gateway import serve_api
from support.aws_inventory import count_leftovers, take_inventory
from support.background import start_background
from support.local_api import start_local_api
from support.moto_server import start_moto
from support.odd_server import OddServer
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract.targets import Targets
    from support.api_gateway.message import Request, Response, Streamed
    from support.moto_server import MotoServer

pytestmark = pytest.mark.slow
TESTS = Path(__file__).parents[1]
STACK = "CentralizedMlApiStack"
DEADLINE_SECONDS = 540


class LateGateway:
    """API Gateway of the stack that will be deployed; read when somebody first calls."""

    def __init__(self, build: Callable[[], Targets]) -> None:
        self._build = build
        self._targets: Targets | None = None
        self._lock = asyncio.Lock()

    async def answer(self, request: Request) -> Response | Streamed:
        """As the real one, once it is there."""
        async with self._lock:
            targets = self._targets
            if targets is None:
                targets = self._targets = await asyncio.to_thread(self._build)
        return await targets.gateway.answer(request)


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[MotoServer]:
    with start_moto(tmp_path) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "proof"


def command(folder: Path, *flags: str) -> list[str]:
    where = ["--folder", str(folder), "--stack", STACK, "--region", "us-east-1"]
    return [sys.executable, "-m", "prove", *where, *flags]


def environment(aws: MotoServer, folder: Path, **more: str) -> dict[str, str]:
    own = {"CDK_VALIDATION": "false", "MLAPI_CACHE": str(folder.parent / "cache")}
    return {**os.environ, **aws.environment, **own, **more}


def run(aws: MotoServer, folder: Path, *flags: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(folder, *flags),
        cwd=TESTS,
        env=environment(aws, folder, **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_SECONDS,
    )


@pytest.fixture
def address(aws: MotoServer, folder: Path, tmp_path: Path) -> Iterator[str]:
    """Where the deployed API answers: the tests' API Gateway, with the template and the keys of the stack."""
    local_folder = tmp_path / "local"
    local_folder.mkdir()
    with contextlib.ExitStack() as stack:
        background = stack.enter_context(start_background())
        odd = stack.enter_context(OddServer())
        odd.steps.set()
        held = stack.enter_context(socket.socket())
        held.bind(("127.0.0.1", 0))
        config = build_config(local_folder, odd.port, held.getsockname()[1])
        local = stack.enter_context(start_local_api(local_folder, config)).wait_serving()

        def build() -> Targets:
            output = folder / "state" / "cdk.out"
            template = json.loads((output / f"{STACK}.template.json").read_text(encoding="utf-8"))
            keys = {key["name"]: key["value"] for key in take_inventory(aws).keys.values()}
            adopted = {f"{NOWHERE}{entry['name']}": entry["name"] for entry in config["models"]}
            served = serve_template(template, output, local, background, keys=keys, adopted=adopted)
            return stack.enter_context(served)

        gateway: Any = LateGateway(build)
        yield stack.enter_context(serve_api(background, gateway))


def test_the_command_proves_everything_and_leaves_nothing(
    aws: MotoServer, folder: Path, address: str
) -> None:
    done = run(aws, folder, "--yes", "--bootstrap", **{ADDRESS_VARIABLE: address})
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    failed = [check for check in report["checks"] if check["verdict"] == "failed"]
    assert failed == [], done.stderr
    assert done.returncode == 0, done.stderr
    assert report["counts"]["passed"] > 100
    assert count_leftovers(aws) == {}
    assert not [
        name["Name"] for name in aws.client("s3").list_buckets()["Buckets"] if "prove" in name["Name"]
    ]
    readable = (folder / "report.md").read_text(encoding="utf-8")
    assert readable.startswith("# A run on AWS\n\n**Passed**")
    for secret in ("123456789012", "mlapi-prove-"):
        assert secret not in readable
        assert secret not in (folder / "report.json").read_text(encoding="utf-8")


def test_a_deploy_that_fails_is_destroyed_and_reported(aws: MotoServer, folder: Path) -> None:
    done = run(aws, folder, "--yes")
    assert done.returncode == 1
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    verdicts = {check["name"]: check["verdict"] for check in report["checks"]}
    assert verdicts == {
        "the config is deployed": "failed",
        "the stack is destroyed": "passed",
        "the bucket is deleted": "passed",
        "nothing is left": "passed",
    }
    assert "add --bootstrap to confirm" in (folder / "report.md").read_text(encoding="utf-8")


def test_nothing_happens_without_consent(aws: MotoServer, folder: Path) -> None:
    done = run(aws, folder)
    assert done.returncode == 1, "the question has no answer"
    assert "USD an hour in all" in done.stderr
    assert not aws.client("s3").list_buckets()["Buckets"]
    assert not (folder / "report.md").exists()


def test_an_interrupted_run_destroys_what_it_made(aws: MotoServer, folder: Path) -> None:
    with subprocess.Popen(
        command(folder, "--yes", "--bootstrap"),
        cwd=TESTS,
        env=environment(aws, folder),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        stacks = aws.client("cloudformation")
        wait_until(lambda: bool(stacks.list_stacks()["StackSummaries"]), "the deploy has begun", 240)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 1
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    verdicts = {check["name"]: check["verdict"] for check in report["checks"]}
    assert verdicts["the run ended by itself"] == "failed"
    assert verdicts["nothing is left"] == "passed"
    there = take_inventory(aws).counts()
    assert not {"stacks", "endpoints", "models", "apis", "keys", "functions"} & set(there)
