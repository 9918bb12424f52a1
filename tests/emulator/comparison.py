"""The same request to both, and where their answers differ."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contract.case import JSON, Request, send
from support.api_gateway.document import ANY_METHOD, INTEGRATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from emulator.rest_apis import Both
    from support.running_gateway import Answer

REQUEST_ID = "x-request-id"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
MODEL_NAMES = ("chats", "chats/", "model-1", "no", "a%7Cb", "%22%3E", "$n", "%23end", "a%20b", "%C3%A9")
BODIES = {
    "application/json": b'{"text": "caf\xc3\xa9"}',
    "text/plain": b"plain",
    "application/x-www-form-urlencoded": b"a=1&b=2",
    "application/octet-stream": b"\x00\xff\xfe",
}
IGNORED = {
    "connection",  # of HTTP itself
    "content-length",
    "date",
    "server",
    "x-amz-apigw-id",  # of each implementation's own
    "x-amzn-requestid",
    "x-amzn-trace-id",
    "x-localstack",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer as far as both must agree: of the id of the request that there is one, of JSON the value."""

    status: int
    headers: dict[str, str]
    body: Any


def find_differences(both: Both, requests: list[Request]) -> list[str]:
    """Sends each request to both and returns a text for each that they answer differently."""
    found = []
    for request in requests:
        emulator, interpreter = (
            read_answer(send(url, request)) for url in (both.emulator_url, both.interpreter_url)
        )
        if emulator != interpreter:
            found.append(f"{request}\n  emulator:    {emulator}\n  interpreter: {interpreter}")
    return found


def read_answer(answer: Answer) -> Seen:
    """Returns what of an answer is compared."""
    headers = {name: value for name, value in answer.headers if name not in IGNORED}
    body = answer.body
    if identity := headers.get(REQUEST_ID):
        headers[REQUEST_ID] = "<id>"
        body = body.replace(identity.encode(), b"<id>")
    return Seen(answer.status, headers, _parse(body) if headers.get("content-type") == JSON else body)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


def list_requests(document: Mapping[str, Any]) -> list[Request]:
    """Lists requests for every method that no function answers; of paths that are alike, for one."""
    listed: dict[str, list[Request]] = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            operation = item.get(method.lower(), item.get(ANY_METHOD))
            if operation and operation[INTEGRATION]["type"] != "aws_proxy":
                made = [
                    request
                    for where in _fill(path, method)
                    for request in _requests(where, method, operation)
                ]
                listed.setdefault(f"{method} {_shape(operation)}", made)
    return [request for requests in listed.values() for request in requests]


def _shape(operation: Mapping[str, Any]) -> str:
    """Renders what makes answers differ: all but the names of the operation and of its endpoint."""
    integration = {name: value for name, value in operation[INTEGRATION].items() if name != "uri"}
    where = re.sub(r"/endpoints/[^/]+", "", operation[INTEGRATION].get("uri", ""))
    return json.dumps([where, integration, operation["responses"]], sort_keys=True)


def _fill(path: str, method: str) -> list[str]:
    """Fills the parameters of a path; for reading, also with unknown names, or with what VTL could act on."""
    names = MODEL_NAMES if method in {"GET", "HEAD"} else MODEL_NAMES[:1]
    filled = [path.replace("{model}", name) for name in names] if "{model}" in path else [path]
    return [where.replace("{proxy+}", "some/where") for where in filled]


def _requests(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[Request]:
    """A call of SageMaker always has a type: without one, only API Gateway itself would add it."""
    integration = operation[INTEGRATION]
    if integration["type"] == "mock" or method != "POST":
        yield from (Request(where, b"", method) for where in (path, f"{path}/", f"/{path}"))
        yield Request(f"{path}?a=1&a=2", b"", method, {"Accept": "text/html,*/*;q=0.8"})
    if method in {"POST", "PUT", "PATCH"}:
        types = integration.get("requestTemplates", BODIES)
        for media_type in types:
            if media_type in BODIES:
                yield Request(path, BODIES[media_type], method, {"Content-Type": media_type})
