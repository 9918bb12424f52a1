"""The live road of prices: AWS asked over the wire, kept, and quietly done without."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.planning.instance_prices import load_prices
from centralized_ml_api.catalog.prices.price_files import FRESH, USABLE, load_shipped_prices
from support.aws_wire import Answer, refusal
from support.price_list import build_query_answer

if TYPE_CHECKING:
    from support.aws_wire import AwsWire

ASKED = "pricing.GetProducts"
NOW = datetime(2026, 10, 2, tzinfo=UTC)
REGION = "us-east-1"


def test_aws_is_asked_once_a_day(aws: AwsWire) -> None:
    aws.answers[ASKED] = Answer(200, build_query_answer())
    first, again = load_prices(AwsClients(REGION), NOW), load_prices(AwsClients(REGION), NOW + FRESH)
    assert (first.road, again.road, aws.asked.count(ASKED)) == ("asked", "kept", 1)
    assert first.instances["ml.g5.2xlarge"].usd == Decimal("1.515")
    assert first.instances["ml.g5.2xlarge"].source.day.isoformat() == "2026-10-01"
    load_prices(AwsClients(REGION), NOW + FRESH + timedelta(seconds=1))
    assert aws.asked.count(ASKED) == 2


def test_each_region_has_prices_of_its_own(aws: AwsWire) -> None:
    aws.answers[ASKED] = Answer(200, build_query_answer(region="eu-west-1"))
    assert load_prices(AwsClients("eu-west-1"), NOW).instances
    assert load_prices(AwsClients("eu-west-3"), NOW).road == "shipped"


@pytest.mark.parametrize(
    "answer",
    [
        refusal("AccessDeniedException", "not authorized to perform: pricing:GetProducts"),
        Answer(503, {}),
        Answer(200, {"PriceList": []}),
        Answer(200, {"PriceList": ["no JSON"]}),
        Answer(200, build_query_answer(("Training", "ml.g5.2xlarge", "1"))),
    ],
)
def test_an_answer_of_no_use_leads_to_the_shipped_list(answer: Answer, aws: AwsWire) -> None:
    aws.answers[ASKED] = answer
    assert load_prices(AwsClients(REGION), NOW) == load_shipped_prices(REGION)


def test_kept_prices_are_better_than_shipped_ones_until_they_are_old(aws: AwsWire) -> None:
    aws.answers[ASKED] = Answer(200, build_query_answer())
    load_prices(AwsClients(REGION), NOW)
    aws.answers[ASKED] = refusal("AccessDeniedException", "no more")
    assert load_prices(AwsClients(REGION), NOW + USABLE).road == "kept"
    assert load_prices(AwsClients(REGION), NOW + USABLE + timedelta(seconds=1)).road == "shipped"


def test_without_credentials_aws_is_not_asked(aws: AwsWire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert load_prices(AwsClients(REGION), NOW).road == "shipped"
    assert aws.asked == []
