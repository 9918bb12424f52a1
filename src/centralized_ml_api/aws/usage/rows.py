"""Builds the table of usage from what CloudWatch counted. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from centralized_ml_api.aws.document.other_paths import ANY_PATH
from centralized_ml_api.config.checks.models.names import RESERVED
from centralized_ml_api.plan.apis import API_NAMES, list_paths
from centralized_ml_api.plan.usage.types import NOBODY, HourUsage, Usage, error_kind

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = dict[str, str]
"""One row of CloudWatch's answer, by the names of its columns."""

MOST_ROWS = 10_000
"""The most rows that one query may return.

Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html
"""

# The names are those of `ACCESS_LOG` in aws/constructs/http_api.py. `pct` leaves out a latency that is
# not a number, such as that of a call that API Gateway answered itself.
# Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html
_COUNTED = "stats count(*) as requests"
_PERCENTILES = "stats pct(milliseconds, 50) as p50, pct(milliseconds, 95) as p95"
QUERIES = {
    "calls": f"{_COUNTED}, sum(bytes) as bytes_out, min(@timestamp) as first, max(@timestamp) as last"
    " by team, model, status",
    "latencies": f"{_PERCENTILES} by team, model",
    "model_latencies": f"{_PERCENTILES} by model",
    "hours": f"{_COUNTED} by bin(1h) as hour, status",
}
"""The queries of the access log, by their names."""

_BY_BODY = list_paths(API_NAMES)
_BELOW_ENTRIES = "{name}/v1"
"""The row of what the API has no resources for: `/{name}/v1` as a base address, and unknown paths."""

_NAME = re.compile(r"[A-Za-z0-9-]+")
_FIRST_DIGITS = "0123456789."
_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Counted:
    """The answers to `QUERIES`, and the teams by the ids of their keys."""

    answers: Mapping[str, Sequence[Row]]
    teams: Mapping[str, str]

    def rows(self) -> tuple[Usage, ...]:
        """Returns a row for each team and model, sorted by both."""
        return self._build(self.answers["latencies"], by_team=True)

    def models(self) -> tuple[Usage, ...]:
        """Returns a row for each model, sorted by model."""
        return self._build(self.answers["model_latencies"], by_team=False)

    def hours(self) -> tuple[HourUsage, ...]:
        """Returns the calls and errors of every hour that has calls, in order."""
        requests: Counter[datetime] = Counter()
        errors: Counter[datetime] = Counter()
        for row in self.answers["hours"]:
            hour = read_instant(row["hour"])
            count = read_integer(row["requests"])
            requests[hour] += count
            errors[hour] += count if error_kind(read_integer(row.get("status"))) else 0
        return tuple(HourUsage(hour, requests[hour], errors[hour]) for hour in sorted(requests))

    def notes(self) -> tuple[str, ...]:
        """Returns what a reader must know about the numbers."""
        notes = ["latencies are those of API Gateway; for a team with several keys, those of the slowest key"]
        if any(len(rows) >= MOST_ROWS for rows in self.answers.values()):
            notes.append(
                f"CloudWatch returns at most {MOST_ROWS} rows, so some calls are missing: use --since"
            )
        return tuple(notes)

    def _build(self, latencies: Iterable[Row], *, by_team: bool) -> tuple[Usage, ...]:
        groups = _group(self.answers["calls"], self.teams, by_team=by_team)
        slowest = _group(latencies, self.teams, by_team=by_team)
        return tuple(_merge(*key, groups[key], slowest.get(key, [])) for key in sorted(groups))


def _group(
    rows: Iterable[Row], teams: Mapping[str, str], *, by_team: bool
) -> dict[tuple[str, str], list[Row]]:
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        team, model = read_call(row, teams)
        groups.setdefault((team if by_team else NOBODY, model), []).append(row)
    return groups


def _merge(team: str, model: str, rows: Sequence[Row], latencies: Sequence[Row]) -> Usage:
    statuses: Counter[int] = Counter()
    for row in rows:
        statuses[read_integer(row.get("status"))] += read_integer(row["requests"])
    return Usage(
        team=team,
        model=model,
        statuses=tuple(sorted(statuses.items())),
        p50_milliseconds=_most(row.get("p50") for row in latencies),
        p95_milliseconds=_most(row.get("p95") for row in latencies),
        bytes_in=None,
        bytes_out=sum(read_integer(row.get("bytes_out")) for row in rows),
        first=min(read_instant(row["first"]) for row in rows),
        last=max(read_instant(row["last"]) for row in rows),
    )


def read_call(row: Row, teams: Mapping[str, str]) -> tuple[str, str]:
    """Returns the team and the model of a row; `teams` are by the ids of their keys."""
    return _team(row.get("team", ""), teams), _model(row.get("model", ""))


def _team(key: str, teams: Mapping[str, str]) -> str:
    """Shows a key that no longer exists, as after a rotation, by its id, which is no secret."""
    return teams.get(key, f"key {key}") if key not in {"", NOBODY} else NOBODY


def _model(path: str) -> str:
    """Returns the model of a path: `chat` for `/chat`; `NOBODY` for what the API answers itself.

    A call to one of the paths under `/v1` names its model in the body, so such a path stands for itself. API
    Gateway does not log which entry a call below one is for.
    """
    if path == ANY_PATH:
        return _BELOW_ENTRIES
    name = path.removeprefix("/")
    if path in _BY_BODY or (_NAME.fullmatch(name) and name not in RESERVED):
        return name
    return NOBODY


def _most(values: Iterable[str | None]) -> float | None:
    return max((float(value) for value in values if value), default=None)


def read_integer(value: str | None) -> int:
    """Reads a whole number, which CloudWatch may write as `12.0` or `1.2E3`."""
    return int(float(value)) if value and value[0] in _FIRST_DIGITS else 0


def read_instant(value: str) -> datetime:
    """Reads milliseconds since the epoch, or `2026-06-01 12:00:00.000` in UTC: CloudWatch writes both."""
    try:
        return datetime.fromtimestamp(float(value) / _MILLISECONDS, UTC)
    except ValueError:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
