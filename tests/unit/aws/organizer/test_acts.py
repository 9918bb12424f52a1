"""`mlapi pause`, `resume` and `grant` of a deployed stack: what they change, say and note."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.cdk.target import AwsTarget
from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.event.function_variable import ATTEMPTS, FunctionVariable, VariableWords
from centralized_ml_api.aws.event.pauses import hash_key
from centralized_ml_api.aws.organizer.acts import AwsActs
from centralized_ml_api.aws.stack.contract import (
    KEY_FUNCTION,
    MESSAGE_VARIABLE,
    NOTHING_PAUSED,
    PAUSED_VARIABLE,
)
from centralized_ml_api.errors import DeployError
from centralized_ml_api.organizer.journal import Journal
from support.aws_wire import Answer, refusal, stack_resources
from support.organized_stack import FUNCTION, KEYS, REGION, STACK, OrganizedStack, build_key
from support.verbs import mlapi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.aws_wire import AwsWire
    from support.local_api import Ran

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
ENTRY = {
    "name": "chat",
    "image": IMAGE,
    "instance": "ml.g5.2xlarge",
    "integration": {"type": "api"},
    "price": {"input_per_million": 1, "output_per_million": 1},
}
EVENT = {
    "teams": [{"name": "red", "usd": 2, "tokens_per_minute": 100}, "blue"],
    "join": {"teams": 3, "limits": {"tokens_per_day": 1000}},
    "ends": "2099-06-01T18:00:00Z",
}
DOLLAR = 10**9
PAUSES = VariableWords("pauses", "has no teams", "add some", "another pause", "end another pause")


@pytest.fixture
def stack(aws: AwsWire, tmp_path: Path) -> OrganizedStack:
    """The stack, with its config in the folder."""
    config = {"models": [ENTRY], "endpoints": [], "event": EVENT}
    (tmp_path / "models.json").write_text(json.dumps(config))
    organized = OrganizedStack(aws)
    organized.answer()
    return organized


def act(folder: Path, *words: str) -> Ran:
    """Runs a verb on the stack."""
    where = ("--target", "aws", "--stack", STACK, "--region", REGION)
    return mlapi(*words, *where, cwd=folder)


def journal(folder: Path) -> list[tuple[str, str, str]]:
    """What was noted, the latest first."""
    written = Journal(folder / ".mlapi", name=f"journal-{REGION}-{STACK}.jsonl").load(10)
    assert {deed.by for deed in written} <= {"command line"}
    return [(deed.act, deed.subject, deed.detail) for deed in written]


def test_everything_is_paused_and_resumed(stack: OrganizedStack, tmp_path: Path) -> None:
    ran = act(tmp_path, "pause", "--say", "Back  at 14:00 \u2615")
    assert (ran.status, ran.out) == (0, "Every model is paused.\n")
    assert "Next: mlapi resume --target aws --region us-east-1 --stack Event" in ran.talk
    assert stack.paused == {"models": {"": "Back at 14:00 \u2615"}}
    assert stack.keeper.variables["OWN_TAG"] == "kept"
    assert act(tmp_path, "resume").out == "The API is no longer paused.\n"
    assert stack.paused == {}
    again = act(tmp_path, "resume")
    assert (again.status, "the whole API is not paused" in again.talk) == (2, True)
    assert journal(tmp_path) == [("resume", "", ""), ("pause", "", "Back at 14:00 \u2615")]


def test_a_model_of_the_stack_is_paused_and_no_other_path(stack: OrganizedStack, tmp_path: Path) -> None:
    assert act(tmp_path, "pause", "chat").status == 0
    assert act(tmp_path, "pause", "--say", "All").status == 0
    assert stack.paused == {"models": {"chat": "", "": "All"}}
    for name in ("health", "v1", "other", "{proxy+}"):
        ran = act(tmp_path, "pause", name)
        assert (ran.status, "name one of: chat, echo" in ran.talk) == (2, True), ran.talk
    act(tmp_path, "resume")
    assert stack.paused == {"models": {"chat": ""}}


def test_a_team_is_paused_by_its_keys_and_one_that_joined_by_its_place(
    stack: OrganizedStack, tmp_path: Path
) -> None:
    act(tmp_path, "pause", "--team", "red", "--say", "Ask us")
    ran = act(tmp_path, "pause", "--team", "Owls")
    assert "Next: mlapi resume --team Owls --target aws" in ran.talk
    red, place = hash_key(KEYS["red"]), hash_key(KEYS["place:1"])
    teams = {"red": "Ask us", "place:1": ""}
    assert stack.paused == {"teams": teams, "keys": {red: "red", place: "place:1"}}
    assert not {*KEYS.values()} & {*json.dumps(stack.paused).split('"')}, "no key is written anywhere"
    act(tmp_path, "resume", "--team", "Owls")
    assert stack.paused == {"teams": {"red": "Ask us"}, "keys": {red: "red"}}
    unknown = act(tmp_path, "pause", "--team", "green")
    assert (unknown.status, "green" in unknown.talk) == (2, True)
    assert journal(tmp_path)[0] == ("resume team", "Owls", "")


def test_a_pause_that_changes_nothing_changes_no_function(stack: OrganizedStack, tmp_path: Path) -> None:
    act(tmp_path, "pause", "chat")
    before = stack.keeper.revision
    assert act(tmp_path, "pause", "chat").status == 0
    assert stack.keeper.revision == before


def test_of_two_organizers_at_once_none_undoes_what_the_other_did(
    stack: OrganizedStack, tmp_path: Path
) -> None:
    stack.keeper.busy = 1
    assert act(tmp_path, "pause", "chat").status == 0
    assert stack.paused == {"models": {"chat": ""}}


def test_a_pause_that_has_no_room_says_what_makes_some(stack: OrganizedStack, tmp_path: Path) -> None:
    stack.keeper.variables["REFUSED"] = "x" * 3_700
    assert act(tmp_path, "pause", "--say", "y" * 200).status == 0
    before = stack.paused
    ran = act(tmp_path, "pause", "chat", "--say", "z" * 280)
    assert (ran.status, "no room for another pause" in ran.talk) == (1, True), ran.talk
    assert "end another pause, or use fewer words" in ran.talk
    assert (stack.paused, journal(tmp_path)[0]) == (before, ("pause", "", "y" * 200))


def test_a_pause_waits_for_an_update_that_is_under_way(stack: OrganizedStack, tmp_path: Path) -> None:
    stack.keeper.updating = 2
    ran = act(tmp_path, "pause", "chat")
    assert (ran.status, stack.paused) == (0, {"models": {"chat": ""}}), ran.talk


def test_an_update_that_does_not_end_is_said(stack: OrganizedStack) -> None:
    stack.keeper.updating = 1_000
    variable = FunctionVariable(
        AwsClients(REGION), STACK, part=KEY_FUNCTION, name=PAUSED_VARIABLE, words=PAUSES, wait_seconds=1
    )
    with pytest.raises(DeployError, match="still changing the function the-function-of-keys") as caught:
        variable.change(lambda value: (None, f"{value} "))
    assert "then try again" in caught.value.fix
    assert stack.keeper.updating == 1_000 - ATTEMPTS, "it asked how the update goes after each attempt"


def test_everybody_is_told_something_until_it_is_taken_away(stack: OrganizedStack, tmp_path: Path) -> None:
    ran = act(tmp_path, "message", "Lunch  is here \u2615")
    assert (ran.status, ran.out) == (0, "Everybody sees it from now on.\n"), ran.talk
    assert "Next: mlapi message --clear --target aws --region us-east-1 --stack Event" in ran.talk
    assert (stack.message["words"], stack.streamer.variables["MODELS"]) == ("Lunch is here \u2615", "kept")
    assert act(tmp_path, "message", "--clear").out == "There is no message any more.\n"
    assert stack.message == ""
    assert act(tmp_path, "message", "--clear").out == "There was no message.\n"
    assert [deed[:2] for deed in journal(tmp_path)] == [("no message", "")] * 2 + [("message", "")]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("message",), 2, "say either what the message is, or --clear"),
        (("message", "Lunch", "--clear"), 2, "say either what the message is, or --clear"),
        (("message", "x" * 281), 2, "281 characters"),
        (("message", "x" * 280), 1, "has no room for this message"),
    ],
)
def test_what_cannot_be_said_changes_nothing(
    words: tuple[str, ...], status: int, said: str, stack: OrganizedStack, tmp_path: Path
) -> None:
    stack.streamer.variables["MODELS"] = "x" * 3_900
    ran = act(tmp_path, *words)
    assert (ran.status, said in ran.talk) == (status, True), ran.talk
    assert (stack.message, journal(tmp_path)) == ("", [])


def test_a_stack_from_before_there_were_messages_is_to_be_deployed_again(
    stack: OrganizedStack, tmp_path: Path
) -> None:
    del stack.streamer.variables[MESSAGE_VARIABLE]
    ran = act(tmp_path, "message", "Lunch")
    assert (ran.status, "was deployed before there were messages to all" in ran.talk) == (1, True), ran.talk


@pytest.mark.parametrize("what", ["old", "public", "gone"])
def test_what_cannot_be_paused_says_why(what: str, stack: OrganizedStack, tmp_path: Path) -> None:
    told = {
        "old": "was deployed before there were pauses",
        "public": "everybody may call it, and nothing can pause that",
        "gone": "is not deployed in us-east-1",
    }
    if what == "old":
        del stack.keeper.variables[PAUSED_VARIABLE]
    else:
        listed = [("AWS::ApiGateway::RestApi", "ApiHttp1", "api")] if what == "public" else []
        stack.wire.answers["cloudformation.ListStackResources"] = stack_resources(*listed)
    ran = act(tmp_path, "pause")
    assert (ran.status, told[what] in ran.talk) == (1, True), ran.talk
    assert journal(tmp_path) == []


def granted(stack: OrganizedStack, owner: str) -> dict[str, Any]:
    """What a team has been granted."""
    item = stack.documents.items.get((f"team#{owner}", "granted"), {})
    return {unit: int(item[unit]["N"]) for unit in ("tokens", "nanodollars") if unit in item}


def test_a_team_is_granted_more_until_that_is_taken_back(stack: OrganizedStack, tmp_path: Path) -> None:
    config = ("--config", "models.json")
    ran = act(tmp_path, "grant", "red", "--usd", "1.5", *config)
    assert (ran.status, ran.out) == (0, "red may use more until the event ends.\n"), ran.talk
    assert "Next: mlapi grant red --take-back --target aws" in ran.talk
    act(tmp_path, "grant", "red", "--usd", "0.5", *config)
    assert granted(stack, "red")["nanodollars"] == 2 * DOLLAR
    back = act(tmp_path, "grant", "red", "--take-back", *config)
    assert back.out == "red has the limits of the config again.\n"
    assert granted(stack, "red") == {}
    nothing = act(tmp_path, "grant", "red", "--take-back", *config)
    assert (nothing.status, "red was granted nothing" in nothing.talk) == (2, True)
    assert journal(tmp_path) == [
        ("take back", "red", "2 USD"),
        ("grant", "red", "0.5 USD"),
        ("grant", "red", "1.5 USD"),
    ]


def test_a_team_that_joined_has_the_limits_of_places(stack: OrganizedStack, tmp_path: Path) -> None:
    config = ("--config", "models.json")
    assert act(tmp_path, "grant", "Owls", "--tokens", "500", *config).status == 0
    assert granted(stack, "place:1")["tokens"] == 500


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("red", "--tokens", "5"), "nothing limits red in tokens"),
        (("blue", "--usd", "5"), "nothing limits blue in dollars"),
        (("red", "--requests", "5"), "API Gateway counts requests by itself"),
        (("green", "--usd", "5"), "green"),
    ],
)
def test_what_nothing_limits_cannot_be_granted(
    words: tuple[str, ...], said: str, stack: OrganizedStack, tmp_path: Path
) -> None:
    ran = act(tmp_path, "grant", *words, "--config", "models.json")
    assert (ran.status, said in ran.talk) == (2, True), ran.talk
    assert stack.documents.items.keys() == {("door", "now")}


def renew(folder: Path) -> dict[str, Any]:
    """Gives red a new key, as the organizer's screen does."""
    clients = AwsClients(REGION)
    target = AwsTarget(folder / "models.json", STACK, REGION, folder / ".mlapi")
    return AwsActs(target, clients).do("new-key", {"team": "red"})


