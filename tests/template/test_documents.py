"""The page, the catalogue and the OpenAPI document on AWS: which objects the API reads, and no others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from openapi_spec_validator import validate

from centralized_ml_api.api.entry_details import load_logo, load_samples
from centralized_ml_api.api.page.build import build_page
from centralized_ml_api.catalog.facts import Eula
from support.api_gateway import read_document
from support.api_gateway.document import resolve
from support.api_gateway.objects import read_objects
from support.synthesis import (
    STACK,
    Template,
    build_facts,
    build_test_plan,
    function,
    model,
    package,
    synthesize,
)

if TYPE_CHECKING:
    from pathlib import Path

PATHS = ("/", "/models", "/openapi.json")
INTEGRATION = "x-amazon-apigateway-integration"
START = "arn:aws:apigateway:us-east-1:s3:path/"


@pytest.fixture
def synthesized(tmp_path: Path) -> tuple[Template, dict[str, bytes]]:
    """The template of a config with a sample that is a file, and what would lie in S3."""
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    (tmp_path / "logo.png").write_bytes(b"PNG")
    entry = package(takes="audio/wav", sample={"$file": "a.wav"}, description="Listens.")
    event = {"title": "Spring Hack", "logo": "logo.png"}
    plan = build_test_plan({"models": [entry], "event": event}, tmp_path)
    output = tmp_path / "out"
    template = synthesize(plan, output, samples=load_samples(plan.api), logo=load_logo(plan.api))
    return template, read_objects(output, STACK)


def place_of(template: Template, path: str, method: str = "get") -> str:
    integration: dict[str, Any] = read_document(template.document)["paths"][path][method][INTEGRATION]
    assert (integration["type"], integration["httpMethod"]) == ("aws", method.upper())
    uri: str = integration["uri"]
    assert uri.startswith(START)
    return uri.removeprefix(START)


def test_each_path_reads_its_own_object(synthesized: tuple[Template, dict[str, bytes]]) -> None:
    template, objects = synthesized
    content = {path: objects[place_of(template, path)] for path in PATHS}
    assert content["/"] == build_page("Spring Hack", "data:image/png;base64,UE5H").html
    (listed,) = json.loads(content["/models"])["models"]
    assert (listed["description"], listed["sample_file"]["name"]) == ("Listens.", "a.wav")
    assert "/a-package" in json.loads(content["/openapi.json"])["paths"]
    assert json.loads(content["/openapi.json"])["servers"] == [{"url": "/prod"}]


def test_the_document_says_which_calls_may_be_answered_later(tmp_path: Path) -> None:
    entries = [package("a"), model("through", integration=function())]
    plan = build_test_plan({"models": entries, "aws": {"jobs": True}}, tmp_path)
    template = synthesize(plan, tmp_path / "out")
    document = json.loads(read_objects(tmp_path / "out", STACK)[place_of(template, "/openapi.json")])
    validate(document)
    takes = {
        path for path, item in document["paths"].items() if "202" in item.get("post", {}).get("responses", {})
    }
    assert "/a" in takes
    assert "/through" not in takes, "API Gateway itself calls that function"
    assert {"/v1/jobs", "/v1/jobs/{id}"} < document["paths"].keys()


def test_the_catalogue_says_what_jumpstart_knows(tmp_path: Path) -> None:
    address = "https://example.com/eula"
    facts = build_facts(eula=Eula(required=False, url=address), task="textgeneration")
    template = synthesize(
        build_test_plan({"models": [model(), package()]}, tmp_path, facts), tmp_path / "out"
    )
    listed = json.loads(read_objects(tmp_path / "out", STACK)[place_of(template, "/models")])["models"]
    known = [(item["licence_url"], item["task"]) for item in listed]
    assert known == [(address, "textgeneration"), (None, None)]


def test_head_reads_the_same_object(synthesized: tuple[Template, dict[str, bytes]]) -> None:
    template, _ = synthesized
    for path in PATHS:
        assert place_of(template, path, "head") == place_of(template, path)


def test_the_api_may_read_exactly_these(synthesized: tuple[Template, dict[str, bytes]]) -> None:
    template, _ = synthesized
    (resources,) = [
        resolve(statement["Resource"], template.document)
        for policy in template.of_type("AWS::IAM::ManagedPolicy")
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "s3:GetObject" and isinstance(statement["Resource"], list)
    ]
    assert resources == [f"arn:aws:s3:::{place_of(template, path)}" for path in PATHS]


def test_headers_are_said_by_the_api_and_not_by_s3(
    synthesized: tuple[Template, dict[str, bytes]],
) -> None:
    responses = synthesized[0].api["paths"]["/"]["get"][INTEGRATION]["responses"]
    said = responses["200"]["responseParameters"]
    assert said["method.response.header.content-type"] == "'text/html; charset=utf-8'"
    assert said["method.response.header.x-frame-options"] == "'DENY'"
    assert not [value for value in said.values() if "'" in value.strip("'")], "no quotes within quotes"
    assert "api_failed" in str(responses["default"]), "S3's own errors are no errors of this API's form"
