"""What the emulator cannot judge: each row of the table in `docs/explanation/aws.md`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contract.case import Request, send
from emulator.rest_apis import Both, deploy, import_document, without_keys
from support.api_gateway.server import PAYLOAD_LIMIT_BYTES
from support.model_server import answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulator.configs import Synthesized
    from emulator.process import Emulator
    from support.model_server import ModelServer

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs/explanation/aws.md"
JSON = {"Content-Type": "application/json"}


def test_the_page_has_a_row_for_each_limit() -> None:
    """The tests below are in the order of the rows."""
    section = PAGE.read_text().partition("Only our interpreter judges these:")[2]
    rows = re.findall(
        r"^\| (?!what|---)([^|]+) \|", section.partition("A test tries each row")[0], re.MULTILINE
    )
    assert [row.split()[0] for row in rows] == [
        "gateway",
        "authorizers,",
        "functions,",
        "the",
        "`contentHandling`",
        "parameters",
        "bodies",
    ]


@pytest.mark.parametrize(
    "request_", [Request("/nowhere"), Request("/models", b"a", "PUT", {"Content-Type": "a/b"})]
)
def test_gateway_responses(request_: Request, open_api: Both) -> None:
    theirs, ours = send(open_api.emulator_url, request_), send(open_api.interpreter_url, request_)
    assert theirs.json.keys() == {"message"}
    assert theirs.header("access-control-allow-origin") is None
    assert ours.json.keys() == {"error"}


def test_authorizers(emulator: Emulator, synthesized: Callable[[str], Synthesized]) -> None:
    url = deploy(emulator, synthesized("event with teams").document)
    answered = send(url, Request("/v1/models", b"", "GET", {"x-api-key": "k" * 20}))
    assert (answered.status, answered.json) == (403, {"message": "Forbidden"})


def test_functions(emulator: Emulator, synthesized: Callable[[str], Synthesized]) -> None:
    document = without_keys(synthesized("stream").document)
    api_id = import_document(emulator, document)["id"]
    assert "responseTransferMode" not in _integration(emulator, api_id, "/streamed")
    assert send(deploy(emulator, document), Request("/streamed", headers=JSON)).status >= 500


def test_sagemaker(emulator: Emulator, synthesized: Callable[[str], Synthesized]) -> None:
    url = deploy(emulator, synthesized("open").document)
    answered = send(url, Request("/direct", headers=JSON))
    assert (answered.status, answered.body) == (200, b"")


def test_content_handling(
    emulator: Emulator, open_api: Both, synthesized: Callable[[str], Synthesized]
) -> None:
    api_id = import_document(emulator, synthesized("open").document)["id"]
    responses = _integration(emulator, api_id, "/direct")["integrationResponses"]
    assert all("contentHandling" not in response for response in responses.values())
    asked = Request("/models", b"", "GET", {"Accept": "image/png"})
    assert send(open_api.emulator_url, asked).status == 500
    assert send(open_api.interpreter_url, asked).status == 200


def test_parameters_of_a_media_type(open_api: Both) -> None:
    asked = Request("/models", b"{}", "PUT", {"Content-Type": "application/json; charset=utf-8"})
    assert send(open_api.emulator_url, asked).status == 415
    assert send(open_api.interpreter_url, asked).status == 405


def test_large_bodies(open_api: Both, sagemaker: ModelServer) -> None:
    sagemaker.answering = answer(200, b"{}", Content_Type="application/json")
    asked = Request("/direct", bytes(PAYLOAD_LIMIT_BYTES + 1), headers=JSON)
    assert send(open_api.emulator_url, asked).status == 200
    assert send(open_api.interpreter_url, asked).status == 413


def _integration(emulator: Emulator, api_id: str, path: str) -> dict[str, Any]:
    """Returns what was imported for POST of a path."""
    client = emulator.client("apigateway")
    items = client.get_resources(restApiId=api_id, limit=500)["items"]
    (found,) = [resource["id"] for resource in items if resource["path"] == path]
    integration: dict[str, Any] = client.get_integration(
        restApiId=api_id, resourceId=found, httpMethod="POST"
    )
    return integration
