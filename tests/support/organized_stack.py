"""A stack that an organizer works on: two teams, one that joined, a table of what they spend."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from botocore.exceptions import ClientError

from centralized_ml_api.aws.stack.contract import (
    ADDRESS_OUTPUT,
    DELETE_STACK,
    JOINING_OUTPUT,
    KEY_ENDS_OUTPUT,
    MESSAGE_VARIABLE,
    NO_MESSAGE,
    NOTHING_PAUSED,
    PAUSED_VARIABLE,
    PLACES_PLAN,
    TEAM_TAG,
    key_tags,
)
from support.aws_wire import Answer, AwsWire, refusal, stack_resources, xml
from support.fake_documents import FakeDocuments
from support.fake_function import FakeFunction

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

STACK, REGION = "Event", "us-east-1"
KEYS = {"red": "key-of-red", "blue": "key-of-blue", "place:1": "key-of-a-place"}
PATHS = ("/", "/chat", "/echo", "/health", "/v1", "/v1/models", "/{proxy+}")
FUNCTION, STREAMER = "the-function-of-keys", "the-function-that-streams"
SPENDING, DOOR = "the-spending", "the-door"
_PLAN = "AWS::ApiGateway::UsagePlan"


@dataclass
class OrganizedStack:
    """The state of the stack."""

    wire: AwsWire
    keeper: FakeFunction = field(
        default_factory=lambda: FakeFunction(FUNCTION, {"OWN_TAG": "kept", PAUSED_VARIABLE: NOTHING_PAUSED})
    )
    streamer: FakeFunction = field(
        default_factory=lambda: FakeFunction(STREAMER, {"MODELS": "kept", MESSAGE_VARIABLE: NO_MESSAGE})
    )
    documents: FakeDocuments = field(default_factory=FakeDocuments)
    queries: list[str] = field(default_factory=list)
    rows: dict[str, list[dict[str, str]]] = field(default_factory=lambda: {"calls": [], "errors": [], "": []})
    keys_changed: list[Any] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=lambda: [*map(build_key, KEYS, KEYS.values())])
    schedules: list[dict[str, Any]] = field(default_factory=list)
    resources: list[tuple[str, str, str]] = field(default_factory=list)
    template: dict[str, Any] = field(default_factory=dict)
    copies: int = 0

    @property
    def paused(self) -> Any:
        """What the function of keys is told of pauses."""
        return json.loads(self.keeper.variables[PAUSED_VARIABLE])

    @property
    def message(self) -> Any:
        """What the function that streams is told to say to everybody."""
        return json.loads(self.streamer.variables[MESSAGE_VARIABLE])

    @property
    def keys(self) -> dict[str, str]:
        """The latest key of each team."""
        return {item["tags"][TEAM_TAG]: item["value"] for item in self.items}

    def answer(self) -> None:
        """Lets the wire answer as this stack does."""
        plans: dict[str, Any] = {
            team: {"Type": _PLAN, "Properties": {"UsagePlanName": team}} for team in ("red", "blue")
        }
        plans["places"] = {"Type": _PLAN, "Properties": {"UsagePlanName": PLACES_PLAN}}
        self.template |= plans
        self._add_resources(plans)
        self._open_door()
        self.wire.answers |= self._list_fixed(plans)
        self.wire.spoken |= {
            **self.keeper.serve(),
            **self.streamer.serve(),
            **self._serve_keys(),
            "dynamodb.GetItem": lambda body: Answer(200, self.documents.get_item(**json.loads(body))),
            "dynamodb.UpdateItem": self._update,
            "dynamodb.DeleteItem": self._delete,
            "dynamodb.Scan": self._scan,
            "logs.StartQuery": self._start_query,
            "logs.GetQueryResults": self._query_results,
            "scheduler.POST /schedules/*": self._make_schedule,
            "monitoring.GetMetricData": self._count,
        }

    def _add_resources(self, plans: dict[str, Any]) -> None:
        self.resources += [
            *((_PLAN, name, f"plan-{name}") for name in plans),
            ("AWS::Scheduler::ScheduleGroup", "Group", "group"),
            ("AWS::Lambda::Function", "ApiKeyFunctionResource1", FUNCTION),
            ("AWS::Lambda::Function", "ApiStreamFunction1", STREAMER),
            ("AWS::DynamoDB::Table", "ApiStreamSpending1", SPENDING),
            ("AWS::ApiGateway::RestApi", "ApiHttp1", "api"),
            ("AWS::Logs::LogGroup", "ApiHttpAccessLog1", "the-log"),
        ]
        self._list_resources()

    def _open_door(self) -> None:
        """Writes who has joined."""
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

    def _list_fixed(self, plans: dict[str, Any]) -> dict[str, Answer]:
        """The answers that nothing changes, by operation."""
        outputs = {
            ADDRESS_OUTPUT: "https://api.example/prod/",
            KEY_ENDS_OUTPUT: "arn:aws:iam::1:role/r",
            JOINING_OUTPUT: json.dumps({"table": DOOR, "places": 3, "until": ""}),
        }
        listed = [
            {"id": f"plan-{name}", "name": plan["Properties"]["UsagePlanName"]}
            for name, plan in plans.items()
        ]
        return {
            "cloudformation.DescribeStacks": describe_stack(outputs),
            "apigateway.GET /restapis/api/resources": Answer(
                200, {"item": [{"id": path, "path": path} for path in PATHS]}
            ),
            "apigateway.GET /usageplans": Answer(200, {"item": listed}),
            **{
                f"apigateway.GET /usageplans/{plan['id']}/usage": Answer(200, {"values": {}})
                for plan in listed
            },
        }

    def _serve_keys(self) -> dict[str, Callable[[str], Answer]]:
        return {
            "apigateway.GET /apikeys": lambda _: Answer(200, {"item": self.items}),
            "apigateway.POST /apikeys": self._make_key,
            "apigateway.PATCH /apikeys/red": partial(self._change_key, "red"),
            "apigateway.POST /usageplans/plan-red/keys": lambda _: Answer(201, {"id": "made"}),
        }

    def end_at(self, instant: datetime) -> None:
        """Gives the stack a schedule that deletes it then."""
        schedule: dict[str, Any] = {
            "Name": "end",
            "State": "ENABLED",
            "StartDate": instant.timestamp(),
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": f"arn:aws:scheduler:::aws-sdk:{DELETE_STACK}",
                "RoleArn": "arn:aws:iam::1:role/e",
            },
        }

        def move(body: str) -> Answer:
            wanted = json.loads(body)
            schedule["StartDate"] = wanted["StartDate"]
            return Answer(200, {"ScheduleArn": "arn:aws:scheduler:::schedule/default/end"})

        self.wire.spoken |= {
            "scheduler.GET /schedules/end": lambda _: Answer(200, schedule),
            "scheduler.PUT /schedules/end": move,
        }
        self.schedules.append(schedule)
        self.resources.append(("AWS::Scheduler::Schedule", "End", "end"))
        self._list_resources()

    def let_chat_sleep(self) -> None:
        """Gives the model chat an endpoint whose one component has no copies until somebody wakes it."""
        endpoint, config = "AWS::SageMaker::Endpoint", "AWS::SageMaker::EndpointConfig"
        component, arn = "AWS::SageMaker::InferenceComponent", "arn:aws:sagemaker:us-east-1:1:"
        self.template |= {
            "Chat": {
                "Type": endpoint,
                "Properties": {"EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}},
                "Metadata": {"aws:cdk:path": f"{STACK}/Api/Models/chat/Endpoint"},
            },
            "Config": {"Type": config, "Properties": {}},
            "Component": {
                "Type": component,
                "Properties": {"EndpointName": {"Fn::GetAtt": ["Chat", "EndpointName"]}},
            },
        }
        self.resources += [
            (endpoint, "Chat", f"{arn}endpoint/chat-1"),
            (config, "Config", f"{arn}endpoint-config/c"),
            (component, "Component", f"{arn}inference-component/chat-1"),
        ]
        self._list_resources()
        variant = {"VariantName": "AllTraffic", "InstanceType": "ml.g5.2xlarge"}
        described = {"EndpointName": "chat-1", "EndpointConfigName": "c", "EndpointStatus": "InService"}
        self.wire.answers |= {
            "sagemaker.DescribeEndpointConfig": Answer(
                200, {"EndpointConfigName": "c", "ProductionVariants": [variant]}
            ),
            "sagemaker.DescribeEndpoint": Answer(200, described),
        }
        self.wire.spoken |= {
            "sagemaker.DescribeInferenceComponent": lambda _: Answer(200, self._describe_component()),
            "sagemaker.UpdateInferenceComponentRuntimeConfig": self._wake,
        }

    def _describe_component(self) -> dict[str, Any]:
        return {
            "InferenceComponentName": "chat-1",
            "InferenceComponentStatus": "InService",
            "RuntimeConfig": {"CurrentCopyCount": 0, "DesiredCopyCount": self.copies},
            "EndpointName": "chat-1",
            "EndpointArn": "arn:aws:sagemaker:us-east-1:1:endpoint/chat-1",
            "InferenceComponentArn": "arn:aws:sagemaker:us-east-1:1:inference-component/chat-1",
        }

    def _wake(self, body: str) -> Answer:
        self.copies = json.loads(body)["DesiredRuntimeConfig"]["CopyCount"]
        return Answer(
            200, {"InferenceComponentArn": "arn:aws:sagemaker:us-east-1:1:inference-component/chat-1"}
        )

    def _list_resources(self) -> None:
        template = escape(json.dumps({"Resources": self.template}))
        self.wire.answers |= {
            "cloudformation.ListStackResources": stack_resources(*self.resources),
            "cloudformation.GetTemplate": xml("GetTemplate", f"<TemplateBody>{template}</TemplateBody>"),
        }

    def _make_key(self, body: str) -> Answer:
        wanted = json.loads(body)
        made = build_key(
            wanted["tags"][TEAM_TAG], wanted["value"], f"made-{len(self.items)}", len(self.items)
        )
        self.items.append(made)
        path = f"/apikeys/{made['id']}"
        self.wire.spoken[f"apigateway.PATCH {path}"] = partial(self._change_key, made["id"])
        self.wire.spoken[f"apigateway.DELETE {path}"] = partial(self._delete_key, made)
        return Answer(201, made)

    def _delete_key(self, made: dict[str, Any], _: str) -> Answer:
        self.items.remove(made)
        return Answer(202, {})

    def _make_schedule(self, body: str) -> Answer:
        self.schedules.append(json.loads(body))
        return Answer(200, {"ScheduleArn": "arn:aws:scheduler:::schedule/group/key"})

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

    def _change_key(self, id_: str, body: str) -> Answer:
        operations = json.loads(body)["patchOperations"]
        self.keys_changed.append(operations)
        (key,) = (item for item in self.items if item["id"] == id_)
        for operation in operations:
            name, value = operation["path"].removeprefix("/"), operation["value"]
            key[name] = value == "true" if name == "enabled" else value
        return Answer(200, {"id": id_})

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


def build_key(owner: str, value: str, id_: str = "", created: int = 0) -> dict[str, Any]:
    """A key as API Gateway lists it; its id is the owner's name where there is no other."""
    tags = key_tags(STACK, owner)
    return {"id": id_ or owner, "value": value, "enabled": True, "createdDate": created, "tags": tags}


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
