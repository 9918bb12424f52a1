"""The function that passes keys on: which team a key is of, and how little it asks API Gateway."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api.error_shape import NOT_ALLOWED, build_error
from centralized_ml_api.api.event_start import not_started
from centralized_ml_api.api.notices import LONGEST_WORDS, build_pause_error
from centralized_ml_api.aws.constructs.team_keys import (
    DIRECT_CHARACTERS,
    KEY_CODE,
    render_direct,
    word_refusals,
)
from centralized_ml_api.aws.document.event import Authorizer
from centralized_ml_api.aws.document.extend import Addresses, extend_document
from centralized_ml_api.aws.event.pauses import hash_key
from centralized_ml_api.aws.stack.contract import STACK_TAG, TEAM_TAG, key_tags
from centralized_ml_api.plan.aws.event import PLACE_PREFIX, TABLE_CHARACTERS, name_place
from centralized_ml_api.plan.aws.types import DirectRoute, OwnEndpoint
from centralized_ml_api.plan.speaks import OpenAiModels
from support.api_gateway import ApiGateway, build_rest_api
from support.api_gateway.authorizers import check_policy
from support.api_gateway.back_ends import BackEnds
from support.api_gateway.control_plane import serve_control_plane
from support.api_gateway.message import GatewayError, Request, Response
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
        self.revoked: set[str] = set()
        self.count = 0
        self.fails: Exception | None = None

    def __call__(self) -> Iterator[tuple[str, str, bool]]:
        self.count += 1
        if self.fails:
            raise self.fails
        yield from ((key, team, key not in self.revoked) for key, team in self.keys.items())


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


ROUTES = [DirectRoute(name, OwnEndpoint(name), ()) for name in ("plain", "other")]
OPERATIONS = {f"/{route.name}": {"post": {"operationId": route.name}} for route in ROUTES}
SERVICE = "arn:aws:apigateway:us-east-1"
AUTHORIZER = Authorizer(
    f"{SERVICE}:lambda:path/2015-03-31/functions/keys/invocations", "caller", says_why=True
)
ADDRESSES = Addresses(
    service=SERVICE,
    role="role",
    endpoints={"plain": "Plain-1", "other": "Other-1"},
    functions={},
    stream="stream",
    authorizer=AUTHORIZER,
)
STARTS = datetime(2099, 6, 1, 7, tzinfo=UTC)
LONG_AGO = datetime(2020, 6, 1, 7, tzinfo=UTC)


def start_with(monkeypatch: pytest.MonkeyPatch, starts: datetime, refused: dict[str, list[str]]) -> Any:
    """A cold function of an event that starts then; the keys of red and blue are their teams' names."""
    monkeypatch.setenv("WORDS", json.dumps(word_refusals(starts)))
    monkeypatch.setenv("REFUSED", json.dumps(refused))
    function = start_function()
    owners = function.Owners(Lists({"red": "red", "blue": "blue"}))
    monkeypatch.setattr(function, "_OWNERS", owners)
    return function


@pytest.mark.usefixtures("environment")
def test_the_function_compares_the_start_with_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    function = start_with(monkeypatch, STARTS, {})
    assert function.is_before_start(STARTS.timestamp() - 0.001)
    assert not function.is_before_start(STARTS.timestamp())
    monkeypatch.delenv("WORDS")
    assert not start_function().is_before_start(0.0)


def ask(function: Any, method: str, path: str, key: str) -> Response:
    """What API Gateway answers, with the document of an event that has a start."""
    public = {"openapi": "3.0.3", "info": {"title": "An API", "version": "1"}, "paths": OPERATIONS}
    document = extend_document(public, ROUTES, ADDRESSES, OpenAiModels())

    async def invoke(request_id: str, payload: bytes) -> bytes:
        del request_id
        try:
            return json.dumps(function.lambda_handler(json.loads(payload), None)).encode()
        except Exception as error:  # noqa: BLE001  # as Lambda does
            return json.dumps({"errorMessage": str(error)}).encode()

    back_ends = BackEnds("http://127.0.0.1:1", {}, {"keys": invoke}, {})
    plans = UsagePlans((UsagePlan("p", "all", None, None, None, [Key("1", "red"), Key("2", "blue")]),))
    gateway = ApiGateway(build_rest_api(document), back_ends, plans)
    request = Request(method, path, (), (("x-api-key", key),), b"", "an-id")
    answer = asyncio.run(gateway.answer(request))
    assert isinstance(answer, Response)
    return answer


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


def pause(monkeypatch: pytest.MonkeyPatch, direct: str = "plain,other", **paused: Mapping[str, str]) -> Any:
    """A cold function of an event in which this is paused; `models` and `teams` have their words."""
    monkeypatch.setenv("PAUSED", json.dumps(paused))
    monkeypatch.setenv("DIRECT", direct)
    return start_with(monkeypatch, LONG_AGO, {"blue": ["other"]})


