"""AWS as bytes on a loopback port: what a test says it answers, to any SDK that is pointed there.

Not a client's stub: the SDK builds, signs, sends and parses as it does with AWS.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "123456789012"
_LAST_PART = re.compile(r"/[^/]*$")
_SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]+/(?P<service>[^/]+)/aws4_request")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: JSON of a dict, or XML as it is."""

    status: int
    body: dict[str, Any] | str


def refusal(code: str, message: str, status: int = 400) -> Answer:
    """An error as the JSON services say it."""
    return Answer(status, {"__type": code, "message": message})


def xml_refusal(code: str, message: str, status: int = 403) -> Answer:
    """An error as the XML services (STS, CloudFormation) say it."""
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status, f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>")


def xml(action: str, inner: str) -> Answer:
    """What an XML service says to an action: `inner` is the content of the result."""
    return Answer(200, _xml(action, inner))


def healthy_account() -> dict[str, Answer]:
    """Answers by `service.Action` of an account in which everything is in order."""
    caller = f"<Arn>arn:aws:iam::{ACCOUNT}:user/me</Arn><UserId>u</UserId><Account>{ACCOUNT}</Account>"
    return {
        "sts.GetCallerIdentity": Answer(200, _xml("GetCallerIdentity", caller)),
        "ssm.GetParameter": Answer(200, {"Parameter": {"Name": "version", "Type": "String", "Value": "30"}}),
        "cloudformation.DescribeStacks": xml_refusal(
            "ValidationError", "Stack with id CentralizedMlApiStack does not exist", 400
        ),
        "servicequotas.ListServiceQuotas": quotas({"ml.g5.2xlarge": 4, "ml.g5.4xlarge": 4}),
        "sagemaker.DescribeModelPackage": Answer(200, {"ModelPackageStatus": "Completed"}),
        "sagemaker.ListEndpoints": Answer(200, {"Endpoints": []}),
        "cloudformation.ListStackResources": xml_refusal(
            "ValidationError", "Stack with id CentralizedMlApiStack does not exist", 400
        ),
        "lambda.GET /2016-08-19/account-settings": concurrency(1000),
        "apigateway.GET /account": Answer(200, {}),
        "budgets.DescribeBudgets": Answer(200, {"Budgets": []}),
    }


def concurrency(total: int, shared: int | None = None) -> Answer:
    """How many functions may run at once, and how many of those nothing has reserved: all, or `shared`."""
    unreserved = total if shared is None else shared
    limit = {"ConcurrentExecutions": total, "UnreservedConcurrentExecutions": unreserved}
    return Answer(200, {"AccountLimit": limit, "AccountUsage": {}})


def stack_resources(*resources: tuple[str, str, str]) -> Answer:
    """The resources of a stack: type, logical id, physical id."""
    members = "".join(
        f"<member><ResourceType>{kind}</ResourceType><LogicalResourceId>{logical}</LogicalResourceId>"
        f"<PhysicalResourceId>{physical}</PhysicalResourceId></member>"
        for kind, logical, physical in resources
    )
    return Answer(
        200, _xml("ListStackResources", f"<StackResourceSummaries>{members}</StackResourceSummaries>")
    )


def subscriptions(*found: tuple[str, str]) -> Answer:
    """The subscriptions of a topic of `you@example.com`: the ARN and the protocol of each."""
    members = "".join(
        f"<member><SubscriptionArn>{arn}</SubscriptionArn><Protocol>{protocol}</Protocol>"
        "<Endpoint>you@example.com</Endpoint></member>"
        for arn, protocol in found
    )
    return Answer(200, _xml("ListSubscriptionsByTopic", f"<Subscriptions>{members}</Subscriptions>"))