def while_a_key_is_made(stack: OrganizedStack, happen: Callable[[], None]) -> None:
    """Lets something happen between a new key and what follows it."""

    def join(_: str) -> Answer:
        happen()
        return Answer(201, {"id": "made"})

    stack.wire.spoken["apigateway.POST /usageplans/plan-red/keys"] = join


def test_a_new_key_does_not_undo_a_resume_meanwhile(stack: OrganizedStack, tmp_path: Path) -> None:
    act(tmp_path, "pause", "--team", "red", "--say", "Ask us")
    while_a_key_is_made(stack, lambda: stack.keeper.variables.update({PAUSED_VARIABLE: NOTHING_PAUSED}))
    renew(tmp_path)
    assert stack.paused == {}


def test_a_new_key_is_covered_by_a_pause_that_changed_meanwhile(
    stack: OrganizedStack, tmp_path: Path
) -> None:
    changed = {"teams": {"red": "Later"}, "keys": {hash_key(KEYS["red"]): "red"}}
    while_a_key_is_made(stack, lambda: stack.keeper.variables.update({PAUSED_VARIABLE: json.dumps(changed)}))
    key = renew(tmp_path)["key"]
    assert stack.paused["teams"] == {"red": "Later"}
    assert stack.paused["keys"][hash_key(key)] == "red"


