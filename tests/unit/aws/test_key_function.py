"""The function that passes keys on: which team a key is of, and how little it asks API Gateway."""

from __future__ import annotations

import contextlib
import importlib.util
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.constructs.team_keys import KEY_CODE
from centralized_ml_api.aws.stack_contract import STACK_TAG, TEAM_TAG, key_tags
from support.api_gateway.authorizers import check_policy
from support.api_gateway.control_plane import serve_control_plane
from support.api_gateway.message import GatewayError
from support.api_gateway.quota import ControlPlaneQuota, TooManyRequestsError
from support.api_gateway.usage_plans import Key, UsagePlan, UsagePlans
from support.background import start_background

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

TEAMS = [f"team {number}" for number in range(60)]
METHOD = "arn:aws:execute-api:us-east-1:123456789012:contract/prod/POST/echo"
ENVIRONMENT = {
    "REFUSED": json.dumps({team: ["other"] for team in TEAMS[1:]}),
    "OWN_TAG": json.dumps([STACK_TAG, "Event"]),
    "TEAM_TAG": TEAM_TAG,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function's environment."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def start_function() -> ModuleType:
    """A cold function: its code, loaded anew."""
    specification = importlib.util.spec_from_file_location("key_function", KEY_CODE / "index.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def call(function: ModuleType, key: str) -> dict[str, Any]:
    """What it answers to the key."""
    lambda_event = {"headers": {"X-Api-Key": key}, "methodArn": METHOD}
    answer: dict[str, Any] = function.lambda_handler(lambda_event, None)
    return answer


class Lists:
    """The keys of a stack, and how often they were listed; `fails` is raised instead."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self.keys = dict(keys)
        self.count = 0
        self.fails: Exception | None = None

    def __call__(self) -> Iterator[tuple[str, str]]:
        self.count += 1
        if self.fails:
            raise self.fails
        yield from self.keys.items()


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

    def fail_slowly() -> Iterator[tuple[str, str]]:
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
    statements = start_function()._statements(METHOD, ["other"])  # noqa: SLF001  # pure, unlike its caller
    asked = METHOD.replace("/echo", path)
    with pytest.raises(GatewayError) if is_refused else contextlib.nullcontext():
        check_policy({"policyDocument": {"Statement": statements}}, asked)


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
