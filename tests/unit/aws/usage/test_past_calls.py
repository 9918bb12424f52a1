"""`mlapi usage --target aws`: AWS as bytes on a port, from log group and usage plans to the table."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.constructs.http_api import ACCESS_LOG
from centralized_ml_api.aws.stack.contract import STACK_TAG, key_tags
from centralized_ml_api.aws.usage.past_calls import load_table, run_queries
from centralized_ml_api.aws.usage.rows import QUERIES
from centralized_ml_api.errors import DeployError
from centralized_ml_api.plan.usage.tokens import Tokens
from centralized_ml_api.plan.usage.types import SpentTokens
from support.aws_wire import Answer, refusal
from support.verbs import mlapi as run_verb

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.aws_wire import AwsWire

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
STACK = "CentralizedMlApiStack"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOON_MS = str(int(NOON.timestamp() * 1000))
RESOURCES = (
    ("AWS::Logs::LogGroup", "ApiAccessLogA1", "access-log"),
    ("AWS::Logs::LogGroup", "ChatFunctionLogB2", "other-log"),
    ("AWS::ApiGateway::UsagePlan", "TeamKeysredPlan", "plan-red"),
    ("AWS::ApiGateway::UsagePlan", "TeamKeysbluePlan", "plan-blue"),
)


def _xml(action: str, inner: str) -> Answer:
    return Answer(200, f"<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>")


def _resources(*resources: tuple[str, str, str]) -> Answer:
    members = "".join(
        f"<member><ResourceType>{kind}</ResourceType><LogicalResourceId>{logical}</LogicalResourceId>"
        f"<PhysicalResourceId>{physical}</PhysicalResourceId><ResourceStatus>CREATE_COMPLETE</ResourceStatus>"
        "<LastUpdatedTimestamp>2026-06-01T00:00:00Z</LastUpdatedTimestamp></member>"
        for kind, logical, physical in resources
    )
    return _xml("ListStackResources", f"<StackResourceSummaries>{members}</StackResourceSummaries>")


def _stack(made: str, **outputs: str) -> Answer:
    state = f"<CreationTime>{made}</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>"
    told = "".join(
        f"<member><OutputKey>{name}</OutputKey><OutputValue>{value}</OutputValue></member>"
        for name, value in outputs.items()
    )
    member = f"<member><StackName>{STACK}</StackName>{state}<Outputs>{told}</Outputs></member>"
    return _xml("DescribeStacks", f"<Stacks>{member}</Stacks>")


def _row(**cells: str) -> list[dict[str, str]]:
    return [{"field": name, "value": value} for name, value in cells.items()]


def _call(team: str, model: str, status: str, requests: str) -> list[dict[str, str]]:
    times = {"first": NOON_MS, "last": "2026-06-01 12:30:00.000"}
    return _row(team=team, model=model, status=status, requests=requests, bytes_out="1000.0", **times)


ANSWERS = {
    "calls": [
        _call("k1", "/chat", "200", "10"),
        _call("k1", "/chat", "503", "1"),
        _call("k2", "/chat", "429", "2"),
        _call("gone", "/chat", "200", "1"),
        _call("-", "/{proxy+}", "404", "3"),
        *(_call("-", path, "200", "1") for path in ("/", "/health", "/openapi.json", "/v1/models/{model}")),
        _call("k1", "/v1/chat/completions", "200", "5"),
        _call("k1", "/v1/messages", "200", "1"),
    ],
    "latencies": [
        _row(team="k1", model="/chat", p50="120.5", p95="900"),
        _row(team="k2", model="/chat", p50="130", p95="800"),
        _row(team="-", model="/health"),
    ],
    "model_latencies": [_row(model="/chat", p50="121", p95="910")],
    "hours": [
        _row(hour="2026-06-01 12:00:00.000", status="200", requests="15"),
        _row(hour="2026-06-01 12:00:00.000", status="503", requests="6"),
    ],
}


class Insights:
    """CloudWatch's side of a query: each is Running at the first `running` looks, then answers."""

    def __init__(self, wire: AwsWire, answers: Mapping[str, Any], *, running: int = 0) -> None:
        self._answers = answers
        self._running = running
        self._looks: dict[str, int] = {}
        self.asked: list[dict[str, Any]] = []
        wire.spoken["logs.StartQuery"] = self._start
        wire.spoken["logs.GetQueryResults"] = self._results
        wire.answers["logs.StopQuery"] = Answer(200, {"success": True})

    def _start(self, body: str) -> Answer:
        self.asked.append(json.loads(body))
        names = {query: name for name, query in QUERIES.items()}
        return Answer(200, {"queryId": names[self.asked[-1]["queryString"]]})

    def _results(self, body: str) -> Answer:
        query = json.loads(body)["queryId"]
        self._looks[query] = self._looks.get(query, 0) + 1
        answer = self._answers[query]
        if isinstance(answer, str):
            return Answer(200, {"status": answer, "results": []})
        done = self._looks[query] > self._running
        return Answer(200, {"status": "Complete" if done else "Running", "results": answer if done else []})


