"""How much a team, and all callers together, may ask for; rates are so low that time plays no part."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.documents import ServedDocument
from centralized_ml_api.api.openai import CHAT_PATH
from centralized_ml_api.local.gateway import Gateway, Quotas, RefusedRoute, ServedRoute, TeamAccess, Upstream
from centralized_ml_api.plan.event import Throttle
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES
from contract.case import LOCAL, refused
from support.running_gateway import start_gateway
from support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from support.background import Background
    from support.odd_server import OddServer
    from support.running_gateway import Answer, RunningGateway

RED, BLUE = "red-key", "blue-key"
SLOW = Throttle(0.001, 3)
MIDNIGHT = datetime(2030, 6, 2, tzinfo=UTC)


@pytest.fixture
def served_by_one(odd: OddServer) -> Gateway:
    return Gateway((Upstream("odd", (odd.port,)),), (ServedRoute("echo", "odd", "/echo", ()),))


def team(name: str, throttle: Throttle | None = None) -> TeamAccess:
    return TeamAccess(name, (f"{name}-key",), throttle=throttle)


def call(running: RunningGateway, key: str = "", path: str = "/echo") -> Answer:
    return running.call(path, b"{}", {"x-api-key": key} if key else {})


def passed(running: RunningGateway, key: str = "") -> int:
    """How many calls pass until one does not."""
    count = 0
    while call(running, key).status == 200:
        count += 1
        assert count < 100, "nothing limits these calls"
    return count


def refused_call(running: RunningGateway, key: str) -> Answer:
    """The first call that does not pass."""
    while (answer := call(running, key)).status == 200:
        pass
    return answer


def told(answer: Answer) -> dict[str, str]:
    """What the headers say of the team's day, the seconds until its end aside."""
    start, end = "x-ratelimit-", "-requests"
    said = {name: value for name, value in answer.headers if name.startswith(start)}
    if said:
        seconds = (MIDNIGHT - datetime.now(UTC)).total_seconds()
        reset = said.pop(f"{start}reset{end}")
        assert reset.endswith("s")
        assert abs(int(reset.removesuffix("s")) - seconds) < 60
    return {name.removeprefix(start).removesuffix(end): value for name, value in said.items()}


def assert_refused(answer: Answer, error: errors.ApiError, says: str, retry_after: str) -> None:
    refused(error, says, headers={"retry-after": retry_after}).check(answer, LOCAL)


@pytest.mark.slow
def test_a_team_may_call_as_often_as_its_burst_and_others_as_before(
    tmp_path: Path, background: Background, served_by_one: Gateway
) -> None:
    gateway = replace(served_by_one, teams=(team("red", SLOW), team("blue")))
    with start_gateway(tmp_path, background, gateway) as running:
        assert passed(running, RED) == SLOW.burst
        answer = call(running, RED)
        assert_refused(answer, errors.TOO_MANY_REQUESTS, "Your team exceeded its request rate", "1000")
        assert running.logged(answer.header("x-request-id"))["team"] == "red"
        assert {call(running, BLUE).status for _ in range(10)} == {200}
        assert call(running, RED, "/nope").status == 404


@pytest.mark.slow
def test_a_team_is_told_its_own_pause_and_to_stop_if_that_is_long(
    tmp_path: Path, background: Background, served_by_one: Gateway
) -> None:
    rates = {"quick": 5, "minute": 1 / 60, "slow": 0.01}
    teams = tuple(team(name, Throttle(rate, 1)) for name, rate in rates.items())
    with start_gateway(tmp_path, background, replace(served_by_one, teams=teams)) as running:
        advice = {}
        for name in rates:
            answer = refused_call(running, f"{name}-key")
            advice[name] = (answer.header("retry-after"), answer.header("x-should-retry"))
    assert advice == {"quick": ("1", None), "minute": ("60", None), "slow": ("100", "false")}


@pytest.mark.slow
def test_teams_of_many_pauses_are_each_told_their_own(
    tmp_path: Path, background: Background, served_by_one: Gateway
) -> None:
    pauses = {f"team{seconds}": seconds for seconds in range(41, 81)}
    teams = tuple(team(name, Throttle(1 / (seconds - 0.5), 1)) for name, seconds in pauses.items())
    with start_gateway(tmp_path, background, replace(served_by_one, teams=teams)) as running:
        for name, seconds in pauses.items():
            answer = refused_call(running, f"{name}-key")
            said = answer.header("retry-after"), answer.header("x-should-retry")
            assert said == (str(seconds), "false" if seconds > 60 else None)


@pytest.mark.slow
@pytest.mark.parametrize(("seconds", "advice"), [(3600, "false"), (50, None)])
def test_a_used_up_day_stops_retries_until_its_last_minute(
    tmp_path: Path, background: Background, served_by_one: Gateway, seconds: int, advice: str | None
) -> None:
    resets = datetime.now(UTC) + timedelta(seconds=seconds)
    gateway = replace(served_by_one, teams=(team("red"),), quotas=Quotas(resets, (("red", 0),)))
    with start_gateway(tmp_path, background, gateway) as running:
        answer = call(running, RED)
        assert answer.header("x-should-retry") == advice
        assert answer.header("retry-after") == format_datetime(resets, usegmt=True)


