"""What the ids of models of Bedrock say."""

from __future__ import annotations

import re

import pytest

from centralized_ml_api.config.bedrock import may_be_called_from, parse_bedrock_id
from centralized_ml_api.config.schema.base import BEDROCK_MODEL

CLAUDE = "anthropic.claude-haiku-4-5-20251001-v1:0"
HERE = "arn:aws:bedrock:us-east-1"


@pytest.mark.parametrize(
    ("written", "kind", "geography", "model"),
    [
        (CLAUDE, "foundation-model", "", CLAUDE),
        ("deepseek.v3.2", "foundation-model", "", "deepseek.v3.2"),
        (f"us.{CLAUDE}", "inference-profile", "us", CLAUDE),
        (f"global.{CLAUDE}", "inference-profile", "global", CLAUDE),
        (f"us-gov.{CLAUDE}", "inference-profile", "us-gov", CLAUDE),
        (f"{HERE}::foundation-model/{CLAUDE}", "foundation-model", "", CLAUDE),
        (f"{HERE}:123456789012:inference-profile/us.{CLAUDE}", "inference-profile", "us", CLAUDE),
        (f"{HERE}:123456789012:application-inference-profile/a1", "application-inference-profile", "", "a1"),
        (f"{HERE}:123456789012:provisioned-model/a1", "provisioned-model", "", "a1"),
    ],
)
def test_an_id_says_which_kind_of_thing_it_is(written: str, kind: str, geography: str, model: str) -> None:
    assert re.fullmatch(BEDROCK_MODEL, written)
    parsed = parse_bedrock_id(written)
    assert (parsed.kind, parsed.geography, parsed.model) == (kind, geography, model)


@pytest.mark.parametrize("written", ["claude", "", "arn:aws:s3:::bucket", "a b.c", "Anthropic Claude"])
def test_other_texts_are_no_ids(written: str) -> None:
    assert not re.fullmatch(BEDROCK_MODEL, written)


@pytest.mark.parametrize(
    ("written", "region", "may"),
    [
        (CLAUDE, "eu-west-1", True),
        (f"us.{CLAUDE}", "us-west-2", True),
        (f"us.{CLAUDE}", "eu-west-1", False),
        (f"eu.{CLAUDE}", "us-east-1", False),
        (f"apac.{CLAUDE}", "ap-south-1", True),
        (f"global.{CLAUDE}", "sa-east-1", True),
        (f"{HERE}::foundation-model/{CLAUDE}", "us-east-1", True),
        (f"{HERE}::foundation-model/{CLAUDE}", "us-east-2", False),
    ],
)
def test_a_model_is_called_from_its_part_of_the_world(written: str, region: str, *, may: bool) -> None:
    assert may_be_called_from(parse_bedrock_id(written), region) is may