@pytest.fixture
def deployed(aws: AwsWire) -> AwsWire:
    """A stack with an access log, two teams and a key of another stack."""
    keys = [
        {"id": "k1", "name": "red", "tags": key_tags(STACK, "red")},
        {"id": "k2", "name": "red", "tags": key_tags(STACK, "red")},
        {"id": "k9", "name": "other", "tags": {STACK_TAG: "AnotherStack"}},
        {"id": "k8", "name": "untagged"},
    ]
    aws.answers |= {
        "cloudformation.ListStackResources": _resources(*RESOURCES),
        "cloudformation.DescribeStacks": _stack("2026-05-31T08:00:00Z"),
        "apigateway.GET /apikeys": Answer(200, {"item": keys}),
        "apigateway.GET /usageplans": Answer(
            200, {"item": [{"id": f"plan-{team}", "name": team} for team in ("red", "blue", "other")]}
        ),
        "apigateway.GET /usageplans/plan-red/usage": Answer(
            200, {"values": {"a-secret": [[0, 9], [4, 5]], "k2": [[1, 8], [2, 6]]}}
        ),
        "apigateway.GET /usageplans/plan-blue/usage": Answer(200, {"values": {}}),
    }
    return aws


def test_the_table_is_by_team_and_model_as_on_one_machine(deployed: AwsWire) -> None:
    insights = Insights(deployed, ANSWERS)
    table = load_table(AwsClients("us-east-1"), STACK, None, now=datetime(2026, 6, 1, 13, tzinfo=UTC))
    found = {(row.team, row.model): (row.requests, row.errors, row.p95_milliseconds) for row in table.rows}
    assert found == {
        ("-", "-"): (4, 0, None),
        ("-", "{name}/v1"): (3, 3, None),
        ("key gone", "chat"): (1, 0, None),
        ("red", "chat"): (13, 3, 900.0),
        ("red", "v1/chat/completions"): (5, 0, None),
        ("red", "v1/messages"): (1, 0, None),
    }
    assert [(model.model, model.requests, model.p50_milliseconds) for model in table.models] == [
        ("-", 4, None),
        ("chat", 14, 121.0),
        ("v1/chat/completions", 5, None),
        ("v1/messages", 1, None),
        ("{name}/v1", 3, None),
    ]
    assert [(hour.start, hour.requests, hour.errors) for hour in table.hours] == [(NOON, 21, 6)]
    (red,) = (row for row in table.rows if (row.team, row.model) == ("red", "chat"))
    assert (red.first, red.last.minute, red.bytes_in, red.bytes_out) == (NOON, 30, None, 3000)
    assert {query["logGroupName"] for query in insights.asked} == {"access-log"}
    assert {query["startTime"] for query in insights.asked} == {1780214400}


def test_what_counts_towards_the_quotas_is_what_api_gateway_counted(deployed: AwsWire) -> None:
    Insights(deployed, ANSWERS)
    table = load_table(AwsClients("us-east-1"), STACK, None, now=datetime(2026, 6, 1, 13, tzinfo=UTC))
    assert [(day.team, str(day.day), day.requests) for day in table.days] == [
        ("red", "2026-05-31", 1),
        ("red", "2026-06-01", 6),
    ]
    assert "secret" not in str(table)
    (asked,) = (path for path in deployed.got if path.startswith("/apikeys"))
    assert "includeValues=false" in asked
    plans = [path for path in deployed.got if path.endswith("usage?startDate=2026-05-31&endDate=2026-06-01")]
    assert len(plans) == 2


def test_what_was_before_the_stack_is_not_asked_for(deployed: AwsWire) -> None:
    insights = Insights(deployed, ANSWERS)
    load_table(AwsClients("us-east-1"), STACK, datetime(2026, 1, 1, tzinfo=UTC), now=NOON)
    load_table(AwsClients("us-east-1"), STACK, NOON, now=NOON)
    assert {query["startTime"] for query in insights.asked} == {1780214400, int(NOON.timestamp())}


