"""The function that passes keys on: which team a key is of, and how little it asks API Gateway."""

from __future__ import annotations

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api.error_shape import NOT_ALLOWED, build_error
from centralized_ml_api.api.event_start import not_started
from centralized_ml_api.api.notices import LONGEST_WORDS
from centralized_ml_api.aws.stack.contract import key_tags
from centralized_ml_api.plan.aws.event import PLACE_PREFIX, name_place
from support.api_gateway.authorizers import check_policy
from support.api_gateway.control_plane import serve_control_plane
from support.api_gateway.message import GatewayError
from support.api_gateway.quota import ControlPlaneQuota, TooManyRequestsError
from support.api_gateway.usage_plans import Key, UsagePlan, UsagePlans
from support.background import start_background
from support.key_function import (
    LONG_AGO,
    METHOD,
    STARTS,
    TEAMS,
    Lists,
    ask,
    call,
    pause,
    start_function,
    start_with,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.usefixtures("environment")
def test_known_keys_are_listed_once_and_unknown_ones_after_growing_pauses() -> None:
    now, lists = [0.0], Lists({"a": "red"})
    owners = start_function().Owners(lists, lambda: now[0])
    assert [owners.find("a") for _ in range(3)] == ["red"] * 3
    assert lists.count == 1
    asked = []
    for second in range(40):
        now[0] = float(second)
        before = lists.count
        assert owners.find("guess") is None
        asked += [second] if lists.count > before else []
    assert asked == [2, 6, 14, 24, 34]


@pytest.mark.usefixtures("environment")
def test_a_new_key_is_found_after_the_pause_which_is_short_again() -> None:
    now, lists = [0.0], Lists({})
    owners = start_function().Owners(lists, lambda: now[0])
    for instant in (0.0, 2.0, 6.0):
        now[0] = instant
        assert owners.find("new") is None
    lists.keys["new"] = "red"
    now[0] = 14.0
    assert owners.find("new") == "red"
    now[0] = 15.9
    assert owners.find("guess") is None
    assert lists.count == 4
    now[0] = 16.0
    owners.find("guess")
    assert lists.count == 5


@pytest.mark.usefixtures("environment")
def test_a_failed_look_up_is_no_answer_and_known_keys_go_on() -> None:
    lists = Lists({"a": "red"})
    now = [0.0]
    owners = start_function().Owners(lists, lambda: now[0])
    assert owners.find("a") == "red"
    lists.fails, now[0] = RuntimeError("throttled"), 2.0
    with pytest.raises(RuntimeError):
        owners.find("b")
    assert owners.find("a") == "red"
    lists.fails, lists.keys["b"] = None, "blue"
    now[0] = 6.0
    assert owners.find("b") == "blue"


@pytest.mark.usefixtures("environment")
def test_failed_look_ups_pause_longer_each_time_and_no_key_is_refused_meanwhile() -> None:
    """Guesses must not use up the quota, and a new key must not get a 401 because AWS did not answer."""
    lists, now = Lists({"a": "red"}), [0.0]
    lists.fails = RuntimeError("throttled")
    function = start_function()
    owners = function.Owners(lists, lambda: now[0])
    asked = []
    for second in range(40):
        now[0], before = float(second), lists.count
        with pytest.raises((RuntimeError, function.UnansweredError), match="throttled"):
            owners.find("a")
        asked += [second] if lists.count > before else []
    assert asked == [0, 2, 6, 14, 24, 34]
    lists.fails, now[0] = None, 44.0
    assert owners.find("a") == "red"
    assert owners.find("guess") is None, "the failure is over"


@pytest.mark.usefixtures("environment")
def test_the_pause_after_a_failed_look_up_begins_when_its_retries_end() -> None:
    now = [0.0]

    def fail_slowly() -> Iterator[tuple[str, str, bool]]:
        now[0] += 19.0
        raise RuntimeError("no answer")

    function = start_function()
    owners = function.Owners(fail_slowly, lambda: now[0])
    with pytest.raises(RuntimeError):
        owners.find("a")
    now[0] = 20.9
    with pytest.raises(function.UnansweredError, match="RuntimeError: no answer"):
        owners.find("b")
    assert now[0] == 20.9, "nothing was looked up"


def test_the_quota_is_ten_a_second_after_a_burst_of_forty() -> None:
    now = [0.0]
    quota = ControlPlaneQuota(lambda: now[0])
    for _ in range(40):
        quota.admit("GetApiKeys")
    with pytest.raises(TooManyRequestsError):
        quota.admit("GetApiKeys")
    now[0] = 0.1
    quota.admit("GetApiKeys")
    assert (quota.admitted, quota.refused) == (41, 1)


def test_usage_plans_change_every_twenty_seconds() -> None:
    now = [0.0]
    quota = ControlPlaneQuota(lambda: now[0])
    quota.admit("UpdateUsagePlan")
    now[0] = 19.9
    with pytest.raises(TooManyRequestsError):
        quota.admit("UpdateUsagePlan")
    now[0] = 20.0
    quota.admit("UpdateUsagePlan")


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("path", "is_refused"),
    [
        ("/other", True),
        ("/other/", True),
        ("//other", True),
        ("/other//", True),
        ("//other//", True),
        ("/%6Fther", True),
        ("/oth%65r/", True),
        ("/another", False),
        ("/echo", False),
        ("/v1/chat/completions", False),
        ("/v1/models", False),
        ("/models", False),
    ],
)
def test_a_refused_model_is_refused_however_its_path_is_spelled(path: str, *, is_refused: bool) -> None:
    """API Gateway finds `/other` by several spellings, and compares the policy with what was sent."""
    statements = start_function()._statements(METHOD, ["other"], is_early=False)  # noqa: SLF001  # pure, unlike its caller
    asked = METHOD.replace("/echo", path)
    with pytest.raises(GatewayError) if is_refused else contextlib.nullcontext():
        check_policy({"policyDocument": {"Statement": statements}}, asked)