@pytest.mark.slow
def test_what_the_gateway_answers_by_itself_costs_nothing(
    tmp_path: Path, background: Background, served_by_one: Gateway
) -> None:
    teams = (team("red", SLOW),)
    gateway = replace(
        served_by_one,
        routes=(*served_by_one.routes, RefusedRoute("refused", "no")),
        by_model={CHAT_PATH: (ServedRoute("echo", "odd", "/chat", ()),)},
        documents=(ServedDocument("/models", "application/json", "{}"),),
        teams=teams,
        quotas=Quotas(MIDNIGHT, (("red", SLOW.burst),)),
    )
    with start_gateway(tmp_path, background, gateway) as running:

        def look() -> list[int]:
            key = {"x-api-key": RED}
            bodies = (b"", b"not JSON", b'{"model": "nope"}')
            asked = [running.call("/v1/chat/completions", body, key) for body in bodies]
            asked += [
                running.call(path, method="GET", headers=key) for path in ("/models", "/v1/models", "/echo")
            ]
            asked += [call(running, RED, path) for path in ("/nope", "/refused")]
            asked.append(running.call("/echo", bytes(BODY_LIMIT_BYTES + 1), key))
            asked.append(running.call("/models", method="GET", headers={"authorization": f"bearer {RED}"}))
            return [answer.status for answer in asked]

        free = [400, 400, 404, 200, 200, 405, 404, 501, 413, 200]
        assert [look() for _ in range(3)] == [free] * 3
        assert passed(running, RED) == SLOW.burst
        assert look() == free, "what is used up hides nothing"


@pytest.mark.slow
def test_a_rate_fills_the_burst_again(tmp_path: Path, background: Background, served_by_one: Gateway) -> None:
    gateway = replace(served_by_one, teams=(team("red", Throttle(20, 1)),))
    with start_gateway(tmp_path, background, gateway) as running:
        wait_until(lambda: call(running, RED).status == 429, "the burst is over")
        wait_until(lambda: call(running, RED).status == 200, "the next call may come")


@pytest.mark.slow
def test_without_teams_the_limit_is_that_of_all_together(
    tmp_path: Path, background: Background, served_by_one: Gateway
) -> None:
    gateway = replace(served_by_one, throttle=SLOW)
    with start_gateway(tmp_path, background, gateway) as running:
        assert passed(running) == SLOW.burst
        assert_refused(call(running), errors.TOO_MANY_REQUESTS, "All callers together", "1000")
        assert running.call("/echo", method="OPTIONS").status == 204
        assert running.call("/health", method="GET").status == 200


@pytest.mark.slow
def test_what_a_team_may_not_send_does_not_count_for_all(
    tmp_path: Path, background: Background, served_by_one: Gateway
) -> None:
    gateway = replace(
        served_by_one, teams=(team("red", SLOW), team("blue")), throttle=Throttle(0.001, SLOW.burst + 2)
    )
    with start_gateway(tmp_path, background, gateway) as running:
        assert passed(running, RED) == SLOW.burst
        assert [call(running, RED).status for _ in range(10)] == [429] * 10
        assert passed(running, BLUE) == 2


@pytest.mark.slow
def test_a_day_has_as_many_calls_as_are_left_of_it(
    tmp_path: Path, background: Background, served_by_one: Gateway
) -> None:
    gateway = replace(
        served_by_one,
        teams=(
            replace(team("red"), requests_per_day=9),
            replace(team("blue"), requests_per_day=7),
            team("green"),
        ),
        quotas=Quotas(MIDNIGHT, (("red", 4), ("blue", 0))),
    )
    with start_gateway(tmp_path, background, gateway) as running:
        assert told(call(running, RED)) == {"limit": "9", "remaining": "3"}
        assert passed(running, RED) == 3
        assert told(call(running, RED)) == {"limit": "9", "remaining": "0"}
        assert told(call(running, BLUE)) == {"limit": "7", "remaining": "0"}
        assert told(call(running, "green-key")) == {}
        assert told(call(running, RED, "/nope")) == {}, "it takes nothing of the day"
        when = "Sun, 02 Jun 2030 00:00:00 GMT"
        assert_refused(call(running, RED), errors.QUOTA_EXCEEDED, "used up today's requests", when)
        assert call(running, BLUE).status == 429
        assert call(running, "green-key").status == 200
        assert call(running, "blue-key", "/health").status == 405


@pytest.mark.slow
def test_the_days_count_goes_on_through_changes_until_there_are_other_quotas(
    tmp_path: Path, background: Background, served_by_one: Gateway
) -> None:
    teams = (team("red", Throttle(1000, 1000)), team("blue"))
    gateway = replace(served_by_one, teams=teams, quotas=Quotas(MIDNIGHT, (("red", 4),)))
    with start_gateway(tmp_path, background, gateway) as running:
        assert call(running, RED).status == 200
        running.apply(replace(gateway, routes=(*gateway.routes, RefusedRoute("no", "no"))))
        assert call(running, RED).status == 200
        running.apply(replace(gateway, teams=(replace(teams[0], keys=("another-key",)), teams[1])))
        assert passed(running, "another-key") == 2
        tomorrow = Quotas(MIDNIGHT + timedelta(days=1), (("red", 4),))
        running.apply(replace(gateway, quotas=tomorrow))
        assert passed(running, RED) == 4


@pytest.mark.slow
def test_a_call_over_the_rate_costs_nothing_of_the_day(
    tmp_path: Path, background: Background, served_by_one: Gateway
) -> None:
    gateway = replace(
        served_by_one, teams=(team("red", SLOW),), quotas=Quotas(MIDNIGHT, (("red", SLOW.burst + 1),))
    )
    with start_gateway(tmp_path, background, gateway) as running:
        assert passed(running, RED) == SLOW.burst
        assert [call(running, RED).error["code"] for _ in range(5)] == ["too_many_requests"] * 5
        running.apply(replace(gateway, teams=(team("red"),)))
        assert passed(running, RED) == 1
        assert call(running, RED).error["code"] == "quota_exceeded"
