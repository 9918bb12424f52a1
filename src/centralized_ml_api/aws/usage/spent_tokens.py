"""Reads what the function that streams has counted: the tokens of each team and model, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from centralized_ml_api.aws.stack.stored import read_count
from centralized_ml_api.plan.aws.spending import COUNTED_SPAN, OWNER_KEY, PERIOD_KEY, TEAM_OWNER
from centralized_ml_api.plan.usage.tokens import Tokens
from centralized_ml_api.plan.usage.types import SpentTokens

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

Item = Mapping[str, Mapping[str, str]]


def load_spent(dynamodb: Any, table: str, first: date | None) -> tuple[SpentTokens, ...]:
    """Returns the tokens of every team and model, sorted by both; also those of teams that have left.

    Args:
        dynamodb: A client of DynamoDB.
        table: The name of the table.
        first: The first day of UTC that counts; None for all.

    Raises:
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        ConsistentRead=True,
        FilterExpression="begins_with(#span, :counted)",
        ExpressionAttributeNames={"#span": PERIOD_KEY},
        ExpressionAttributeValues={":counted": {"S": COUNTED_SPAN}},
    )
    return add_days((item for page in pages for item in page["Items"]), first)


def load_items(dynamodb: Any, table: str) -> tuple[Item, ...]:
    """Returns everything in the table: what was counted, what accounts have used, what was granted.

    Args:
        dynamodb: A client of DynamoDB.
        table: The name of the table.

    Raises:
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    pages = dynamodb.get_paginator("scan").paginate(TableName=table)
    return tuple(item for page in pages for item in page["Items"])


def add_days(items: Iterable[Item], first: date | None) -> tuple[SpentTokens, ...]:
    """Adds up the days of each team and model: their spans are `counted#2026-06-01#gpt`. Pure.

    Args:
        items: Of the table; those that count nothing are left out.
        first: The first day of UTC that counts; None for all.
    """
    sums: dict[tuple[str, str], SpentTokens] = {}
    for item in items:
        if not item[PERIOD_KEY]["S"].startswith(COUNTED_SPAN):
            continue
        team = item[OWNER_KEY]["S"].removeprefix(TEAM_OWNER)
        day, _, model = item[PERIOD_KEY]["S"].removeprefix(COUNTED_SPAN).partition("#")
        if first is not None and day < first.isoformat():
            continue
        before = sums.get((team, model), SpentTokens(team, model))
        sums[team, model] = SpentTokens(
            team, model, before.calls + read_count(item, "call_count"), before.tokens + _parse_tokens(item)
        )
    return tuple(spent for _, spent in sorted(sums.items()))


def _parse_tokens(item: Item) -> Tokens:
    names = ("tokens_in", "tokens_cached", "tokens_out", "tokens_estimated", "nanodollars")
    return Tokens(*(read_count(item, name) for name in names))