@pytest.mark.usefixtures("environment")
def test_what_is_paused_is_refused_with_the_organizers_words(monkeypatch: pytest.MonkeyPatch) -> None:
    function = pause(monkeypatch, models={"": 'Back "soon" \\ at 14:00'})
    answer = ask(function, "POST", "/plain", "red")
    said = build_pause_error("Back 'soon' / at 14:00")
    assert (answer.status, json.loads(answer.body)["error"]) == (403, build_error(said, "an-id")["error"])
    assert dict(answer.headers)["retry-after"] == "60"
    wordless = ask(pause(monkeypatch, models={"": ""}), "POST", "/plain", "red")
    assert json.loads(wordless.body)["error"] == build_error(build_pause_error(""), "an-id")["error"]


@pytest.mark.usefixtures("environment")
def test_one_team_is_paused_and_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    function = pause(monkeypatch, teams={"red": "Ask us"}, keys={hash_key("red"): "red"})
    assert json.loads(ask(function, "POST", "/plain", "red").body)["error"]["code"] == "paused"
    assert ask(function, "PUT", "/plain", "blue").status == 405, "it was let in"
    refused = ask(function, "POST", "/other", "blue")
    assert json.loads(refused.body) == build_error(NOT_ALLOWED, "an-id")
    assert json.loads(call(function, "red")["context"]["paused"]) == {"": "Ask us"}
    assert "paused" not in call(function, "blue")["context"]


@pytest.mark.usefixtures("environment")
def test_one_model_is_paused_and_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the function that streams, `chat`, is refused there."""
    function = pause(monkeypatch, models={"other": "Broken", "chat": "Later"})
    assert "Broken" in json.loads(ask(function, "POST", "/other", "red").body)["error"]["message"]
    assert ask(function, "PUT", "/plain", "red").status == 405, "it was let in"
    assert json.loads(call(function, "red")["context"]["paused"]) == {"other": "Broken", "chat": "Later"}


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("", {}),
        ("Back at two", {}),
        ("[1]", {}),
        ('"Back at two"', {}),
        ('{"models": "all", "teams": {"red": "Ask us", "blue": 1}}', {"teams": {"red": "Ask us"}}),
    ],
)
def test_a_pause_that_somebody_wrote_by_hand_stops_no_call(
    monkeypatch: pytest.MonkeyPatch, written: str, kept: dict[str, Any]
) -> None:
    monkeypatch.setenv("PAUSED", written)
    function = start_with(monkeypatch, LONG_AGO, {})
    assert function.read_paused(written) == kept
    assert "paused" not in call(function, "red")["context"]


@pytest.mark.usefixtures("environment")
def test_a_job_is_told_of_the_pauses_of_its_team_and_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    function = pause(monkeypatch, models={"chat": "Later"}, teams={"red": "Ask us"})
    asked = [function.lambda_handler({"job_of": team}, None) for team in ("red", "blue")]
    assert asked == [
        {"has_key": True, "paused": {"": "Ask us"}},
        {"has_key": True, "paused": {"chat": "Later"}},
    ]


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
def test_where_all_calls_stream_a_pause_denies_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    function = pause(monkeypatch, direct="", models={"": "Back soon"})
    answer = call(function, "red")
    assert [statement["Effect"] for statement in answer["policyDocument"]["Statement"]] == ["Allow"]
    assert json.loads(answer["context"]["paused"]) == {"": "Back soon"}


@pytest.mark.usefixtures("environment")
def test_with_too_many_entries_to_name_a_pause_denies_all_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    assert render_direct(["a", "b"]) == "a,b"
    many = render_direct(f"model-{number}" for number in range(100))
    function = pause(monkeypatch, direct=many, models={"": "Back soon"})
    assert json.loads(ask(function, "POST", "/plain", "red").body)["error"]["code"] == "paused"
    assert ask(function, "PUT", "/plain", "red").status == 405, "it was let in"
    function = pause(monkeypatch, direct=many, models={"other": "Broken"})
    assert json.loads(ask(function, "POST", "/other", "red").body)["error"]["code"] == "paused"
    assert ask(function, "PUT", "/plain", "red").status == 405, "it was let in"


def test_what_the_function_is_told_leaves_room_for_a_pause() -> None:
    told = {
        "REFUSED": "x" * (TABLE_CHARACTERS - len('""')),
        "OWN_TAG": json.dumps([STACK_TAG, "S" * 128]),
        "TEAM_TAG": TEAM_TAG,
        "WORDS": json.dumps(word_refusals(STARTS)),
        "DIRECT": "y" * DIRECT_CHARACTERS,
        "NAMES_TEAM": "yes",
        "PAUSED": json.dumps({"teams": {"red": "w" * 70}, "keys": {"0" * 16: "red"}}),
    }
    assert len(json.dumps(told)) <= 4096


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
