"""Joining of a deployed stack: what `mlapi join` shows and changes, and what a deploy does for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api.invitation import Invitation
from centralized_ml_api.api.keys import new_key
from centralized_ml_api.api.roster import read_roster
from centralized_ml_api.aws.cdk.target import AwsTarget
from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.constructs.join_code.index import JoinTable
from centralized_ml_api.aws.event.joining import AwsJoining, load_roster, open_joining
from centralized_ml_api.aws.event.keys import AwsKeys
from centralized_ml_api.aws.stack.contract import JOINING_OUTPUT, key_tags
from centralized_ml_api.errors import DeployError, UsageError
from support.aws_wire import Answer, refusal, stack_resources, xml
from support.fake_documents import FakeDocuments
from support.verbs import mlapi

if TYPE_CHECKING:
    from support.aws_wire import AwsWire

REGION, STACK = "us-east-1", "CentralizedMlApiStack"
NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)
URL = "https://api.example/prod"
OUTPUTS = {JOINING_OUTPUT: json.dumps({"table": "Table", "places": 3, "until": "2030-06-01T18:00:00Z"})}


def describe_stack(outputs: dict[str, str]) -> Answer:
    told = "".join(
        f"<member><OutputKey>{name}</OutputKey><OutputValue>{value}</OutputValue></member>"
        for name, value in outputs.items()
    )
    state = "<CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>"
    member = f"<member><StackName>{STACK}</StackName>{state}<Outputs>{told}</Outputs></member>"
    return xml("DescribeStacks", f"<Stacks>{member}</Stacks>")


@pytest.fixture
def documents(aws: AwsWire) -> FakeDocuments:
    """The table of a stack with three places, that was deployed just now."""
    documents = FakeDocuments()
    for operation in ("GetItem", "UpdateItem"):
        aws.spoken[f"dynamodb.{operation}"] = lambda body, operation=operation: Answer(  # type: ignore[misc]
            200, documents.call(operation, json.loads(body))
        )
    outputs = {**OUTPUTS, "MyApiEndpoint": f"{URL}/", "KeyEndsRole": "r"}
    aws.answers["cloudformation.DescribeStacks"] = describe_stack(outputs)
    return documents


@pytest.fixture
def joining(documents: FakeDocuments) -> AwsJoining:
    """Joining of that stack."""
    del documents  # the table that it asks
    return AwsJoining(AwsTarget(Path("models.json"), STACK, REGION, Path(".mlapi")), AwsClients(REGION))


def take(documents: FakeDocuments, *names: str) -> None:
    """Lets teams join."""
    for name in names:
        JoinTable(documents, "Table").take(name, 3)


def test_a_code_is_made_once_and_the_link_has_it(joining: AwsJoining, documents: FakeDocuments) -> None:
    first = joining.invite(URL, NOW)
    assert first == Invitation(
        f"{URL}/join#code={first.code}", first.code, "", "2030-06-01T18:00:00Z", places=3, taken=0
    )
    take(documents, "Owls")
    again = joining.invite(URL, NOW)
    assert (again.code, again.taken) == (first.code, 1)


def test_the_door_closes_and_opens_and_the_code_changes(joining: AwsJoining) -> None:
    code = joining.invite(URL, NOW).code
    joining.change(NOW, is_closed=True)
    closed = joining.invite(URL, NOW)
    assert (closed.closed, closed.code) == ("an organizer closed it", code)
    joining.change(NOW, is_closed=False, new_code=True)
    now = joining.invite(URL, NOW)
    assert now.closed == ""
    assert now.code != code


def test_who_only_looks_changes_nothing(joining: AwsJoining, documents: FakeDocuments) -> None:
    joining.change(NOW)
    assert documents.items == {}


def test_the_code_of_the_config_counts_as_long_as_the_config_names_it(
    joining: AwsJoining, documents: FakeDocuments
) -> None:
    open_joining(AwsClients(REGION), OUTPUTS, "HERON-42")
    assert joining.invite(URL, NOW).code == "HERON-42"
    with pytest.raises(UsageError, match="the config names the code"):
        joining.change(NOW, new_code=True)
    joining.change(NOW, is_closed=True)
    open_joining(AwsClients(REGION), OUTPUTS, None)
    now = joining.invite(URL, NOW)
    assert now.code == documents.items["door", "now"]["code"]["S"]
    assert now.closed, "a deploy opens nothing that an organizer has closed"


def test_joining_that_has_ended_is_not_opened(joining: AwsJoining) -> None:
    evening = datetime(2030, 6, 1, 18, tzinfo=UTC)
    assert joining.invite(URL, evening).closed == "it was open until 2030-06-01T18:00:00Z"
    with pytest.raises(UsageError, match="joining was open until"):
        joining.change(evening, is_closed=False)


def test_a_stack_without_places_is_told_apart(joining: AwsJoining, aws: AwsWire) -> None:
    aws.answers["cloudformation.DescribeStacks"] = describe_stack({})
    with pytest.raises(DeployError, match="it has no places"):
        joining.invite(URL, NOW)
    asked = len(aws.asked)
    open_joining(AwsClients(REGION), {}, None)
    assert load_roster(AwsClients(REGION), {}) == {}
    assert len(aws.asked) == asked


def test_a_refusal_of_aws_is_explained_without_a_code(joining: AwsJoining, aws: AwsWire) -> None:
    del aws.spoken["dynamodb.UpdateItem"]
    aws.answers["dynamodb.UpdateItem"] = refusal("AccessDeniedException", "User: me is not authorized")
    with pytest.raises(DeployError, match="cannot see who may join"):
        joining.invite(URL, NOW)
    for is_closed, said in ((True, "cannot close joining of"), (False, "cannot open joining of")):
        with pytest.raises(DeployError, match=said):
            joining.change(NOW, is_closed=is_closed)
    with pytest.raises(DeployError, match=f"cannot make another code for joining {STACK}"):
        joining.change(NOW, new_code=True)
    with pytest.raises(DeployError, match="cannot add the roster to"):
        joining.add_teams(read_roster("team\nLarks\n"), [])
    with pytest.raises(DeployError, match="its code for joining could not be written") as caught:
        open_joining(AwsClients(REGION), OUTPUTS, "HERON-42")
    assert "HERON" not in caught.value.message + caught.value.fix


def test_the_verb_shows_closes_and_opens(documents: FakeDocuments, tmp_path: Path) -> None:
    shown = mlapi("join", "--target", "aws", cwd=tmp_path)
    code = documents.items["door", "now"]["code"]["S"]
    assert shown.out.endswith(f"{URL}/join#code={code}\n")
    assert shown.talk == (
        "0 of 3 places are taken; joining ends at 2030-06-01T18:00:00Z.\n"
        "Next: mlapi join --close --target aws\n"
    )
    closed = mlapi("join", "--target", "aws", "--close", cwd=tmp_path)
    assert closed.talk == (
        "Joining is closed: an organizer closed it. 0 of 3 places are taken.\n"
        "Next: mlapi join --open --target aws\n"
    )
    told = json.loads(mlapi("join", "--target", "aws", "--open", "--json", cwd=tmp_path).out)
    assert (told["link"], told["closed"]) == (f"{URL}/join#code={code}", "")


@pytest.fixture
def keys(documents: FakeDocuments, joining: AwsJoining, aws: AwsWire) -> AwsKeys:
    """The keys of a stack with a team and three places, of which the first two are taken."""
    joining.invite(URL, NOW)
    take(documents, "Owls", "Larks")
    names = ("red", "place:1", "place:2", "place:3")
    items = [
        {
            "id": name,
            "value": f"value of {name}",
            "enabled": True,
            "createdDate": 0,
            "tags": key_tags(STACK, name),
        }
        for name in names
    ]
    plans = {
        f"{name}Plan": {"Type": "AWS::ApiGateway::UsagePlan", "Properties": {"UsagePlanName": plan}}
        for name, plan in (("Red", "red"), ("Places", "(places)"))
    }
    aws.answers |= {
        "apigateway.GET /apikeys": Answer(200, {"item": items}),
        "cloudformation.GetTemplate": xml(
            "GetTemplate", f"<TemplateBody>{json.dumps({'Resources': plans})}</TemplateBody>"
        ),
        "cloudformation.ListStackResources": stack_resources(
            ("AWS::ApiGateway::UsagePlan", "RedPlan", "plan-of-red"),
            ("AWS::ApiGateway::UsagePlan", "PlacesPlan", "plan-of-places"),
            ("AWS::Scheduler::ScheduleGroup", "Group", "group"),
        ),
    }
    target = AwsTarget(Path("models.json"), STACK, REGION, Path(".mlapi"))
    return AwsKeys(target, AwsClients(REGION), clock=lambda: NOW)


def test_who_joined_is_listed_like_a_team_and_a_free_place_is_not(keys: AwsKeys) -> None:
    assert [(team.team, team.state) for team in keys.teams()] == [
        ("red", "active"),
        ("Owls", "active"),
        ("Larks", "active"),
    ]
    assert (keys.show("Owls"), keys.show("Larks")) == ("value of place:1", "value of place:2")
    with pytest.raises(UsageError, match="there is no team 'place:3'"):
        keys.show("place:3")


def note_made_keys(aws: AwsWire) -> list[dict[str, Any]]:
    """Lets API Gateway make keys; returns the list that gets what each is made of."""
    made: list[dict[str, Any]] = []

    def make(body: str) -> Answer:
        made.append(json.loads(body))
        return Answer(201, {"id": "new"})

    aws.spoken["apigateway.POST /apikeys"] = make
    for plan in ("plan-of-red", "plan-of-places"):
        aws.answers[f"apigateway.POST /usageplans/{plan}/keys"] = Answer(201, {"id": "new"})
    for name in ("red", "place%3A1"):
        aws.answers[f"apigateway.PATCH /apikeys/{name}"] = Answer(200, {"id": name})
    return made


def test_a_new_key_of_who_joined_has_their_place_and_its_limits(keys: AwsKeys, aws: AwsWire) -> None:
    made = note_made_keys(aws)
    keys.rotate("Owls", NOW - NOW)
    (key,) = made
    assert (key["name"], key["tags"]) == ("Owls", key_tags(STACK, "place:1"))
    assert "apigateway.POST /usageplans/plan-of-places/keys" in aws.asked


def test_a_team_that_joined_and_is_listed_now_gets_a_key_with_the_limits_of_the_config(
    keys: AwsKeys, documents: FakeDocuments, aws: AwsWire
) -> None:
    take(documents, "red")  # as if it had joined before the config listed it
    made = note_made_keys(aws)
    aws.answers["apigateway.PATCH /apikeys/place%3A3"] = Answer(200, {"id": "place:3"})
    keys.rotate("red", NOW - NOW)
    (key,) = made
    assert (key["name"], key["tags"]) == ("red", key_tags(STACK, "red"))
    assert "apigateway.POST /usageplans/plan-of-red/keys" in aws.asked
    ended = {asked for asked in aws.asked if asked.startswith("apigateway.PATCH")}
    assert ended == {"apigateway.PATCH /apikeys/red", "apigateway.PATCH /apikeys/place%3A3"}


def test_a_team_that_the_config_no_longer_lists_gets_a_place_and_its_key(
    keys: AwsKeys, aws: AwsWire, tmp_path: Path
) -> None:
    known = aws.answers["apigateway.GET /apikeys"].body
    assert isinstance(known, dict)
    tags = key_tags(STACK, "Gone")
    former = {"id": "gone", "value": "former", "enabled": True, "createdDate": 9, "tags": tags}
    aws.answers["apigateway.GET /apikeys"] = Answer(200, {"item": [*known["item"], former]})
    assert [team.state for team in keys.teams() if team.team == "Gone"] == ["not listed"]
    (tmp_path / "roster.csv").write_text("team\nGone\n")
    ran = mlapi("keys", "import", "roster.csv", "--target", "aws", cwd=tmp_path)
    assert ran.talk.startswith("1 team added; 0 of the roster were there already.")
    assert keys.show("Gone") == "value of place:3"


def test_a_roster_gets_the_next_places_and_who_is_there_stays(
    keys: AwsKeys, documents: FakeDocuments, tmp_path: Path
) -> None:
    (tmp_path / "roster.csv").write_text("team\nred\nOwls\nNight Herons\n")
    ran = mlapi("keys", "import", "roster.csv", "--target", "aws", cwd=tmp_path)
    assert ran.talk == ("1 team added; 2 of the roster were there already.\nNext: mlapi keys --target aws\n")
    assert load_roster(AwsClients(REGION), OUTPUTS) == {
        "place:1": "Owls",
        "place:2": "Larks",
        "place:3": "Night Herons",
    }
    assert keys.show("Night Herons") == "value of place:3"
    again = JoinTable(documents, "Table").take("night herons", 3)
    assert again.receipts["night herons"] == "roster", "nobody joins as a team of the roster"
    assert "0 teams added" in mlapi("keys", "import", "roster.csv", "--target", "aws", cwd=tmp_path).talk


@pytest.mark.parametrize(
    ("roster", "said"),
    [
        ("team\na\nb\n", "line 3 of the roster: all 3 places are taken"),
        ("team\nOWLS\n", "line 2 of the roster: there is a team like OWLS already"),
        (f"team,key\na,{new_key()}\n", "line 2 of the roster: on AWS, teams cannot bring a key"),
    ],
    ids=["more than places", "taken", "own key"],
)
def test_of_a_roster_that_does_not_fit_nobody_is_added(
    keys: AwsKeys, joining: AwsJoining, documents: FakeDocuments, roster: str, said: str
) -> None:
    before = dict(documents.items["door", "now"])
    with pytest.raises(UsageError) as caught:
        joining.add_teams(read_roster(roster), [team.team for team in keys.teams()])
    assert said in caught.value.message
    assert documents.items["door", "now"] == before


def test_a_roster_is_tried_again_where_a_team_joins_meanwhile(
    joining: AwsJoining, documents: FakeDocuments, aws: AwsWire
) -> None:
    joining.invite(URL, NOW)
    spoken = aws.spoken["dynamodb.UpdateItem"]

    def answer(body: str) -> Answer:
        if "taken_then" in body and not documents.items["door", "now"]["names"]["M"]:
            take(documents, "Owls")
        try:
            return spoken(body)
        except documents.exceptions.ConditionalCheckFailedException:
            return refusal("ConditionalCheckFailedException", "The conditional request failed")

    aws.spoken["dynamodb.UpdateItem"] = answer
    assert joining.add_teams(read_roster("team\nLarks\n"), []) == 1
    assert [*load_roster(AwsClients(REGION), OUTPUTS).values()] == ["Owls", "Larks"]
