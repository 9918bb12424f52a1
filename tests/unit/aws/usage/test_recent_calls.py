"""The last hour of a deployed stack: one call of CloudWatch, and errors with their reasons."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.aws.usage.recent_calls import describe_errors, load_history, word_reason

NOON = datetime(2030, 6, 1, 12, 0, 30, tzinfo=UTC)


class Metrics:
    """CloudWatch, which counted in one minute, or in none; and the clients that lead to it."""

    def __init__(self, at: datetime | None = datetime(2030, 6, 1, 11, 58, tzinfo=UTC)) -> None:
        self._at = at
        self.asked: list[dict[str, Any]] = []

    def client(self, service: str) -> Metrics:
        """Itself."""
        assert service == "cloudwatch"
        return self

    def get_metric_data(self, **asked: Any) -> dict[str, Any]:
        """As boto3's client."""
        self.asked.append(asked)
        counts = {"requests": 120.0, "client_errors": 6.0}
        at = [self._at] if self._at else []
        found = [
            {"Id": name, "Timestamps": at, "Values": [count] * len(at)} for name, count in counts.items()
        ]
        return {"MetricDataResults": [*found, {"Id": "server_errors", "Timestamps": [], "Values": []}]}


def test_the_last_hour_is_one_call_with_a_point_a_minute() -> None:
    metrics = Metrics()
    points = load_history(metrics, "Event", NOON)  # type: ignore[arg-type]  # has all that is used
    assert len(points) == 59
    assert points[-1] == {"at": round(NOON.timestamp()) - 30 - 120, "requests": 2.0, "errors": 0.1}
    assert {(point["requests"], point["errors"]) for point in points[:-1]} == {(0.0, 0.0)}
    (asked,) = metrics.asked
    assert [query["MetricStat"]["Metric"]["MetricName"] for query in asked["MetricDataQueries"]] == [
        "Count",
        "4XXError",
        "5XXError",
    ]
    dimensions = [{"Name": "ApiName", "Value": "Event"}]
    assert asked["MetricDataQueries"][0]["MetricStat"]["Metric"]["Dimensions"] == dimensions


@pytest.mark.parametrize(
    ("counted", "last"),
    [("11:59", "11:59"), ("11:56", "11:56"), ("11:54", "11:54"), ("11:53", "11:54"), ("11:20", "11:54")],
)
def test_minutes_that_cloudwatch_may_not_know_yet_are_left_out(counted: str, last: str) -> None:
    """It is 12:00: after five minutes without a number nobody called."""
    hour, minute = map(int, counted.split(":"))
    metrics = Metrics(datetime(2030, 6, 1, hour, minute, tzinfo=UTC))
    points = load_history(metrics, "Event", NOON)  # type: ignore[arg-type]  # has all that is used
    assert f"{datetime.fromtimestamp(points[-1]['at'], UTC):%H:%M}" == last
    assert f"{datetime.fromtimestamp(points[0]['at'], UTC):%H:%M}" == "11:00"


def test_an_hour_without_calls_is_one_of_zeros() -> None:
    points = load_history(Metrics(None), "Event", NOON)  # type: ignore[arg-type]  # has all that is used
    assert ({point["requests"] for point in points}, len(points)) == ({0.0}, 55)


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (429, "THROTTLED", errors.TOO_MANY_REQUESTS.message),
        (429, "QUOTA_EXCEEDED", errors.QUOTA_EXCEEDED.message),
        (401, "INVALID_API_KEY", "The request had no valid key."),
        (504, "INTEGRATION_TIMEOUT", errors.MODEL_TOO_SLOW.message),
        (503, "-", errors.MODEL_NOT_READY.message),
        (418, "", "The API answered 418."),
    ],
)
def test_a_failure_has_a_reason(status: int, kind: str, reason: str) -> None:
    assert word_reason(status, kind) == reason


def test_errors_name_teams_and_models_the_latest_first() -> None:
    rows = [
        {
            "team": "1",
            "model": "/chat",
            "status": "429",
            "error": "THROTTLED",
            "requests": "3",
            "last": "1000",
        },
        {
            "team": "-",
            "model": "-",
            "status": "401",
            "error": "UNAUTHORIZED",
            "requests": "1",
            "last": "9000",
        },
        {"team": "2", "model": "/models", "status": "500", "requests": "1.0E1", "last": "5000"},
    ]
    found = describe_errors(rows, {"1": "red"})
    assert [(error["team"], error["model"], error["count"], error["last"]) for error in found] == [
        ("", "", 1, 9.0),
        ("key 2", "", 10, 5.0),
        ("red", "chat", 3, 1.0),
    ]
