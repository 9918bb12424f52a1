"""Whatever a function does, its caller gets the right answer: with AWS's own runtime client."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from support.function_host import FunctionHost

Host = Callable[..., FunctionHost]

KITCHEN_SINK = """
import base64, json, logging, os, sys, time

def lambda_handler(event, context):
    order = (event["queryStringParameters"] or {}).get("do", "show")
    return globals()[order](event, context)

def show(event, context):
    facts = {
        "event": event,
        "remaining": context.get_remaining_time_in_millis(),
        "request_id": context.aws_request_id,
        "name": context.function_name,
        "version": context.function_version,
        "memory": context.memory_limit_in_mb,
        "arn": context.invoked_function_arn,
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "pid": os.getpid(),
    }
    return {"statusCode": 200, "body": json.dumps(facts)}

def own_answer(event, context):
    return {
        "statusCode": 418,
        "headers": {"Content-Type": "text/plain", "X-Own": "yes"},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        "body": "tea",
    }

def binary(event, context):
    return {"headers": {"Content-Type": "image/png"}, "isBase64Encoded": True,
            "body": event["body"] if event["isBase64Encoded"] else ""}

def empty(event, context):
    return {"statusCode": 204}

def raises(event, context):
    raise KeyError("no such thing\\nsecond line")

def exits(event, context):
    sys.exit(3)

def dies(event, context):
    os.kill(os.getpid(), 11)

def returns_none(event, context):
    return None

def returns_bytes(event, context):
    return b"\\x00"

def returns_object(event, context):
    return {"generated_texts": []}

def returns_what_is_not_json(event, context):
    return {"statusCode": 200, "body": {1, 2}}

def returns_too_much(event, context):
    return {"body": "x" * 7_000_000}

def prints(event, context):
    print("to stdout")
    print("to stderr", file=sys.stderr)
    logging.getLogger().warning("to the log")
    sys.stdout.write("without an end")
    return {}

def sleeps(event, context):
    time.sleep(3600)