def _spent(team: str, day: str, model: str, **counts: int) -> dict[str, dict[str, str]]:
    numbers = {name: {"N": str(count)} for name, count in counts.items()}
    return {"holder": {"S": f"team#{team}"}, "span": {"S": f"counted#{day}#{model}"}, **numbers}


SPENT = (
    _spent("red", "2026-05-31", "gpt", call_count=2, tokens_in=100, tokens_out=10, nanodollars=7_000_000),
    _spent("red", "2026-06-01", "gpt", call_count=1, tokens_in=50, tokens_cached=40, tokens_out=5),
    _spent("blue", "2026-06-01", "own", call_count=3, tokens_in=9, tokens_out=3, tokens_estimated=12),
)


def test_tokens_are_those_of_the_table_that_counts_them(deployed: AwsWire) -> None:
    Insights(deployed, ANSWERS)
    deployed.answers["cloudformation.ListStackResources"] = _resources(
        *RESOURCES, ("AWS::DynamoDB::Table", "ApiStreamSpending", "the-table")
    )
    deployed.answers["dynamodb.Scan"] = Answer(200, {"Items": SPENT, "Count": 3, "ScannedCount": 3})
    everything, today = (
        load_table(AwsClients("us-east-1"), STACK, since, now=datetime(2026, 6, 1, 13, tzinfo=UTC))
        for since in (None, NOON)
    )
    blue = SpentTokens("blue", "own", 3, Tokens(9, 0, 3, estimated=12))
    assert everything.spent == (
        blue,
        SpentTokens("red", "gpt", 3, Tokens(150, 40, 15, nanodollars=7_000_000)),
    )
    assert today.spent == (blue, SpentTokens("red", "gpt", 1, Tokens(50, 40, 5)))
    assert "tokens are those of whole days (UTC)" in today.notes
    assert "tokens are those of whole days (UTC)" not in everything.notes


def test_teams_that_joined_have_their_names_though_their_keys_have_those_of_places(deployed: AwsWire) -> None:
    Insights(deployed, {**ANSWERS, "calls": [_call("p2", "/chat", "200", "4")], "latencies": []})
    item = {
        "code": {"S": "c"},
        "closed": {"BOOL": False},
        "taken": {"N": "2"},
        "receipts": {"M": {}},
        "names": {"M": {"larks": {"S": "Larks"}, "owls": {"S": "Owls"}}},
        "places": {"M": {"larks": {"N": "0"}, "owls": {"N": "1"}}},
    }
    joining = json.dumps({"table": "who-joined", "places": 3, "until": ""})
    deployed.answers |= {
        "cloudformation.ListStackResources": _resources(
            RESOURCES[0],
            ("AWS::ApiGateway::UsagePlan", "ApiPlacesPlan", "plan-places"),
            ("AWS::DynamoDB::Table", "ApiJoinTable", "who-joined"),
            ("AWS::DynamoDB::Table", "ApiStreamSpending", "the-table"),
        ),
        "cloudformation.DescribeStacks": _stack("2026-05-31T08:00:00Z", Joining=joining),
        "dynamodb.GetItem": Answer(200, {"Item": item}),
        "dynamodb.Scan": Answer(
            200, {"Items": [_spent("place:2", "2026-06-01", "gpt", call_count=1)], "Count": 1}
        ),
        "apigateway.GET /apikeys": Answer(
            200,
            {"item": [{"id": f"p{place}", "tags": key_tags(STACK, f"place:{place}")} for place in (1, 2, 3)]},
        ),
        "apigateway.GET /usageplans": Answer(200, {"item": [{"id": "plan-places", "name": "(places)"}]}),
        "apigateway.GET /usageplans/plan-places/usage": Answer(
            200, {"values": {"p1": [[1, 8]], "p2": [[0, 9], [4, 5]]}}
        ),
    }
    table = load_table(AwsClients("us-east-1"), STACK, None, now=datetime(2026, 6, 1, 13, tzinfo=UTC))
    assert [(row.team, row.requests) for row in table.rows] == [("Owls", 4)]
    assert [(day.team, str(day.day), day.requests) for day in table.days] == [
        ("Larks", "2026-05-31", 1),
        ("Owls", "2026-06-01", 4),
    ]
    assert [(spent.team, spent.calls) for spent in table.spent] == [("Owls", 1)]
    assert deployed.asked.count("dynamodb.Scan") == 1


