"""The engine `sagemaker`: a real endpoint that checks signatures, behind a real `mlapi up`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from support.background import start_background
from support.local_api import LocalApi, odd_command, start_local_api
from support.model_server import ModelServer, answer, start_model_server
from support.runtime import FakeEndpoint
from support.signed_runtime import Keys, start_signed_runtime
from support.waiting import text_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


REGION = "eu-west-1"
SECRET = "this/is+a=secret"  # noqa: S105
SAGEMAKER = {"engine": "sagemaker", "region": REGION}
FUNCTION = """
import os
import boto3

def lambda_handler(event, context):
    runtime = boto3.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=os.environ["ENDPOINT_NAME"], Body=event["body"])
    return {"statusCode": 200, "body": answer["Body"].read().decode()}
"""
CONFIG: dict[str, Any] = {
    "models": [],
    "endpoints": [
        {
            "name": "real",
            "endpoint_name": "Real-1",
            "integration": {"type": "api"},
            "local": {**SAGEMAKER, "speaks": "openai-chat"},
        },
        {
            "name": "with-function",
            "endpoint_name": "Real-1",
            "integration": {
                "type": "lambda",
                "properties": {
                    "code": "function",
                    "permissions": ["sagemaker:InvokeEndpoint"],
                    "timeout": 20,
                },
            },
            "local": SAGEMAKER,
        },
        {"name": "here", "integration": {"type": "api"}, "local": odd_command()},
    ],
}


@dataclass
class Real:
    """A running API, the endpoint behind it, and where its user logs in."""

    api: LocalApi
    model: ModelServer
    keys: Keys
    credentials: Path

    def log_in(self, key: str) -> None:
        """As `aws configure` does."""
        self.keys.add(key, SECRET)
        text = f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {SECRET}\n"
        self.credentials.write_text(text)

    def entry(self, name: str) -> dict[str, Any]:
        """How an entry is."""
        entries: list[dict[str, Any]] = self.api.status()["entries"]
        return next(entry for entry in entries if entry["name"] == name)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """The API of a user who has not logged in yet, then does."""
    folder = tmp_path_factory.mktemp("sagemaker")
    (folder / "function").mkdir()
    (folder / "function/index.py").write_text(FUNCTION)
    keys = Keys(REGION)
    with (
        start_background() as background,
        start_model_server(background) as model,
        start_signed_runtime(background, FakeEndpoint("Real-1", [model.url], "/model"), keys) as url,
        start_local_api(folder, CONFIG, environment=environment(folder, url)) as api,
    ):
        real = Real(api.wait_serving(), model, keys, folder / "aws-credentials")
        assert_waits_for_a_login(real)
        real.log_in("AKIDFIRST")
        wait_until(lambda: real.entry("with-function")["state"] == "ready", "the login is noticed")
        wait_until(lambda: real.api.call("/real").status == 200, "the gateway has heard of the login")
        wait_until(lambda: real.api.call("/with-function").status == 200, "of its function, too")
        yield real


def environment(folder: Path, url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url,
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "aws-credentials"),
        "AWS_CONFIG_FILE": str(folder / "aws-config"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def assert_waits_for_a_login(real: Real) -> None:
    """Without credentials the entry says how to log in, to its operator alone; the others serve."""
    wait_until(lambda: real.entry("real")["state"] == "unready", "it has looked for credentials")
    assert "aws sso login" in real.entry("real")["detail"]
    answered = real.api.call("/real")
    assert (answered.status, answered.headers["Retry-After"]) == (503, "2")
    assert b"sso" not in real.api.call("/health", method="GET").data
    assert real.api.call("/here").status == 200


@pytest.mark.slow
def test_a_call_reaches_the_endpoint_signed(real: Real) -> None:
    answered = real.api.call("/real", b'{"x": 1}')
    assert (answered.status, answered.data) == (200, b'{"x": 1}')
    assert real.keys.seen[-1].startswith("AKID")


@pytest.mark.slow
def test_it_chats_where_the_config_says_so(real: Real) -> None:
    body = b'{"model": "real", "messages": []}'
    assert real.api.call("/v1/chat/completions", body).data == body


@pytest.mark.slow
def test_a_function_calls_it_with_boto3(real: Real) -> None:
    assert real.api.call("/with-function", b'{"from": "a function"}').data == b'{"from": "a function"}'


@pytest.mark.slow
def test_boto3_sees_what_aws_answers(real: Real) -> None:
    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=real.api.status()["sagemaker_runtime"],
        region_name=REGION,
        aws_access_key_id="anything",
        aws_secret_access_key="anything",  # noqa: S106
        config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
    )
    call = {"EndpointName": "Real-1", "Body": b"{}", "ContentType": "application/json"}
    streamed = client.invoke_endpoint_with_response_stream(**call)
    assert b"".join(event["PayloadPart"]["Bytes"] for event in streamed["Body"]) == b"{}"
    real.model.answering = answer(418, b"no tea")
    try:
        with pytest.raises(client.exceptions.ModelError) as failed:
            client.invoke_endpoint(**call)
    finally:
        real.model.answering = ModelServer().answering
        client.close()
    assert failed.value.response["OriginalStatusCode"] == 418


@pytest.mark.slow
def test_a_new_login_is_used_without_a_restart(real: Real) -> None:
    real.log_in("AKIDNEXTONE")
    real.keys.expired.add("AKIDFIRST")
    wait_until(lambda: real.api.call("/real").status == 200, "the new login is used")
    assert real.keys.seen[-1] == "AKIDNEXTONE"


@pytest.mark.slow
def test_what_aws_refuses_is_in_the_gateways_log_alone(real: Real) -> None:
    assert real.api.call("/real").status == 200
    key = real.keys.seen[-1]
    real.keys.expired.add(key)
    try:
        answered = real.api.call("/real")
    finally:
        real.keys.expired.clear()
    error = json.loads(answered.data)["error"]
    assert (answered.status, error["code"]) == (502, "model_failed")
    assert "ExpiredToken" not in error["message"]
    log = real.api.folder / ".mlapi/logs/gateway.log"
    wait_until(lambda: "ExpiredTokenException" in text_of(log), "the reason is in the log")


@pytest.mark.slow
def test_the_secret_is_in_no_argument_log_or_configuration(real: Real) -> None:
    kept = [path for path in (real.api.folder / ".mlapi").rglob("*") if path.is_file()]
    with_secret = [path for path in kept if SECRET in path.read_text(errors="replace")]
    assert {path.name for path in with_secret} == {"credentials"}
    for path in with_secret:
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
    for process in real.api.pids():
        assert SECRET not in " ".join(process.cmdline())


@pytest.mark.slow
def test_after_a_stop_no_credentials_are_left(tmp_path: Path) -> None:
    keys = tmp_path / "aws-credentials"
    keys.write_text(f"[default]\naws_access_key_id = AKID\naws_secret_access_key = {SECRET}\n")
    config = {"models": [], "endpoints": [CONFIG["endpoints"][0]]}
    with start_local_api(tmp_path, config, environment=environment(tmp_path, "http://127.0.0.1:9")) as api:
        wait_until(lambda: any((tmp_path / ".mlapi").rglob("credentials")), "credentials are written")
        api.stop()
    assert not list((tmp_path / ".mlapi").rglob("*credentials*"))
