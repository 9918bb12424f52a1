"""Reads the last hour of a deployed stack: numbers of CloudWatch, and the errors of its access log."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from centralized_ml_api.aws.document.gateway_responses import FIXED
from centralized_ml_api.aws.usage.past_calls import run_queries
from centralized_ml_api.aws.usage.rows import read_call, read_instant, read_integer
from centralized_ml_api.organizer.board_shape import REASONS
from centralized_ml_api.plan.usage.types import NOBODY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.usage.rows import Row

HOUR, MINUTE_SECONDS = timedelta(hours=1), 60
RECENT = timedelta(minutes=10)
SHOWN_ERRORS = 40

LATE_MINUTES = 5
"""How late CloudWatch may learn of a minute. AWS promises no time; API Gateway sends numbers every minute.

Until then a minute of which CloudWatch knows nothing is none without calls, so it is not drawn.
"""

METRICS = {"requests": "Count", "client_errors": "4XXError", "server_errors": "5XXError"}
"""Those of the API, one number a minute.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
"""

ERRORS_QUERY = (
    "filter status >= 400 | stats count(*) as requests, max(@timestamp) as last by team, model, status, error"
    f" | sort last desc | limit {SHOWN_ERRORS}"
)
"""The names are those of `ACCESS_LOG` in aws/constructs/http_api.py."""


def load_history(clients: AwsClients, stack: str, now: datetime) -> list[dict[str, Any]]:
    """Returns the points of the last hour, a minute each, with rates per second: one call of CloudWatch.

    The latest minutes of which CloudWatch knows nothing yet are left out.

    Args:
        clients: Of the region of the stack.
        stack: Its name, which is that of its API.
        now: The present instant.

    Raises:
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
    """
    dimensions = [{"Name": "ApiName", "Value": stack}]
    queries = [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {"Namespace": "AWS/ApiGateway", "MetricName": metric, "Dimensions": dimensions},
                "Period": MINUTE_SECONDS,
                "Stat": "Sum",
            },
        }
        for name, metric in METRICS.items()
    ]
    end = now.replace(second=0, microsecond=0)
    answer = clients.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=end - HOUR, EndTime=end, ScanBy="TimestampAscending"
    )
    counts = {
        result["Id"]: {
            round(at.timestamp()): value
            for at, value in zip(result["Timestamps"], result["Values"], strict=True)
        }
        for result in answer["MetricDataResults"]
    }
    start = round((end - HOUR).timestamp())
    latest = max((at for counted in counts.values() for at in counted), default=0) + MINUTE_SECONDS
    known = max(latest, round(end.timestamp()) - LATE_MINUTES * MINUTE_SECONDS)
    minutes = range(start, min(known, round(end.timestamp())), MINUTE_SECONDS)
    return [build_point(at, {name: counts.get(name, {}).get(at, 0.0) for name in METRICS}) for at in minutes]


def build_point(at: int, counts: Mapping[str, float]) -> dict[str, Any]:
    """Builds a point from what was counted in the minute that began then. Pure."""
    errors = counts["client_errors"] + counts["server_errors"]
    rates = {"requests": counts["requests"], "errors": errors}
    return {"at": at, **{name: round(count / MINUTE_SECONDS, 3) for name, count in rates.items()}}


def load_errors(
    clients: AwsClients, log_group: str, teams: Mapping[str, str], now: datetime
) -> list[dict[str, Any]]:
    """Returns the calls that failed in the last minutes, alike ones together, the latest first.

    Args:
        clients: Of the region of the stack.
        log_group: That of the access log.
        teams: The teams by the ids of their keys.
        now: The present instant.

    Raises:
        DeployError: The query failed, or took too long.
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    queries = {"errors": ERRORS_QUERY}
    found = run_queries(clients.client("logs"), log_group, queries, since=now - RECENT, until=now)
    return describe_errors(found["errors"], teams)


def describe_errors(rows: Sequence[Row], teams: Mapping[str, str]) -> list[dict[str, Any]]:
    """Describes rows of `ERRORS_QUERY` as the screen shows them. Pure."""
    described = []
    for row in rows:
        team, model = read_call(row, teams)
        status = read_integer(row.get("status"))
        described.append(
            {
                "team": "" if team == NOBODY else team,
                "model": "" if model == NOBODY else model,
                "status": status,
                "reason": word_reason(status, row.get("error", "")),
                "count": read_integer(row["requests"]),
                "last": read_instant(row["last"]).timestamp(),
            }
        )
    return sorted(described, key=lambda error: error["last"], reverse=True)


def word_reason(status: int, kind: str) -> str:
    """Returns why a call failed, as a sentence; `kind` is API Gateway's own, empty where a model answered."""
    if kind in FIXED and FIXED[kind].status == status:
        return FIXED[kind].message
    return REASONS.get(status, f"The API answered {status}.")
