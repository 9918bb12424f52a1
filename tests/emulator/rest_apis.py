"""One OpenAPI document behind both: the emulator's API Gateway, and the tests' own."""

from __future__ import annotations

import contextlib
import copy
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support.api_gateway import ApiGateway, build_rest_api, serve_api
from support.api_gateway.back_ends import BackEnds
from support.api_gateway.document import INTEGRATION
from support.api_gateway.server import STAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from emulator.process import Emulator
    from support.background import Background

Document = dict[str, Any]
_SAGEMAKER = re.compile(r"arn:aws:apigateway:[\w-]+:runtime\.sagemaker:path(/endpoints/([^/]+)/invocations)")


@dataclass(frozen=True, slots=True)
class Both:
    """Where the two answer, each with its stage."""

    emulator_url: str
    interpreter_url: str


@contextlib.contextmanager
def serve_both(
    emulator: Emulator,
    background: Background,
    document: Document,
    objects: Mapping[str, bytes],
    sagemaker_url: str,
) -> Iterator[Both]:
    """Serves the document twice, without the keys that only the tests' API Gateway can check.

    Args:
        emulator: where it is imported.
        background: runs the tests' own.
        document: as the CDK app makes it.
        objects: what lies in S3, by bucket and key.
        sagemaker_url: the server that speaks SageMaker's runtime API, for both.
    """
    open_document = without_keys(document)
    store_objects(emulator, objects)
    url = deploy(emulator, lead_to(open_document, sagemaker_url))
    back_ends = BackEnds(sagemaker_url, _endpoints(open_document), {}, {}, objects)
    gateway = ApiGateway(build_rest_api(open_document), back_ends)
    with serve_api(background, gateway) as interpreter_url:
        yield Both(url, interpreter_url)


def import_document(emulator: Emulator, document: Document) -> dict[str, Any]:
    """Imports the document and returns the API that came of it; a warning is a failure."""
    body = json.dumps(document).encode()
    api: dict[str, Any] = emulator.client("apigateway").import_rest_api(failOnWarnings=True, body=body)
    return api


def replace_document(emulator: Emulator, api_id: str, document: Document) -> dict[str, Any]:
    """Overwrites an API with the document, as a second deploy does, and returns what came of it."""
    body = json.dumps(document).encode()
    api: dict[str, Any] = emulator.client("apigateway").put_rest_api(
        restApiId=api_id, mode="overwrite", failOnWarnings=True, body=body
    )
    return api


def deploy(emulator: Emulator, document: Document) -> str:
    """Imports and deploys the document; returns its address."""
    api = import_document(emulator, document)
    emulator.client("apigateway").create_deployment(restApiId=api["id"], stageName=STAGE)
    return f"{emulator.url}/_aws/execute-api/{api['id']}/{STAGE}"


def store_objects(emulator: Emulator, objects: Mapping[str, bytes]) -> None:
    """Puts these into S3, whose buckets it makes."""
    s3 = emulator.client("s3")
    for place, content in objects.items():
        bucket, _, key = place.partition("/")
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key=key, Body=content)


def without_keys(document: Document) -> Document:
    """Returns the document of the same API without an event."""
    opened = {key: value for key, value in document.items() if key != "x-amazon-apigateway-api-key-source"}
    opened["paths"] = {
        path: {method: _without(operation, "security") for method, operation in item.items()}
        for path, item in document["paths"].items()
    }
    return opened


def lead_to(document: Document, sagemaker_url: str) -> Document:
    """Returns the document with its calls of SageMaker as calls of a server, which the emulator can make."""
    led = copy.deepcopy(document)
    for integration in _integrations(led):
        if found := _SAGEMAKER.fullmatch(integration.get("uri", "")):
            integration |= {"type": "http", "uri": f"{sagemaker_url}{found[1]}"}
            del integration["credentials"]
    return led


def _endpoints(document: Document) -> dict[str, str]:
    """Returns the endpoints that the document names, each by its own name."""
    uris = [integration.get("uri", "") for integration in _integrations(document)]
    return {found[2]: found[2] for uri in uris if (found := _SAGEMAKER.fullmatch(uri))}


def _integrations(document: Document) -> list[dict[str, Any]]:
    return [
        operation[INTEGRATION]
        for item in document["paths"].values()
        for operation in item.values()
        if INTEGRATION in operation
    ]


def _without(operation: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in operation.items() if name != key}