@pytest.mark.usefixtures("environment")
def test_the_function_compares_the_start_with_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    function = start_with(monkeypatch, STARTS, {})
    assert function.is_before_start(STARTS.timestamp() - 0.001)
    assert not function.is_before_start(STARTS.timestamp())
    monkeypatch.delenv("WORDS")
    assert not start_function().is_before_start(0.0)


@pytest.mark.usefixtures("environment")
def test_until_the_start_a_key_opens_no_model_and_the_answer_names_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    function = start_with(monkeypatch, STARTS, {"blue": ["plain"]})
    for key, path in (("red", "/plain"), ("blue", "/plain"), ("red", "/other")):
        answer = ask(function, "POST", path, key)
        headers = dict(answer.headers)
        assert (answer.status, json.loads(answer.body)["error"]) == (
            403,
            build_error(not_started(STARTS), "an-id")["error"],
        )
        assert headers["retry-after"] == "Mon, 01 Jun 2099 07:00:00 GMT"
        assert headers["x-should-retry"] == "false"
    assert ask(function, "POST", "/plain", "a guess").status == 401
    assert ask(function, "PUT", "/plain", "red").status == 405


@pytest.mark.usefixtures("environment")
def test_after_the_start_a_refused_model_is_refused_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    function = start_with(monkeypatch, LONG_AGO, {"blue": ["plain"]})
    answer = ask(function, "POST", "/plain", "blue")
    assert json.loads(answer.body) == build_error(NOT_ALLOWED, "an-id")
    assert ask(function, "PUT", "/other", "blue").status == 405, "it was let in"


