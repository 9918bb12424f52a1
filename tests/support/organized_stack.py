"""A stack that an organizer works on: two teams, one that joined, a table of what they spend."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from botocore.exceptions import ClientError

from centralized_ml_api.aws.stack_contract import (
    ADDRESS_OUTPUT,
    JOINING_OUTPUT,
    KEY_ENDS_OUTPUT,
    NOTHING_PAUSED,
    PAUSED_VARIABLE,
    PLACES_PLAN,
    key_tags,
)
from support.aws_wire import Answer, AwsWire, refusal, stack_resources, xml
from support.fake_documents import FakeDocuments

STACK, REGION = "Event", "us-east-1"
KEYS = {"red": "key-of-red", "blue": "key-of-blue", "place:1": "key-of-a-place"}
PATHS = ("/", "/chat", "/echo", "/health", "/v1", "/v1/models", "/{proxy+}")
FUNCTION, SPENDING, DOOR = "the-function-of-keys", "the-spending", "the-door"
_CONFIGURATION = f"/2015-03-31/functions/{FUNCTION}/configuration"
_PLAN = "AWS::ApiGateway::UsagePlan"


@dataclass
class OrganizedStack:
    """The state of the stack. Of the next `busy` changes of the function, another organizer is faster."""

    wire: AwsWire
    variables: dict[str, str] = field(
        default_factory=lambda: {"OWN_TAG": "kept", PAUSED_VARIABLE: NOTHING_PAUSED}
    )
    documents: FakeDocuments = field(default_factory=FakeDocuments)
    queries: list[str] = field(default_factory=list)
    rows: dict[str, list[dict[str, str]]] = field(default_factory=lambda: {"calls": [], "errors": [], "": []})
    keys_changed: list[Any] = field(default_factory=list)
    revision: int = 1
    busy: int = 0

    @property
    def paused(self) -> Any:
        """What the function of keys is told of pauses."""
        return json.loads(self.variables[PAUSED_VARIABLE])

    def answer(self) -> None:
        """Lets the wire answer as this stack does."""
        plans: dict[str, Any] = {
            team: {"Type": _PLAN, "Properties": {"UsagePlanName": team}} for team in ("red", "blue")
        }
        plans["places"] = {"Type": _PLAN, "Properties": {"UsagePlanName": PLACES_PLAN}}
        joining = {"table": DOOR, "places": 3, "until": ""}
        outputs = {
            ADDRESS_OUTPUT: "https://api.example/prod/",
            KEY_ENDS_OUTPUT: "arn:aws:iam::1:role/r",
            JOINING_OUTPUT: json.dumps(joining),
        }
        items = [
            {"id": team, "value": value, "enabled": True, "createdDate": 0, "tags": key_tags(STACK, team)}
            for team, value in KEYS.items()
        ]
        template = escape(json.dumps({"Resources": plans}))
        self.wire.answers |= {
            "cloudformation.ListStackResources": stack_resources(
                *((_PLAN, name, f"plan-{name}") for name in plans),
                ("AWS::Scheduler::ScheduleGroup", "Group", "group"),
                ("AWS::Lambda::Function", "ApiKeyFunctionResource1", FUNCTION),
                ("AWS::DynamoDB::Table", "ApiStreamSpending1", SPENDING),
                ("AWS::ApiGateway::RestApi", "ApiHttp1", "api"),
                ("AWS::Logs::LogGroup", "ApiHttpAccessLog1", "the-log"),
            ),
            "cloudformation.GetTemplate": xml("GetTemplate", f"<TemplateBody>{template}</TemplateBody>"),
            "cloudformation.DescribeStacks": describe_stack(outputs),
            "apigateway.GET /apikeys": Answer(200, {"item": items}),
            "apigateway.GET /restapis/api/resources": Answer(
                200, {"item": [{"id": path, "path": path} for path in PATHS]}
            ),
        }
        self.documents.update_item(
            Key={"holder": {"S": "door"}, "span": {"S": "now"}},
            UpdateExpression="SET #code = :code, #closed = :closed, #taken = :taken, #names = :names,"
            " #places = :places, #receipts = :receipts",
            ExpressionAttributeNames={
                f"#{name}": name for name in ("code", "closed", "taken", "names", "places", "receipts")
            },
            ExpressionAttributeValues={
                ":code": {"S": "the-code"},
                ":closed": {"BOOL": False},
                ":taken": {"N": "1"},
                ":names": {"M": {"owls": {"S": "Owls"}}},
                ":places": {"M": {"owls": {"N": "0"}}},
                ":receipts": {"M": {"owls": {"S": "told"}}},
            },
        )
        self.wire.spoken |= {
            f"lambda.GET {_CONFIGURATION}": lambda _: Answer(200, self._describe()),
            f"lambda.PUT {_CONFIGURATION}": self._change,
            f"lambda.GET /2015-03-31/functions/{FUNCTION}": lambda _: Answer(
                200, {"Configuration": self._describe()}
            ),
            "dynamodb.GetItem": lambda body: Answer(200, self.documents.get_item(**json.loads(body))),
            "dynamodb.UpdateItem": self._update,
            "dynamodb.DeleteItem": self._delete,
            "dynamodb.Scan": self._scan,
            "logs.StartQuery": self._start_query,
            "logs.GetQueryResults": self._query_results,
            "apigateway.PATCH /apikeys/red": self._change_key,
            "monitoring.GetMetricData": self._count,
        }
        self.wire.answers |= {
            "apigateway.GET /usageplans": Answer(
                200,
                {
                    "item": [
                        {"id": f"plan-{name}", "name": plan["Properties"]["UsagePlanName"]}
                        for name, plan in plans.items()
                    ]
                },
            ),
            **{
                f"apigateway.GET /usageplans/plan-{name}/usage": Answer(200, {"values": {}}) for name in plans
            },
        }

    def _count(self, body: str) -> Answer:
        """Two calls a second in the last minute that is asked for."""
        asked = json.loads(body)
        last = asked["EndTime"] - 60
        results = [
            {"Id": query["Id"], "Timestamps": [last], "Values": [120 if query["Id"] == "requests" else 0]}
            for query in asked["MetricDataQueries"]
        ]
        return Answer(200, {"MetricDataResults": results})

    def _start_query(self, body: str) -> Answer:
        query = json.loads(body)["queryString"]
        self.queries.append(query)
        return Answer(200, {"queryId": str(len(self.queries) - 1)})

    def _query_results(self, body: str) -> Answer:
        query = self.queries[int(json.loads(body)["queryId"])]
        rows = self.rows["errors" if query.startswith("filter") else "calls" if "sum(bytes)" in query else ""]
        cells = [[{"field": name, "value": value} for name, value in row.items()] for row in rows]
        return Answer(200, {"status": "Complete", "results": cells})

    def _change_key(self, body: str) -> Answer:
        self.keys_changed.append(json.loads(body)["patchOperations"])
        return Answer(200, {"id": "red"})

    def _describe(self) -> dict[str, Any]:
        environment = {"Variables": self.variables}
        return {
            "Environment": environment,
            "RevisionId": str(self.revision),
            "LastUpdateStatus": "Successful",
        }

    def _change(self, body: str) -> Answer:
        wanted = json.loads(body)
        if self.busy:
            self.busy -= 1
            self.revision += 1
        if wanted["RevisionId"] != str(self.revision):
            return refusal("PreconditionFailedException", "The Revision Id provided does not match", 412)
        variables = wanted["Environment"]["Variables"]
        if len(json.dumps(variables)) > 4096:
            said = "the environment variables you have provided exceeded the 4KB limit. String measured: {}"
            return refusal(
                "InvalidParameterValueException", f"Lambda was unable to configure, because {said}"
            )
        self.variables = variables
        self.revision += 1
        return Answer(200, self._describe())

    def _update(self, body: str) -> Answer:
        try:
            return Answer(200, self.documents.update_item(**json.loads(body)))
        except ClientError as error:
            return refusal(error.response["Error"]["Code"], "no")

    def _delete(self, body: str) -> Answer:
        key = json.loads(body)["Key"]
        found = self.documents.items.pop((key["holder"]["S"], key["span"]["S"]), None)
        return Answer(200, {"Attributes": found} if found else {})

    def _scan(self, body: str) -> Answer:
        wanted = json.loads(body)
        everything = {"": {"S": ""}}
        (value,) = wanted.get("ExpressionAttributeValues", everything).values()
        begins = wanted.get("FilterExpression", "begins_with").startswith("begins_with")
        found = [
            item
            for (_, span), item in self.documents.items.items()
            if span == value["S"] or (begins and span.startswith(value["S"]))
        ]
        return Answer(200, {"Items": found, "Count": len(found), "ScannedCount": len(found)})


def describe_stack(outputs: dict[str, str]) -> Answer:
    """A stack with these outputs."""
    members = "".join(
        f"<member><OutputKey>{key}</OutputKey><OutputValue>{escape(value)}</OutputValue></member>"
        for key, value in outputs.items()
    )
    stack = (
        f"<Stacks><member><StackName>{STACK}</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime>"
        f"<StackStatus>CREATE_COMPLETE</StackStatus><Outputs>{members}</Outputs></member></Stacks>"
    )
    return xml("DescribeStacks", stack)
