"""Situations around a deployment in which a command is printed; the CDK CLI is a script that does nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.event.waking import wake_model
from centralized_ml_api.aws.stack.contract import (
    ADDRESS_OUTPUT,
    KEY_ENDS_OUTPUT,
    MESSAGE_VARIABLE,
    PAUSED_VARIABLE,
    STACK_TAG,
)
from support.aws_wire import Answer, refusal, stack_in, xml_refusal
from support.fake_documents import FakeDocuments
from support.hints.stage import FILE
from support.organized_stack import REGION, STACK, OrganizedStack

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.hints.stage import Stage

    Situation = Callable[[Stage], None]

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "1",
}
AT = ("--region", "eu-west-1", "--stack", "Autumn")
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/mine:1"
MODEL = {"name": "chat", "image": IMAGE, "instance": "ml.g5.2xlarge", "integration": {"type": "api"}}
PRICE = {"input_per_million": 0.25, "output_per_million": 2}
ENDS = "2099-06-01T18:00:00Z"
NOTHING = xml_refusal("ValidationError", "Stack with id Autumn does not exist", 400)
OUTPUT = "<member><OutputKey>{}</OutputKey><OutputValue>{}</OutputValue></member>"


def _xml(action: str, inner: str) -> Answer:
    return Answer(200, f"<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>")


def _resources(*resources: tuple[str, str, str]) -> Answer:
    """The resources of a stack: type, logical id, physical id."""
    members = "".join(
        f"<member><ResourceType>{kind}</ResourceType><LogicalResourceId>{logical}</LogicalResourceId>"
        f"<PhysicalResourceId>{physical}</PhysicalResourceId><ResourceStatus>CREATE_COMPLETE</ResourceStatus>"
        "<LastUpdatedTimestamp>2026-06-01T00:00:00Z</LastUpdatedTimestamp></member>"
        for kind, logical, physical in resources
    )
    return _xml("ListStackResources", f"<StackResourceSummaries>{members}</StackResourceSummaries>")


def _template(template: dict[str, object]) -> Answer:
    return _xml("GetTemplate", f"<TemplateBody>{escape(json.dumps(template))}</TemplateBody>")


def _stack(output: str, value: str, **more: str) -> Answer:
    """A stack with this output, and maybe more."""
    body = str(stack_in("CREATE_COMPLETE").body)
    status = "</StackStatus>"
    outputs = "".join(OUTPUT.format(*each) for each in ((output, value), *more.items()))
    return Answer(200, body.replace(status, f"{status}<Outputs>{outputs}</Outputs>"))


def _write_cdk(stage: Stage, status: int = 0, says: str = "") -> None:
    script = stage.folder / ".mlapi/node_modules/aws-cdk/bin/cdk"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(f"console.log({says!r}); process.exit({status})\n")


def before_a_deploy(stage: Stage) -> None:
    """What it costs, what would exist, what prevents it."""
    stage.write(models=[MODEL], endpoints=[])
    stage.aws.answers["cloudformation.GetTemplate"] = NOTHING
    stage.run("cost", FILE, "--region", "eu-west-1")
    stage.run("plan", FILE, "--target", "aws", *AT)
    stage.run("doctor", FILE, *AT)
    stage.aws.answers["cloudformation.DescribeStacks"] = stack_in("ROLLBACK_COMPLETE")
    stage.run("doctor", FILE, *AT)
    stage.aws.answers["cloudformation.DescribeStacks"] = NOTHING
    stage.aws.answers["ssm.GetParameter"] = refusal("ParameterNotFound", "no such parameter")
    stage.run("doctor", FILE, *AT)
    stage.write(models=[{**MODEL, "price": PRICE}], endpoints=[])
    stage.run("cost", FILE, "--tokens", "1000000", "10000")


def a_deploy(stage: Stage) -> None:
    """Of a public API, of one with teams, and of one that teams join."""
    _write_cdk(stage)
    stage.server.catalogue = {"models": []}
    stage.may_fail = {"smoke"}  # of no model
    stage.aws.answers["cloudformation.DescribeStacks"] = _stack(ADDRESS_OUTPUT, stage.url)
    stage.write("public.json", models=[MODEL], endpoints=[])
    stage.run("deploy", "public.json", "--yes", *AT)
    stage.write(models=[MODEL], endpoints=[], event={"teams": ["red"]})
    stage.run("deploy", FILE, "--yes", *AT)
    joining = json.dumps({"table": "Table", "places": 2, "until": ""})
    stage.aws.answers["cloudformation.DescribeStacks"] = _stack(ADDRESS_OUTPUT, stage.url, Joining=joining)
    documents = FakeDocuments()
    stage.aws.spoken["dynamodb.UpdateItem"] = lambda body: Answer(
        200, documents.update_item(**json.loads(body))
    )
    stage.write(models=[MODEL], endpoints=[], event={"join": {"teams": 2}})
    stage.run("deploy", FILE, "--yes", *AT)
    stage.run("join", "--close", "--target", "aws", *AT)


def a_difference(stage: Stage) -> None:
    """Leads to a deploy; none to the plan."""
    stage.write(models=[MODEL], endpoints=[])
    _write_cdk(stage)
    stage.run("diff", FILE, *AT)
    _write_cdk(stage, 1, "Number of stacks with differences: 1")
    stage.run("diff", FILE, *AT)


def a_destroy(stage: Stage) -> None:
    """Leads to a deploy; where something is left, to another destroy."""
    stage.write(models=[MODEL], endpoints=[])
    _write_cdk(stage)
    stage.aws.answers |= {
        "cloudformation.ListStackResources": _resources(),
        "apigateway.GET /apikeys": Answer(200, {"item": []}),
        "sagemaker.ListEndpoints": Answer(200, {"Endpoints": []}),
    }
    stage.run("destroy", FILE, "--yes", *AT)
    left = {"EndpointName": "Autumn-chat", "EndpointArn": "arn:aws:sagemaker:eu-west-1:1:endpoint/a"}
    times = {"CreationTime": 0, "LastModifiedTime": 0, "EndpointStatus": "InService"}
    stage.aws.answers["sagemaker.ListEndpoints"] = Answer(200, {"Endpoints": [left | times]})
    stage.aws.answers["sagemaker.ListTags"] = Answer(200, {"Tags": [{"Key": STACK_TAG, "Value": "Autumn"}]})
    stage.run("destroy", FILE, "--yes", *AT)


def an_end_that_moves(stage: Stage) -> None:
    """Responses name it after the next deploy; there has to be a schedule; no end is in the past."""
    stage.write(models=[MODEL], endpoints=[])
    on_aws = ("--target", "aws", *AT)
    stage.aws.answers["cloudformation.ListStackResources"] = _resources()
    stage.run("extend", ENDS, FILE, *on_aws)
    schedule = {
        "ScheduleExpression": "at(2099-06-01T18:00:00)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": "arn:aws:scheduler:::aws-sdk:x", "RoleArn": "arn:aws:iam::1:role/r"},
    }
    stage.aws.answers |= {
        "cloudformation.ListStackResources": _resources(("AWS::Scheduler::Schedule", "End", "default|end")),
        "scheduler.GET /schedules/end": Answer(200, schedule),
        "scheduler.PUT /schedules/end": Answer(200, {"ScheduleArn": "arn:aws:scheduler:::schedule/d/e"}),
    }
    stage.run("extend", ENDS, FILE, *on_aws)
    stage.run("extend", "2020-01-01T00:00:00Z", FILE, *on_aws)


def what_is_deployed(stage: Stage) -> None:
    """Nothing; an API that is well; one that is not deployed as it should; an end that was moved in part."""
    stage.server.catalogue = {"models": []}
    stage.may_fail = {"smoke"}  # of no model
    on_aws = ("status", "--target", "aws", *AT)
    stage.run(*on_aws, "--watch")
    stage.aws.answers["cloudformation.DescribeStacks"] = NOTHING
    stage.run(*on_aws)
    stage.aws.answers["cloudformation.DescribeStacks"] = _stack(ADDRESS_OUTPUT, stage.url)
    stage.aws.answers["cloudformation.ListStackResources"] = _resources()
    stage.run(*on_aws)
    schedule = {"FlexibleTimeWindow": {"Mode": "OFF"}, "StartDate": 4_083_724_800, "State": "DISABLED"}
    target = {"Arn": "arn:aws:scheduler:::aws-sdk:cloudformation:deleteStack", "RoleArn": "r"}
    stage.aws.answers |= {
        "cloudformation.ListStackResources": _resources(("AWS::Scheduler::Schedule", "End", "default|end")),
        "scheduler.GET /schedules/end": Answer(200, {**schedule, "Target": target}),
    }
    stage.run(*on_aws)
    stage.write(models=[MODEL], endpoints=[])
    stage.run("doctor", FILE, *AT)


def a_model_that_is_woken(stage: Stage) -> None:
    """Leads to the status of all; where it takes too long, to waiting again."""
    arn, made = "arn:aws:sagemaker:eu-west-1:1:", "AWS::SageMaker::"
    hosts = {"EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}}
    hosted = {"EndpointName": {"Fn::GetAtt": ["Chat", "EndpointName"]}}
    template = {
        "Chat": {"Properties": hosts, "Metadata": {"aws:cdk:path": "Autumn/Api/Models/chat/Endpoint"}},
        "Component": {"Properties": hosted},
    }
    copies = {"CurrentCopyCount": 1, "DesiredCopyCount": 1}
    component = {"InferenceComponentName": "chat-1", "InferenceComponentStatus": "InService"}
    stage.aws.answers |= {
        "cloudformation.GetTemplate": _template({"Resources": template}),
        "cloudformation.ListStackResources": _resources(
            (f"{made}Endpoint", "Chat", f"{arn}endpoint/chat"),
            (f"{made}EndpointConfig", "Config", f"{arn}endpoint-config/c"),
            (f"{made}InferenceComponent", "Component", f"{arn}inference-component/chat-1"),
        ),
        "sagemaker.DescribeEndpointConfig": Answer(200, {"ProductionVariants": []}),
        "sagemaker.DescribeEndpoint": Answer(
            200, {"EndpointName": "chat", "EndpointConfigName": "c", "EndpointStatus": "InService"}
        ),
        "sagemaker.DescribeInferenceComponent": Answer(200, {**component, "RuntimeConfig": copies}),
    }
    stage.run("wake", "chat", "--target", "aws", *AT)
    waking = {"CurrentCopyCount": 0, "DesiredCopyCount": 1}
    stage.aws.answers["sagemaker.DescribeInferenceComponent"] = Answer(
        200, {**component, "RuntimeConfig": waking}
    )
    clients = AwsClients("eu-west-1")
    stage.show_error(lambda: wake_model(clients, "Autumn", "chat", say=stage.show, sleep=lambda _: None))


def a_team_without_a_key(stage: Stage) -> None:
    """It gets one."""
    plan, group = "AWS::ApiGateway::UsagePlan", "AWS::Scheduler::ScheduleGroup"
    team = {"Type": plan, "Properties": {"UsagePlanName": "red"}}
    stage.aws.answers |= {
        "cloudformation.GetTemplate": _template({"Resources": {"Red": team}}),
        "cloudformation.ListStackResources": _resources((plan, "Red", "p1"), (group, "Keys", "g1")),
        "cloudformation.DescribeStacks": _stack(KEY_ENDS_OUTPUT, "arn:aws:iam::1:role/r"),
        "apigateway.GET /apikeys": Answer(200, {"item": []}),
    }
    stage.run("keys", "--show", "red", "--target", "aws", *AT)


def an_organizer(stage: Stage) -> None:
    """A pause leads to its end, a grant to taking it back."""
    organized = OrganizedStack(stage.aws)
    organized.answer()
    on_aws = ("--target", "aws", "--region", REGION, "--stack", STACK)
    stage.write(
        models=[{**MODEL, "price": PRICE}], endpoints=[], event={"teams": [{"name": "red", "usd": 2}]}
    )
    stage.run("pause", "chat", *on_aws)
    stage.run("pause", *on_aws)
    stage.run("pause", "--team", "red", *on_aws)
    stage.run("keys", "rotate", "red", *on_aws)
    stage.run("resume", *on_aws)
    stage.run("message", "Lunch is here", *on_aws)
    stage.run("message", "--clear", *on_aws)
    stage.run("grant", "red", "--usd", "1", "--config", FILE, *on_aws)
    stage.run("grant", "red", "--take-back", *on_aws)
    del organized.keeper.variables[PAUSED_VARIABLE]
    stage.run("pause", *on_aws)
    del organized.streamer.variables[MESSAGE_VARIABLE]
    stage.run("message", "Lunch is here", *on_aws)


SITUATIONS: tuple[Situation, ...] = (
    before_a_deploy,
    a_deploy,
    a_difference,
    a_destroy,
    an_end_that_moves,
    an_organizer,
    a_model_that_is_woken,
    a_team_without_a_key,
    what_is_deployed,
)