def role_trusted_by(service: str) -> Answer:
    """A role that this service may assume."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust = urllib.parse.quote(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    role = (
        f"<Role><Path>/</Path><RoleName>r</RoleName><RoleId>i</RoleId><Arn>arn:aws:iam::{ACCOUNT}:role/r</Arn>"
        f"<CreateDate>2026-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>{trust}"
        "</AssumeRolePolicyDocument></Role>"
    )
    return Answer(200, _xml("GetRole", role))


def quotas(by_type: dict[str, int]) -> Answer:
    """The quotas of SageMaker for endpoints, and one that is not for endpoints."""
    named = {f"{name} for endpoint usage": value for name, value in by_type.items()}
    named["ml.g5.2xlarge for training job usage"] = 99
    return Answer(200, {"Quotas": [{"QuotaName": key, "Value": value} for key, value in named.items()]})


def stack_events(*events: tuple[str, str, str, str]) -> Answer:
    """Events of the stack `s`, newest first: logical id, type, status, reason. Each has an id `id-of-…`."""
    members = "".join(
        f"<member><StackId>s</StackId><EventId>{number}</EventId><StackName>s</StackName>"
        f"<LogicalResourceId>{name}</LogicalResourceId><ResourceType>{kind}</ResourceType>"
        f"<PhysicalResourceId>{'s' if name == 'S' else f'id-of-{name}'}</PhysicalResourceId>"
        f"<Timestamp>2026-01-01T00:00:00Z</Timestamp><ResourceStatus>{status}</ResourceStatus>"
        f"<ResourceStatusReason>{reason}</ResourceStatusReason></member>"
        for number, (name, kind, status, reason) in enumerate(events)
    )
    return Answer(200, _xml("DescribeStackEvents", f"<StackEvents>{members}</StackEvents>"))


def stack_in(status: str, **parameters: str) -> Answer:
    """A stack in some state, with these parameters."""
    members = "".join(
        f"<member><ParameterKey>{key}</ParameterKey><ParameterValue>{value}</ParameterValue></member>"
        for key, value in parameters.items()
    )
    member = (
        "<Stacks><member><StackName>CentralizedMlApiStack</StackName>"
        f"<CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>{status}</StackStatus>"
        f"<Parameters>{members}</Parameters></member></Stacks>"
    )
    return Answer(200, _xml("DescribeStacks", member))


@dataclass
class AwsWire:
    """The server: its address, its answers, and what it was asked.

    `spoken` are answers that depend on the body of the request; they come before `answers`, and may end in
    `/*` for any last part of a path. `got` are the
    paths of the requests that have no body, with their queries.
    """

    url: str
    answers: dict[str, Answer]
    spoken: dict[str, Callable[[str], Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    got: list[str] = field(default_factory=list)


@contextlib.contextmanager
def serve_aws(answers: dict[str, Answer]) -> Iterator[AwsWire]:
    """AWS with these answers until the end of the block; anything else is a 501 that names what was asked."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    wire = AwsWire(f"http://localhost:{server.server_address[1]}", answers)
    server.RequestHandlerClass = type("Handler", (_Handler,), {"wire": wire})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield wire
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    wire: AwsWire

    def do_POST(self) -> None:  # the base class's name
        """The services whose requests name their action, `sagemaker.DescribeModel`; else the path is told."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        form = urllib.parse.parse_qs(body).get("Action", [""])[0]
        self._answer(f"{self._service()}.{target or form or f'POST {self.path}'}", body)

    def do_PATCH(self) -> None:  # the base class's name
        """What changes a part by path: `apigateway.PATCH /apikeys/id`."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self._answer(f"{self._service()}.PATCH {self.path}", body)

    def do_DELETE(self) -> None:  # the base class's name
        """What removes a part by path: `apigateway.DELETE /apikeys/id`."""
        self._answer(f"{self._service()}.DELETE {self.path}")

    def do_GET(self) -> None:  # the base class's name
        """The services whose requests are paths: `lambda.GET /2015-03-31/functions/name`."""
        self.wire.got.append(self.path)
        self._answer(f"{self._service()}.GET {self.path.partition('?')[0]}")

    def do_PUT(self) -> None:  # the base class's name
        """What changes by path: `scheduler.PUT /schedules/end`."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self._answer(f"{self._service()}.PUT {self.path.partition('?')[0]}", body)

    def _service(self) -> str:
        service = _SERVICE.search(self.headers.get("Authorization", ""))
        return service["service"] if service else "unsigned"

    def _answer(self, action: str, body: str = "") -> None:
        self.wire.asked.append(action)
        spoken = self.wire.spoken.get(action) or self.wire.spoken.get(_LAST_PART.sub("/*", action))
        answer = spoken(body) if spoken else self.wire.answers.get(action)
        answer = answer or refusal("NotAnswered", f"the test has no {action}", 501)
        is_xml = isinstance(answer.body, str)
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        self._send(answer.status, text, "text/xml" if is_xml else "application/json")

    def _send(self, status: int, text: str, content_type: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Silent: `asked` is the log."""


def _xml(action: str, inner: str) -> str:
    return f"<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>"
