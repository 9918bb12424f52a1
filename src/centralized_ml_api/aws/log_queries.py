"""Questions to a log group, asked with CloudWatch Logs Insights. AWS bills them by what they read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from centralized_ml_api.errors import DeployError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

MOST_ROWS = 10_000
"""What one query may answer.

Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html
"""

PATIENCE_SECONDS = 120.0
_LOOK_SECONDS = 0.5
_UNDER_WAY = ("Scheduled", "Running", "Unknown")

Row = dict[str, str]
"""What one line of an answer has, by the names of its columns."""


def run_queries(
    logs: Any,
    group: str,
    queries: Mapping[str, str],
    *,
    since: datetime,
    until: datetime,
    pause: Callable[[float], None] = time.sleep,
) -> dict[str, list[Row]]:
    """The answers by the names of the questions, which are asked all at once.

    Args:
        logs: a client of CloudWatch Logs.
        group: the log group.
        queries: what is asked, by names of the caller's choice.
        since: the first instant that counts.
        until: the last one.
        pause: waits so many seconds between two looks.

    Raises:
        DeployError: a query failed, or took longer than `PATIENCE_SECONDS`.
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    times = {"startTime": int(since.timestamp()), "endTime": int(until.timestamp())}
    asked = {
        name: logs.start_query(logGroupName=group, queryString=query, limit=MOST_ROWS, **times)["queryId"]
        for name, query in queries.items()
    }
    looks = int(PATIENCE_SECONDS / _LOOK_SECONDS)
    return {name: _wait(logs, query, looks, pause) for name, query in asked.items()}


def _wait(logs: Any, query: str, looks: int, pause: Callable[[float], None]) -> list[Row]:
    for _ in range(looks):
        answer = logs.get_query_results(queryId=query)
        if answer["status"] == "Complete":
            return [{cell["field"]: cell.get("value", "") for cell in row} for row in answer["results"]]
        if answer["status"] not in _UNDER_WAY:
            raise DeployError(f"CloudWatch did not answer a query of the access log: {answer['status']}")
        pause(_LOOK_SECONDS)
    logs.stop_query(queryId=query)
    raise DeployError(
        f"CloudWatch took more than {PATIENCE_SECONDS:g} seconds for a query of the access log",
        fix="ask for less: --since 24h",
    )