def test_nothing_is_asked_of_a_stack_that_counts_no_tokens(deployed: AwsWire) -> None:
    Insights(deployed, ANSWERS)
    assert load_table(AwsClients("us-east-1"), STACK, None, now=NOON).spent == ()
    assert "dynamodb.Scan" not in deployed.asked


def test_the_queries_name_what_the_access_log_has() -> None:
    asked = " ".join(QUERIES.values())
    for field in ("team", "model", "status", "milliseconds"):
        assert field in ACCESS_LOG
        assert field in asked
    assert "sum(bytes)" in asked
    assert "bytes" in ACCESS_LOG


def _usage(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    ran = run_verb("usage", "--target", "aws", *arguments, cwd=folder)
    return subprocess.CompletedProcess(arguments, ran.status, ran.out, ran.talk)


def test_the_verb_prints_the_same_and_a_report_with_the_cost(deployed: AwsWire, tmp_path: Path) -> None:
    Insights(deployed, ANSWERS)
    model = {"name": "chat", "image": IMAGE, "instance": "ml.g5.2xlarge", "integration": {"type": "api"}}
    event = {"budget": {"usd": 100, "email": "me@example.com"}}
    (tmp_path / "mine.json").write_text(json.dumps({"models": [model], "event": event}), encoding="utf-8")
    done = _usage(tmp_path, "mine.json", "--json", "--report", "R.md")
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert (data["target"], data["requests"]) == ("aws", 27)
    report = (tmp_path / "R.md").read_text()
    assert "- Instances, from the deploy to the last call (28.5 hours): 43.18 USD." in report
    assert "- The budget was 100.00 USD a month." in report


def test_without_a_stack_it_says_so(aws: AwsWire, tmp_path: Path) -> None:
    aws.answers["cloudformation.ListStackResources"] = Answer(
        400,
        "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>"
        f"<Message>Stack with id {STACK} does not exist</Message></Error></ErrorResponse>",
    )
    done = _usage(tmp_path)
    assert done.returncode == 1
    assert f"{STACK} is not deployed in us-east-1" in done.stderr


def test_a_stack_without_an_access_log_is_said(deployed: AwsWire) -> None:
    deployed.answers["cloudformation.ListStackResources"] = _resources(RESOURCES[1])
    with pytest.raises(DeployError, match="no access log"):
        load_table(AwsClients("us-east-1"), STACK, None)


def test_a_refusal_names_what_aws_refused(deployed: AwsWire) -> None:
    deployed.answers["logs.StartQuery"] = refusal(
        "AccessDeniedException", "User: me is not authorized to perform: logs:StartQuery", 400
    )
    with pytest.raises(DeployError, match="logs:StartQuery"):
        load_table(AwsClients("us-east-1"), STACK, None)


@pytest.mark.parametrize(
    ("status", "said"), [("Failed", "ended as Failed"), ("Running", "took longer than 120 seconds")]
)
def test_a_query_that_fails_or_never_ends_is_an_error(aws: AwsWire, status: str, said: str) -> None:
    Insights(aws, {"hours": status})
    logs = AwsClients("us-east-1").client("logs")
    asked = {"mine": QUERIES["hours"]}
    with pytest.raises(DeployError, match=said):
        run_queries(logs, "group", asked, since=NOON, until=NOON, pause=lambda _: None)
    assert ("logs.StopQuery" in aws.asked) == (status == "Running")


def test_a_query_is_looked_at_until_it_answers(aws: AwsWire) -> None:
    Insights(aws, ANSWERS, running=3)
    logs = AwsClients("us-east-1").client("logs")
    asked = {"mine": QUERIES["model_latencies"]}
    answers = run_queries(logs, "group", asked, since=NOON, until=NOON, pause=lambda _: None)
    assert answers == {"mine": [{"model": "/chat", "p50": "121", "p95": "910"}]}
    assert aws.asked.count("logs.GetQueryResults") == 4


def test_an_answer_that_is_cut_off_is_said(deployed: AwsWire) -> None:
    many = [_row(hour="2026-06-01 12:00:00.000", status="200", requests="1")] * 10_000
    Insights(deployed, {**ANSWERS, "hours": many})
    table = load_table(AwsClients("us-east-1"), STACK, None)
    assert any("at most 10000 rows" in note for note in table.notes)
