"""What the doctor says of models of Bedrock."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.doctor.context import load_context
from centralized_ml_api.aws.doctor.service_checks import check_bedrock
from support.aws_wire import Answer, AwsWire, refusal

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.finding import Finding

MODEL = "anthropic.claude-fake-v1"
ACCESS = f"bedrock.GET /foundation-model-availability/{MODEL}"
PROFILE = f"bedrock.GET /inference-profiles/us.{MODEL}"
OPEN = {
    "modelId": MODEL,
    "agreementAvailability": {"status": "AVAILABLE"},
    "authorizationStatus": "AUTHORIZED",
    "entitlementAvailability": "AVAILABLE",
    "regionAvailability": "AVAILABLE",
}


def find(folder: Path, model_id: str) -> Finding:
    path = folder / "models.json"
    entry = {"name": "claude", "bedrock_model_id": model_id, "integration": {"type": "api"}}
    adopted = {"name": "old", "integration": {"type": "api"}}
    path.write_text(json.dumps({"endpoints": [entry, adopted]}))
    context = load_context(path, AwsClients("us-east-1"), "s", datetime(2026, 1, 1, tzinfo=UTC))
    (finding,) = check_bedrock(context)
    return finding


def test_a_model_that_is_there_and_open(aws: AwsWire, tmp_path: Path) -> None:
    aws.answers[ACCESS] = Answer(200, OPEN)
    finding = find(tmp_path, MODEL)
    assert (finding.severity, finding.title) == (
        "ok",
        f"claude: Bedrock has {MODEL} in us-east-1, open to this account",
    )


def test_a_profile_is_as_open_as_its_model(aws: AwsWire, tmp_path: Path) -> None:
    arn = f"arn:aws:bedrock:us-west-2::foundation-model/{MODEL}"
    aws.answers[PROFILE] = Answer(200, {"models": [{"modelArn": arn}], "status": "ACTIVE"})
    aws.answers[ACCESS] = Answer(200, {**OPEN, "agreementAvailability": {"status": "NOT_AVAILABLE"}})
    finding = find(tmp_path, f"us.{MODEL}")
    assert (finding.severity, finding.detail) == ("error", "the account has no agreement for it")
    assert finding.fix == "request access to the model in the Bedrock console of that region"


def test_a_model_that_is_not_there(aws: AwsWire, tmp_path: Path) -> None:
    aws.answers[ACCESS] = refusal("ResourceNotFoundException", "no such model", 404)
    finding = find(tmp_path, MODEL)
    assert (finding.severity, finding.title) == ("error", f"claude: Bedrock has no {MODEL} in us-east-1")


def test_a_refusal_of_the_question_says_nothing_of_the_model(aws: AwsWire, tmp_path: Path) -> None:
    aws.answers[ACCESS] = refusal("AccessDeniedException", "you may not ask", 403)
    with pytest.raises(ClientError):
        find(tmp_path, MODEL)


@pytest.mark.usefixtures("aws")
def test_of_a_model_of_ones_own_only_a_call_can_tell(tmp_path: Path) -> None:
    own = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/a1"
    assert find(tmp_path, own).severity == "unknown"