def test_a_new_key_leaves_those_of_another_organizer_covered(stack: OrganizedStack, tmp_path: Path) -> None:
    theirs = {hash_key(key): "red" for key in (KEYS["red"], "made-by-another")}
    changed = json.dumps({"teams": {"red": "Later"}, "keys": theirs})
    while_a_key_is_made(stack, lambda: stack.keeper.variables.update({PAUSED_VARIABLE: changed}))
    key = renew(tmp_path)["key"]
    assert stack.paused["keys"] == {**theirs, hash_key(key): "red"}


def test_a_rotated_key_of_a_paused_team_is_paused_and_the_verb_says_so(
    stack: OrganizedStack, tmp_path: Path
) -> None:
    act(tmp_path, "pause", "--team", "red", "--say", "Ask us")
    ran = act(tmp_path, "keys", "rotate", "red")
    assert ran.status == 0, ran.talk
    key = stack.keys["red"]
    assert key != KEYS["red"]
    assert stack.paused["keys"] == {hash_key(value): "red" for value in (KEYS["red"], key)}
    assert "The team is paused, with this key too, until:" in ran.talk
    assert "mlapi resume --team red --target aws" in ran.talk
    act(tmp_path, "resume", "--team", "red")
    again = act(tmp_path, "keys", "rotate", "red")
    assert (again.status, "paused" in again.talk, stack.paused) == (0, False, {})


