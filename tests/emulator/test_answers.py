"""The emulator's API Gateway and the tests' own import the same documents, and answer alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from contract.case import Request, send
from contract.sagemaker_errors import ROWS
from emulator.comparison import find_differences, list_requests, read_answer
from emulator.configs import HEADERS, NAMES
from emulator.rest_apis import Both, import_document, replace_document, serve_both
from support.api_gateway.document import ANY_METHOD, INTEGRATION
from support.model_server import answer, echo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emulator.configs import Synthesized
    from emulator.process import Emulator
    from support.background import Background
    from support.model_server import Answering, ModelServer

pytestmark = pytest.mark.slow

PNG = b"\x89PNG\r\n\x1a\n\xff\x00"
SUCCESSES: dict[str, Answering] = {
    "JSON": answer(200, b'{"a": "caf\xc3\xa9"}', Content_Type="application/json"),
    "text": answer(200, "café".encode(), Content_Type="text/plain; charset=utf-8"),
    "an empty body": answer(200, b"", Content_Type="application/json"),
    "custom attributes": answer(
        200, b"{}", Content_Type="application/json", X_Amzn_SageMaker_Custom_Attributes="trace=1"
    ),
    "headers that do not pass": answer(
        200, b"{}", Content_Type="application/json", Set_Cookie="a=1", Retry_After="7", X_Own="1"
    ),
    "an image": answer(200, PNG, Content_Type="image/png"),
    "bytes": answer(200, PNG, Content_Type="application/octet-stream"),
}
CALL = Request("/direct", headers={"Content-Type": "application/json"})
OTHER_STATUSES = (201, 299, 404, 413, 424, 502, 504, 530)


@pytest.fixture(scope="module", params=NAMES)
def config(request: pytest.FixtureRequest, synthesized: Callable[[str], Synthesized]) -> Synthesized:
    return synthesized(request.param)


@pytest.fixture(scope="module")
def both(
    emulator: Emulator, background: Background, sagemaker: ModelServer, config: Synthesized
) -> Iterator[Both]:
    with serve_both(emulator, background, config.document, config.objects, sagemaker.url) as both:
        yield both


def test_the_emulator_listens_on_loopback_alone(emulator: Emulator) -> None:
    sockets = psutil.Process(emulator.process.pid).net_connections(kind="inet")
    listening = {str(socket.laddr.ip) for socket in sockets if socket.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


def test_a_document_is_imported_without_a_warning(emulator: Emulator, config: Synthesized) -> None:
    before = len(emulator.warnings())
    api = import_document(emulator, config.document)
    replaced = replace_document(emulator, api["id"], config.document)
    assert "warnings" not in api
    assert "warnings" not in replaced
    assert emulator.warnings()[before:] == []


def test_a_warning_of_the_import_would_be_seen(emulator: Emulator, config: Synthesized) -> None:
    """A mapping that is no text: the emulator imports it whatever `failOnWarnings` says, and warns."""
    document = json.loads(json.dumps(config.document))
    document["paths"]["/"]["options"][INTEGRATION]["requestParameters"] = {
        "integration.request.header.a": True
    }
    assert import_document(emulator, document)["warnings"]


def test_every_method_is_imported(emulator: Emulator, config: Synthesized) -> None:
    found = _methods(emulator, import_document(emulator, config.document)["id"])
    paths = config.document["paths"]
    assert found.keys() == {(path, _verb(method)) for path, item in paths.items() for method in item}


def test_a_key_is_needed_where_the_document_says_so(emulator: Emulator, config: Synthesized) -> None:
    found = _methods(emulator, import_document(emulator, config.document)["id"])
    for path, item in config.document["paths"].items():
        for method, operation in item.items():
            imported = found[path, _verb(method)]
            needs_key = "security" in operation
            assert imported["apiKeyRequired"] is needs_key, (path, method)
            assert imported["authorizationType"] == ("CUSTOM" if needs_key else "NONE"), (path, method)


def test_both_answer_the_same(both: Both, config: Synthesized, sagemaker: ModelServer) -> None:
    sagemaker.answering = echo
    requests = list_requests(config.document)
    assert len(requests) > 30
    assert "\n".join(find_differences(both, requests)) == ""


@pytest.mark.parametrize("row", ROWS)
def test_both_tell_an_error_of_sagemaker_alike(row: str, open_api: Both, sagemaker: ModelServer) -> None:
    (status, members), expected = ROWS[row]
    body = json.dumps(members).encode()
    sagemaker.answering = answer(status, body, Content_Type="application/json")
    assert find_differences(open_api, [CALL]) == []
    told = send(open_api.emulator_url, CALL)
    expected.check(told, "aws")


@pytest.mark.parametrize("name", SUCCESSES)
def test_both_pass_a_success_alike(name: str, open_api: Both, sagemaker: ModelServer) -> None:
    sagemaker.answering = SUCCESSES[name]
    accepts = ("application/json", "image/png", "*/*", "application/octet-stream")
    media_type = "image/png" if name in {"an image", "bytes"} else "application/json"
    asked = [
        Request("/with-headers", headers={"Content-Type": "application/json", "Accept": accepted})
        for accepted in accepts
        if (accepted in accepts[1::2]) is (media_type == "image/png")
    ]
    assert find_differences(open_api, asked) == []
    assert read_answer(send(open_api.emulator_url, asked[0])).status == 200


@pytest.mark.parametrize("status", OTHER_STATUSES)
def test_both_take_another_status_for_the_same(status: int, open_api: Both, sagemaker: ModelServer) -> None:
    sagemaker.answering = answer(status, b'{"Message": "why"}', Content_Type="application/json")
    assert find_differences(open_api, [CALL]) == []


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/json", b'{"text": "caf\xc3\xa9"}'),
        ("text/csv", b"a,b\n1,2\n"),
        ("image/png", PNG),
        ("application/x-npy", b"\x93NUMPY\x01\x00"),
    ],
)
@pytest.mark.parametrize("path", ["/direct", "/with-headers"])
def test_both_send_sagemaker_the_same(
    path: str, media_type: str, body: bytes, open_api: Both, sagemaker: ModelServer
) -> None:
    sagemaker.answering = answer(200, b"{}", Content_Type="application/json")
    sent = {name: f"of {name}" for name in (*HEADERS, "X-Not-Passed")}
    headers = {**sent, "Content-Type": media_type, "Accept": "application/json"}
    got = []
    for url in (open_api.emulator_url, open_api.interpreter_url):
        del sagemaker.asked[:]
        assert send(url, Request(path, body, headers=headers)).status == 200
        (asked,) = sagemaker.asked
        names = ("content-type", "accept", *(name.lower() for name in sent))
        got.append((asked.path, {name: asked.headers.get(name) for name in names}, asked.body))
    assert got[0] == got[1]


def test_both_hide_why_a_document_is_missing(
    emulator: Emulator, background: Background, synthesized: Callable[[str], Synthesized]
) -> None:
    """The bucket is there and the object is not, as after somebody emptied it."""
    config = synthesized("open")
    document = json.loads(json.dumps(config.document).replace(".html", ".gone"))
    with serve_both(emulator, background, document, config.objects, "http://127.0.0.1:9") as both:
        assert find_differences(both, [Request("/", b"", "GET"), Request("/", b"", "HEAD")]) == []
        assert send(both.emulator_url, Request("/", b"", "GET")).status == 500


def test_a_difference_would_be_seen(
    emulator: Emulator,
    background: Background,
    sagemaker: ModelServer,
    synthesized: Callable[[str], Synthesized],
    open_api: Both,
) -> None:
    config = synthesized("open")
    document = json.loads(json.dumps(config.document).replace("POST, OPTIONS", "POST"))
    with serve_both(emulator, background, document, config.objects, sagemaker.url) as changed:
        mixed = Both(changed.emulator_url, open_api.interpreter_url)
        asked = [Request("/direct", b"", "GET"), Request("/models", b"", "GET")]
        (difference,) = find_differences(mixed, asked)
        assert "path='/direct'" in difference


def _methods(emulator: Emulator, api_id: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Returns what was imported, by path and method."""
    pages = (
        emulator.client("apigateway")
        .get_paginator("get_resources")
        .paginate(restApiId=api_id, embed=["methods"])
    )
    return {
        (resource["path"], method): found
        for page in pages
        for resource in page["items"]
        for method, found in resource.get("resourceMethods", {}).items()
    }


def _verb(method: str) -> str:
    return "ANY" if method == ANY_METHOD else method.upper()