@pytest.mark.usefixtures("environment")
def test_after_the_start_no_key_is_looked_up_without_lists_of_models(monkeypatch: pytest.MonkeyPatch) -> None:
    function = start_with(monkeypatch, LONG_AGO, {})
    assert call(function, "a guess")["usageIdentifierKey"] == "a guess", "API Gateway refuses it"


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_eight_cold_functions_of_sixty_teams_stay_within_the_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands still: whatever is asked must fit into the burst, so that nobody waits."""
    keys = [Key(f"id-{team}", f"value of {team}", tags=key_tags("Event", team)) for team in TEAMS]
    others = [Key(f"other-{number}", f"other {number}") for number in range(700)]
    plans = UsagePlans((UsagePlan("p", "all", None, None, None, [*others, *keys]),))
    quota = ControlPlaneQuota(clock=lambda: 0.0)
    with start_background() as background, serve_control_plane(background, plans, quota) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_API_GATEWAY", url)
        functions = [start_function() for _ in range(8)]
        with ThreadPoolExecutor(len(functions)) as threads:
            answers = list(threads.map(lambda function: call(function, "value of team 7"), functions))
        refused = functions[0]
        with pytest.raises(Exception, match="Unauthorized"):
            call(refused, "other 3")
    assert {answer["context"]["refused"] for answer in answers} == {json.dumps(["other"])}
    assert (quota.admitted, quota.refused) == (16, 0), "two pages of 500 keys for each function"


@pytest.mark.usefixtures("environment")
def test_all_places_have_one_list_of_refused_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUSED", json.dumps({PLACE_PREFIX: ["other"]}))
    function = start_function()
    monkeypatch.setattr(function, "_OWNERS", function.Owners(Lists({"a": name_place(7), "b": "red"})))
    assert [call(function, key)["context"]["refused"] for key in "ab"] == ['["other"]', "[]"]


@pytest.mark.usefixtures("environment")
def test_whose_key_it_is_is_told_where_it_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with no list of models anywhere."""
    monkeypatch.setenv("REFUSED", "{}")
    untold = call(start_function(), "a")
    assert "team" not in untold["context"]
    monkeypatch.setenv("NAMES_TEAM", "yes")
    function = start_function()
    monkeypatch.setattr(function, "_OWNERS", function.Owners(Lists({"a": "red"})))
    told = call(function, "a")
    assert told["context"] == {"refused": "[]", "team": "red"}
    assert told["policyDocument"] == untold["policyDocument"]
    with pytest.raises(function.UnauthorizedError):
        call(function, "guess")


@pytest.mark.usefixtures("environment")
def test_a_team_has_a_key_as_long_as_one_of_its_keys_works() -> None:
    now, lists = [0.0], Lists({"a": "red", "b": "red", "c": "blue"})
    function = start_function()
    owners = function.Owners(lists, lambda: now[0])
    assert [owners.has_key(team) for team in ("red", "blue", "green")] == [True, True, False]
    lists.revoked |= {"a", "c"}
    now[0] = function.FRESH_SECONDS - 0.1
    assert (owners.has_key("blue"), lists.count) == (True, 1), "what is known is young enough"
    now[0] = function.FRESH_SECONDS
    assert [owners.has_key(team) for team in ("red", "blue")] == [True, False]
    assert lists.count == 2
    assert owners.find("c") == "blue", "API Gateway refuses its key"


@pytest.mark.usefixtures("environment")
def test_a_key_that_cannot_be_looked_up_is_not_taken_for_a_revoked_one() -> None:
    now, lists = [0.0], Lists({"a": "red"})
    lists.fails = RuntimeError("throttled")
    function = start_function()
    owners = function.Owners(lists, lambda: now[0])
    asked = []
    for second in range(15):
        now[0], before = float(second), lists.count
        with pytest.raises((RuntimeError, function.UnansweredError), match="throttled"):
            owners.has_key("red")
        asked += [second] if lists.count > before else []
    assert asked == [0, 2, 6, 14]
    lists.fails, now[0] = None, 24.0
    assert owners.has_key("red")


@pytest.mark.usefixtures("environment")
def test_a_policy_never_outgrows_what_api_gateway_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"model-{number}" for number in range(120)]
    function = pause(monkeypatch, direct=",".join(names), models={"": "w" * LONGEST_WORDS})
    policy = call(function, "red")["policyDocument"]
    assert len(json.dumps(policy)) < 8_000
    asked = METHOD.replace("/echo", "/model-7")
    with pytest.raises(GatewayError):
        check_policy({"policyDocument": policy}, asked)
    check_policy({"policyDocument": policy}, asked.replace("POST", "GET"))