def test_a_rotated_key_works_only_once_the_pause_covers_it(stack: OrganizedStack, tmp_path: Path) -> None:
    act(tmp_path, "pause", "--team", "red")
    paused_then: list[Any] = []
    while_a_key_is_made(stack, lambda: paused_then.append(stack.paused["keys"]))
    assert act(tmp_path, "keys", "rotate", "red").status == 0
    assert hash_key(stack.keys["red"]) in paused_then[0]


def test_a_key_is_taken_back_if_a_pause_that_began_meanwhile_cannot_cover_it(
    stack: OrganizedStack, tmp_path: Path
) -> None:
    change = f"lambda.PUT /2015-03-31/functions/{FUNCTION}/configuration"

    def pause_and_forbid() -> None:
        stack.keeper.variables[PAUSED_VARIABLE] = json.dumps({"teams": {"red": "Later"}})
        stack.wire.spoken[change] = lambda _: refusal("AccessDeniedException", "not yours", 403)

    while_a_key_is_made(stack, pause_and_forbid)
    ran = act(tmp_path, "keys", "rotate", "red")
    assert (ran.status, "not yours" in ran.talk) == (1, True), ran.talk
    assert stack.keys["red"] == KEYS["red"]


def test_a_stack_from_before_there_were_pauses_gets_new_keys_all_the_same(
    stack: OrganizedStack, tmp_path: Path
) -> None:
    del stack.keeper.variables[PAUSED_VARIABLE]
    assert act(tmp_path, "keys", "rotate", "red").status == 0
    assert stack.keys["red"] != KEYS["red"]


def test_a_pause_covers_a_key_that_is_made_meanwhile(stack: OrganizedStack, tmp_path: Path) -> None:
    listed = [[*stack.items]]
    made = build_key("red", "made-meanwhile", "made", 1)

    def list_keys(_: str) -> Answer:
        if listed:
            return Answer(200, {"item": listed.pop()})
        return Answer(200, {"item": [*stack.items, made]})

    stack.wire.spoken["apigateway.GET /apikeys"] = list_keys
    assert act(tmp_path, "pause", "--team", "red").status == 0
    assert stack.paused["keys"][hash_key("made-meanwhile")] == "red"
