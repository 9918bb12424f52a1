"""Functions as they were written for the original, behind the real gateway."""

from __future__ import annotations

import base64
import json
import textwrap
import threading
from typing import TYPE_CHECKING

import pytest

from support.local_api import PLAIN, LocalApi, odd_command, start_local_api

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


FUNCTIONS = {
    "original": """
        import json, os
        import boto3
        client = boto3.client("runtime.sagemaker")
        def lambda_handler(event, context):
            body = json.loads(event["body"])
            answer = client.invoke_endpoint(
                EndpointName=os.environ["ENDPOINT_NAME"], Body=json.dumps(body).encode(),
                ContentType=event["headers"].get("Content-Type", "application/json"),
                Accept=event["headers"].get("Accept", "application/json"))
            return {"statusCode": 200, "body": answer["Body"].read().decode(),
                    "headers": {"Content-Type": answer["ContentType"]}}
        """,
    "own-answer": """
        def lambda_handler(event, context):
            headers = {"X-Own": "yes", "Content-Type": "text/plain"}
            return {"statusCode": 418, "body": event["path"], "headers": headers}
        """,
    "image": """
        import base64
        def lambda_handler(event, context):
            return {"statusCode": 200, "isBase64Encoded": True, "headers": {"Content-Type": "image/png"},
                    "body": base64.b64encode(base64.b64decode(event["body"])[::-1]).decode()}
        """,
    "raises": "def lambda_handler(event, context): raise ValueError('wrong inside')",
    "garbage": "def lambda_handler(event, context): return ['not', 'an', 'answer']",
    "too-slow": "import time\ndef lambda_handler(event, context): time.sleep(60)",
    "meets": """
        import json, pathlib, time
        def lambda_handler(event, context):
            room = pathlib.Path(json.loads(event["body"])["room"])
            (room / context.aws_request_id).touch()
            while len(list(room.iterdir())) < 8 and context.get_remaining_time_in_millis() > 1000:
                time.sleep(0.01)
            return {"statusCode": 200, "body": str(len(list(room.iterdir())))}
        """,
}


def entry(name: str, folder: Path, timeout: int) -> dict[str, object]:
    code = folder / name
    code.mkdir()
    (code / "index.py").write_text(textwrap.dedent(FUNCTIONS[name]).strip())
    properties = {"code": name, "permissions": ["sagemaker:InvokeEndpoint"], "timeout": timeout}
    integration = {"type": "lambda", "properties": properties}
    return {"name": name, **PLAIN, "integration": integration, "local": odd_command()}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    folder = tmp_path_factory.mktemp("functions")
    entries = [entry(name, folder, 2 if name == "too-slow" else 20) for name in FUNCTIONS]
    with start_local_api(folder, {"models": entries}) as started:
        yield started.wait_serving()


@pytest.mark.slow
def test_one_in_the_originals_form_runs_unmodified_and_credentials_stay_out(api: LocalApi) -> None:
    answer = api.call(
        "/original",
        b'{"a": 1}',
        Content_Type="application/json",
        Authorization="Bearer x",
        Cookie="a=b",
        x_api_key="k",
    )
    assert answer.status == 200, answer.data
    seen = json.loads(answer.data)
    names = {name for name, _ in seen["headers"]}
    assert ["content-type", "application/json"] in seen["headers"]
    assert names.isdisjoint({"authorization", "cookie", "x-api-key", "x-forwarded-for", "x-forwarded-proto"})
    assert seen["length"] == len(b'{"a": 1}')


@pytest.mark.slow
def test_it_sets_its_own_status_and_headers(api: LocalApi) -> None:
    answer = api.call("/own-answer")
    assert (answer.status, answer.data) == (418, b"/own-answer")
    assert answer.headers["X-Own"] == "yes"
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.slow
def test_binary_goes_in_and_out_unchanged(api: LocalApi) -> None:
    answer = api.call("/image", b"\x89PNG\x00\xff", Content_Type="image/png")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/png")
    assert answer.data == b"\xff\x00GNP\x89"
    assert base64.b64encode(answer.data)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "status"), [("raises", 502), ("garbage", 502), ("too-slow", 504)])
def test_its_failures_have_the_one_error_shape(api: LocalApi, name: str, status: int) -> None:
    answer = api.call(f"/{name}")
    error = json.loads(answer.data)["error"]
    assert answer.status == status
    assert set(error) == {"message", "type", "code", "request_id"}
    assert error["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.data.decode()
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.slow
def test_eight_at_once_run_at_once(api: LocalApi, tmp_path: Path) -> None:
    seen: list[bytes] = []
    body = json.dumps({"room": str(tmp_path)}).encode()
    callers = [threading.Thread(target=lambda: seen.append(api.call("/meets", body).data)) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(40)
    assert seen == [b"8"] * 8
