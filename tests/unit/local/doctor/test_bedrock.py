"""What the doctor of one machine says of models of Bedrock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.config.schema import Config
from centralized_ml_api.config.shape.read import read_object
from centralized_ml_api.local.doctor.bedrock import check_bedrock
from support.aws_wire import Answer, AwsWire, refusal, serve_aws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from centralized_ml_api.plan.finding import Finding

MODEL = "anthropic.claude-fake-v1"
ACCESS = f"bedrock.GET /foundation-model-availability/{MODEL}"
OPEN = {
    "modelId": MODEL,
    "agreementAvailability": {"status": "AVAILABLE"},
    "authorizationStatus": "AUTHORIZED",
    "entitlementAvailability": "AVAILABLE",
    "regionAvailability": "AVAILABLE",
}


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsWire]:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_BEARER_TOKEN_BEDROCK"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with serve_aws({ACCESS: Answer(200, OPEN)}) as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK", aws.url)
        yield aws


def find(region: str = "us-west-2", model: str = MODEL) -> Finding:
    entries: list[dict[str, Any]] = [
        {"name": "claude", "bedrock_model_id": model, "bedrock_region": region},
        {"name": "elsewhere", "bedrock_model_id": MODEL, "local": {"engine": "url", "url": "http://a.test"}},
        {"name": "old"},
    ]
    written = [{**entry, "integration": {"type": "api"}} for entry in entries]
    (finding,) = check_bedrock(read_object(Config, {"endpoints": written}))
    return finding


def test_a_model_that_is_there_and_open(aws: AwsWire) -> None:
    finding = find()
    assert (finding.check, finding.severity) == ("bedrock", "ok")
    assert finding.title == f"claude: Bedrock has {MODEL} in us-west-2, open to this account"
    assert aws.asked == [ACCESS]


@pytest.mark.parametrize(
    ("answer", "severity", "title"),
    [
        (
            Answer(200, {**OPEN, "authorizationStatus": "NOT_AUTHORIZED"}),
            "error",
            "does not let this",
        ),
        (refusal("ResourceNotFoundException", "none", 404), "error", f"has no {MODEL} in us-west-2"),
        (refusal("UnrecognizedClientException", "who?", 403), "error", "AWS refuses the credentials"),
        (refusal("AccessDeniedException", "no", 403), "unknown", "AWS does not say"),
    ],
)
def test_what_aws_says_is_told(aws: AwsWire, answer: Answer, severity: str, title: str) -> None:
    aws.answers[ACCESS] = answer
    finding = find()
    assert finding.severity == severity
    assert title in finding.title
    assert finding.fix
    assert ("bedrock_region" in finding.fix) is ("region in a local block" in finding.fix)


def test_what_can_be_said_without_aws(aws: AwsWire, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = find("eu-west-1", f"us.{MODEL}")
    assert (finding.severity, finding.title) == (
        "error",
        f"claude: us.{MODEL} cannot be called in eu-west-1",
    )
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "no AWS credentials were found" in find().title
    assert aws.asked == []
    assert not list(check_bedrock(None))
