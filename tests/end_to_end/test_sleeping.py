"""Models that sleep, in one whole API: they cost no process, wake for whoever calls, and take turns."""

from __future__ import annotations

import contextlib
import json
import textwrap
import threading
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import urllib3
from botocore.config import Config

from support.local_api import PLAIN, LocalApi, mlapi, odd_command, start_local_api
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FUNCTION = """
    import boto3, os
    def lambda_handler(event, context):
        runtime = boto3.client("sagemaker-runtime")
        answer = runtime.invoke_endpoint(EndpointName=os.environ["ENDPOINT_NAME"], Body=event["body"])
        return {"statusCode": 200, "body": answer["Body"].read().decode()}
"""


def build_config(folder: Path) -> dict[str, Any]:
    """One that naps, two that share a place, one behind a function, one that cannot start, one endless."""
    (folder / "function").mkdir()
    (folder / "function" / "index.py").write_text(textwrap.dedent(FUNCTION).strip())
    properties = {"code": "function", "permissions": ["sagemaker:InvokeEndpoint"], "timeout": 25}
    broken = {"engine": "command", "run": ["sh", "-c", "exit 3 # {port}"], "starts": "on-call"}
    blocks = {
        "naps": odd_command(idle="1s", starts="on-call"),
        "left": odd_command(shares="place"),
        "right": odd_command(shares="place"),
        "wrapped": odd_command(starts="on-call"),
        "broken": broken,
        "slow": {"engine": "command", "run": ["sh", "-c", "sleep 600 # {port}"], "starts": "on-call"},
    }
    entries = [{"name": name, **PLAIN, "local": block} for name, block in blocks.items()]
    entries[3]["integration"] = {"type": "lambda", "properties": properties}
    return {"models": entries}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    folder = tmp_path_factory.mktemp("sleeping")
    with start_local_api(folder, build_config(folder)) as started:
        yield started.wait_serving()


def states(api: LocalApi) -> dict[str, str]:
    """How the entries are, as everybody sees it."""
    health = json.loads(api.call("/health", method="GET").data)
    return {**dict.fromkeys(health["ready"], "ready"), **health.get("asleep", {}), **health["unready"]}


def entry_of(api: LocalApi, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in api.status()["entries"] if entry["name"] == name)
    return found


@pytest.mark.slow
def test_only_what_is_called_runs(api: LocalApi) -> None:
    sleepers = dict.fromkeys(["naps", "right", "wrapped", "broken", "slow"], "asleep")
    assert states(api) == {"left": "ready", **sleepers}
    assert api.call("/health", method="GET").status == 200
    status = api.status()
    assert {entry["name"]: entry["state"] for entry in status["entries"]} == states(api)
    pids = {part["name"]: part["pids"] for entry in status["entries"] for part in entry["parts"]}
    assert [name for name, running in pids.items() if running] == ["left"]


@pytest.mark.slow
def test_many_calls_at_once_wake_it_once_and_are_all_answered_and_then_it_sleeps(api: LocalApi) -> None:
    answers: list[int] = []
    callers = [threading.Thread(target=lambda: answers.append(api.call("/naps").status)) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert answers == [200] * 6
    wait_until(lambda: states(api)["naps"] == "asleep", "it sleeps again")
    naps = entry_of(api, "naps")
    assert (naps["sleep"]["wakes"], naps["parts"][0]["pids"]) == (1, [])
    assert naps["sleep"]["ready_in"] > 0, "its wake was measured"
    catalogue = json.loads(api.call("/models", method="GET").data)
    (told,) = (model["sleep"] for model in catalogue["models"] if model["name"] == "naps")
    assert told["state"] == "asleep"
    assert told["wakes_in_seconds"] >= 1


@pytest.mark.slow
def test_two_that_share_a_place_take_turns_and_lose_no_call(api: LocalApi) -> None:
    assert [api.call(f"/{name}").status for name in ("right", "left", "right")] == [200] * 3
    wait_until(lambda: (states(api)["left"], states(api)["right"]) == ("asleep", "ready"), "it is told")


@pytest.mark.slow
def test_a_function_and_its_model_wake_together_and_boto3_wakes_them_too(api: LocalApi) -> None:
    assert api.call("/wrapped", b'{"a": 1}').status == 200
    assert mlapi("sleep", "wrapped", cwd=api.folder).status == 0
    wait_until(lambda: states(api)["wrapped"] == "asleep", "it sleeps")
    runtime = boto3.client(
        "sagemaker-runtime",
        endpoint_url=api.status()["sagemaker_runtime"],
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",  # noqa: S106  # nobody checks it here
        config=Config(retries={"total_max_attempts": 1}),
    )
    answer = runtime.invoke_endpoint(EndpointName="wrapped", Body=b"hello")
    assert json.loads(answer["Body"].read())["length"] == 5


@pytest.mark.slow
def test_what_cannot_start_says_so_and_is_left_alone_for_a_while(api: LocalApi) -> None:
    first = api.call("/broken")
    assert (first.status, json.loads(first.data)["error"]["code"]) == (503, "model_not_ready")
    again = api.call("/broken")
    assert again.headers["x-model-state"] == "failed"
    assert 1 <= int(again.headers["Retry-After"]) <= 10
    assert again.headers["Access-Control-Allow-Origin"] == "*"
    broken = entry_of(api, "broken")
    assert (broken["state"], broken["parts"][0]["pids"]) == ("failed", [])
    woken = mlapi("wake", "broken", cwd=api.folder)
    assert woken.status == 1
    assert "broken did not wake" in woken.talk


@pytest.mark.slow
def test_it_is_woken_by_hand_and_the_api_stops_while_one_wakes(api: LocalApi) -> None:
    woken = mlapi("wake", "naps", cwd=api.folder)
    assert (woken.status, woken.out) == (0, "naps is ready.\n"), woken.talk
    unknown = mlapi("wake", "nobody", cwd=api.folder)
    assert unknown.status == 2
    assert "there is no entry nobody" in unknown.talk

    def call() -> None:
        with contextlib.suppress(urllib3.exceptions.HTTPError):  # it is cut off by the end
            api.call("/slow")

    caller = threading.Thread(target=call)
    caller.start()
    wait_until(lambda: states(api)["slow"] == "waking", "it wakes")
    started = api.pids()
    assert api.stop() == 0
    caller.join(60)
    assert [process for process in started if process.is_running() and process.status() != "zombie"] == []