"""


@pytest.fixture
def sink(host: Host) -> FunctionHost:
    return host(KITCHEN_SINK, environment={"MINE": "ü"})


def show(host: FunctionHost, **request: Any) -> dict[str, Any]:
    reply = host.call(**request)
    assert reply.status == 200, reply
    facts: dict[str, Any] = reply.json()
    return facts


@pytest.mark.slow
def test_context_and_environment_are_lambdas(sink: FunctionHost) -> None:
    facts = show(sink, headers={"x-request-id": "my-id.1"})
    assert facts["request_id"] == facts["event"]["requestContext"]["requestId"] == "my-id.1"
    assert 0 < facts["remaining"] <= 20_000
    assert (facts["name"], facts["version"], facts["memory"]) == ("echo", "$LATEST", "256")
    assert facts["arn"] == "arn:aws:lambda:us-east-1:000000000000:function:echo"
    environment = facts["environment"]
    assert (environment["MINE"], environment["ENDPOINT_NAME"]) == ("ü", "echo-endpoint")
    assert facts["folder"] == environment["LAMBDA_TASK_ROOT"]


@pytest.mark.slow
def test_nothing_of_the_users_environment_reaches_the_function(sink: FunctionHost) -> None:
    assert "hunter2" not in json.dumps(show(sink)["environment"])


@pytest.mark.slow
def test_a_request_id_that_could_confuse_a_log_is_replaced(sink: FunctionHost) -> None:
    assert show(sink, headers={"x-request-id": "a b"})["request_id"] != "a b"


@pytest.mark.slow
def test_the_event_carries_the_request(sink: FunctionHost) -> None:
    facts = show(
        sink, body="naïve".encode(), headers={"content-type": "text/plain"}, path="/echo?do=show&a=1&a=%C3%A9"
    )
    event = facts["event"]
    assert (event["path"], event["httpMethod"], event["body"]) == ("/echo", "POST", "naïve")
    assert event["headers"]["Content-Type"] == "text/plain"
    assert event["multiValueQueryStringParameters"]["a"] == ["1", "é"]


@pytest.mark.slow
def test_status_headers_and_cookies_are_the_functions_own(sink: FunctionHost) -> None:
    reply = sink.call(path="/echo?do=own_answer")
    assert (reply.status, reply.body) == (418, b"tea")
    assert (reply.headers["content-type"], reply.headers["x-own"]) == ("text/plain", "yes")
    assert reply.headers["set-cookie"] == "a=1,b=2"


@pytest.mark.slow
def test_binary_goes_in_and_out_byte_for_byte(sink: FunctionHost) -> None:
    body = bytes(range(256)) * 4000
    reply = sink.call(body, {"content-type": "application/octet-stream"}, path="/echo?do=binary")
    assert (reply.body == body, reply.headers["content-type"]) == (True, "image/png")


@pytest.mark.slow
def test_a_compressed_body_is_not_touched(sink: FunctionHost) -> None:
    headers = {"content-type": "application/octet-stream", "content-encoding": "gzip"}
    assert sink.call(b"\x1f\x8bnot really", headers, path="/echo?do=binary").body == b"\x1f\x8bnot really"


@pytest.mark.slow
def test_an_empty_answer_is_one(sink: FunctionHost) -> None:
    assert sink.call(path="/echo?do=empty").status == 204


@pytest.mark.slow
@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ("raises", "the function raised KeyError: 'no such thing"),
        ("exits", "the function's process ended during the call (exit status 3)"),
        ("dies", "the function's process ended during the call (signal SIGSEGV)"),
        ("returns_none", "the function returned null instead of an object"),
        ("returns_bytes", "the function returned something that is not JSON"),
        ("returns_object", 'the function returned the key "generated_texts"'),
        ("returns_what_is_not_json", "the function raised Runtime.MarshalError: Unable to marshal response"),
        ("returns_too_much", "the function's response is larger than 6 MB, Lambda's limit"),
    ],
)
def test_every_failure_is_502_with_its_reason_and_the_next_call_works(
    sink: FunctionHost, order: str, reason: str
) -> None:
    reply = sink.call(path=f"/echo?do={order}", headers={"x-request-id": "r-1"})
    assert (reply.status, reply.headers["content-type"]) == (502, "application/json")
    assert reply.error["message"].startswith(f"echo: {reason}")
    assert reply.error["request_id"] == "r-1"
    assert "Traceback" not in reply.error["message"]
    assert sink.call().status == 200


@pytest.mark.slow
def test_the_traceback_is_in_the_log(sink: FunctionHost) -> None:
    sink.call(path="/echo?do=raises", headers={"x-request-id": "r-2"})
    assert sink.wait_for_line("in raises").startswith("r-2 ")


@pytest.mark.slow
def test_a_timeout_is_504_and_the_worker_is_replaced(host: Host) -> None:
    sink = host(KITCHEN_SINK, timeout_seconds=1)
    before = show(sink)["pid"]
    reply = sink.call(path="/echo?do=sleeps", headers={"x-request-id": "r-3"})
    assert (reply.status, reply.error["type"]) == (504, "timeout_error")
    assert reply.error["message"] == "echo: the function did not answer within 1 seconds"
    assert sink.wait_for_line("Task timed out after 1.00 seconds").split()[1] == "r-3"
    assert show(sink)["pid"] != before


@pytest.mark.slow
def test_output_is_logged_under_its_request_between_start_and_report(sink: FunctionHost) -> None:
    sink.call(path="/echo?do=prints", headers={"x-request-id": "r-4"})
    sink.wait_for_line("REPORT RequestId: r-4")
    lines = [line for line in sink.lines if "r-4" in line]
    assert lines[0] == "START RequestId: r-4 Version: $LATEST"
    assert lines[1:3] == ["r-4 to stdout", "r-4 to stderr"]
    assert lines[3].startswith("r-4 [WARNING]")
    assert lines[4:6] == ["r-4 without an end", "END RequestId: r-4"]
    assert "Memory Size: 256 MB" in lines[6]


@pytest.mark.slow
def test_a_body_over_the_limit_is_413_naming_it(sink: FunctionHost) -> None:
    reply = sink.call(b"x" * (6 * 1024 * 1024 + 1))
    assert (reply.status, reply.error["code"]) == (413, "body_too_large")
    assert "6 MB" in reply.error["message"]


@pytest.mark.slow
def test_a_binary_body_whose_event_is_over_lambdas_limit_is_413_saying_why(sink: FunctionHost) -> None:
    reply = sink.call(b"x" * 5_000_000, {"content-type": "application/octet-stream"})
    assert reply.status == 413
    assert "base64" in reply.error["message"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({"Expect": "200-maybe"}, "/echo"),
        ({"Expect": "\xff"}, "/echo"),
        ({"X-Large": "x" * 60_000}, "/echo"),
        ({}, f"/echo?large={'x' * 60_000}"),
    ],
    ids=["an odd Expect", "one that is no text", "a large header", "a large address"],
)
def test_whatever_the_gateway_lets_through_reaches_the_function(
    sink: FunctionHost, headers: dict[str, str], path: str
) -> None:
    assert sink.call(b"{}", headers, path=path).status == 200


@pytest.mark.slow
def test_a_library_in_the_functions_folder_wins_and_its_folder_stays_clean(host: Host) -> None:
    source = """
import base64, json, os, pathlib
pathlib.Path("jmespath.py").write_text("MARK = 'own'")
import jmespath
def lambda_handler(event, context):
    return {"body": json.dumps([jmespath.MARK, sorted(os.listdir())])}
"""
    assert host(source).call().json() == ["own", ["index.py", "jmespath.py"]]


@pytest.mark.slow
def test_large_text_comes_back_whole(host: Host) -> None:
    echo = host("def lambda_handler(event, context):\n    return {'body': event['body']}")
    body = base64.b64encode(bytes(range(256)) * 12_000)
    assert echo.call(body, {"content-type": "text/plain"}).body == body
