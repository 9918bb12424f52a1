"""A deployed model that sleeps: how it is, and what wakes it, asked of CloudFormation and SageMaker."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.event.waking import LONGEST_WAKE_SECONDS, LOOK_SECONDS, wake_model
from centralized_ml_api.aws.stack.live_endpoints import load_live_endpoints
from centralized_ml_api.aws.stack.status import load_stack_status
from centralized_ml_api.errors import DeployError, UsageError
from support.aws_wire import Answer, refusal, stack_in, stack_resources, xml

if TYPE_CHECKING:
    from support.aws_wire import AwsWire

ARN = "arn:aws:sagemaker:us-east-1:123456789012:"
CONFIG = {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {}}
READ_WHY = "read why: aws logs tail /aws/sagemaker/InferenceComponents/chat-1 --since 2h --region us-east-1"
GONE = refusal("ValidationException", 'Could not find inference component "chat-1".')


def endpoint(name: str) -> dict[str, Any]:
    return {
        "Type": "AWS::SageMaker::Endpoint",
        "Properties": {"EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}},
        "Metadata": {"aws:cdk:path": f"S/Api/Models/{name}/Endpoint"},
    }


TEMPLATE = {
    "Resources": {
        "Always": endpoint("always"),
        "Chat": endpoint("chat"),
        "Config": CONFIG,
        "Component": {
            "Type": "AWS::SageMaker::InferenceComponent",
            "Properties": {"EndpointName": {"Fn::GetAtt": ["Chat", "EndpointName"]}},
        },
    }
}


def copies(now: int, wanted: int, status: str = "InService", reason: str = "") -> Answer:
    """What DescribeInferenceComponent answers."""
    runtime = {"CurrentCopyCount": now, "DesiredCopyCount": wanted}
    found = {"InferenceComponentName": "chat-1", "InferenceComponentStatus": status, "RuntimeConfig": runtime}
    named = {"EndpointName": "Chat-1", "EndpointArn": ARN, "InferenceComponentArn": ARN}
    return Answer(200, {**found, **named, **({"FailureReason": reason} if reason else {})})


class Stack:
    """A stack with an endpoint that sleeps and one that never does; SageMaker answers in turn."""

    def __init__(self, aws: AwsWire, *components: Answer) -> None:
        self.answers = list(components)
        self.woken: list[dict[str, Any]] = []
        self.said: list[str] = []
        self.slept: list[float] = []
        aws.answers["cloudformation.DescribeStacks"] = stack_in("UPDATE_COMPLETE")
        aws.answers["cloudformation.ListStackResources"] = stack_resources(
            ("AWS::SageMaker::Endpoint", "Always", f"{ARN}endpoint/always-1"),
            ("AWS::SageMaker::Endpoint", "Chat", f"{ARN}endpoint/chat-1"),
            ("AWS::SageMaker::EndpointConfig", "Config", f"{ARN}endpoint-config/c"),
            ("AWS::SageMaker::InferenceComponent", "Component", f"{ARN}inference-component/chat-1"),
        )
        aws.answers["cloudformation.GetTemplate"] = xml(
            "GetTemplate", f"<TemplateBody>{json.dumps(TEMPLATE)}</TemplateBody>"
        )
        variant = {"VariantName": "AllTraffic", "InstanceType": "ml.g5.2xlarge"}
        config = {"EndpointConfigName": "c", "ProductionVariants": [variant]}
        aws.answers["sagemaker.DescribeEndpointConfig"] = Answer(200, config)
        aws.spoken["sagemaker.DescribeEndpoint"] = lambda body: Answer(
            200,
            {
                "EndpointName": json.loads(body)["EndpointName"],
                "EndpointConfigName": "c",
                "EndpointStatus": "InService",
            },
        )
        aws.spoken["sagemaker.DescribeInferenceComponent"] = self._describe
        aws.spoken["sagemaker.UpdateInferenceComponentRuntimeConfig"] = self._update

    def _describe(self, body: str) -> Answer:
        assert json.loads(body) == {"InferenceComponentName": "chat-1"}
        return self.answers.pop(0)

    def _update(self, body: str) -> Answer:
        self.woken.append(json.loads(body))
        return Answer(200, {"InferenceComponentArn": ARN})

    def wake(self, entry: str = "chat") -> None:
        wake_model(AwsClients("us-east-1"), "S", entry, say=self.said.append, sleep=self.slept.append)


@pytest.mark.parametrize(
    ("component", "state", "trouble", "well"),
    [
        (copies(1, 1), "InService", "", True),
        (copies(0, 0), "asleep", "", True),
        (copies(0, 1, "Updating"), "waking", "", True),
        (copies(0, 1, "Failed", "no memory"), "Failed", "no memory", False),
        (copies(0, 1, "Failed"), "Failed", "no copy of it starts", False),
        (GONE, "InService", "", True),
    ],
    ids=["awake", "asleep", "waking", "failed", "failed without a reason", "gone"],
)
def test_the_status_says_whether_a_model_sleeps(
    aws: AwsWire, component: Answer, state: str, trouble: str, *, well: bool
) -> None:
    Stack(aws, component)
    status = load_stack_status(AwsClients("us-east-1"), "S")
    assert status
    found = {each.entry: (each.state, each.trouble) for each in status.endpoints}
    assert found == {"always": ("InService", ""), "chat": (state, trouble)}
    assert status.is_well is well
    assert [each.fix for each in status.endpoints] == ["", "" if well else READ_WHY]


def test_only_the_endpoint_that_hosts_it_has_the_component(aws: AwsWire) -> None:
    Stack(aws, copies(2, 3))
    always, chat = load_live_endpoints(AwsClients("us-east-1"), "S")
    assert always.component is None
    assert chat.component
    assert (chat.component.name, chat.component.copies, chat.component.wanted) == ("chat-1", 2, 3)


def test_a_model_that_sleeps_gets_a_copy_and_is_waited_for(aws: AwsWire) -> None:
    stack = Stack(aws, copies(0, 0), copies(0, 1, "Updating"), copies(0, 1), copies(1, 1))
    stack.wake()
    assert stack.woken == [{"InferenceComponentName": "chat-1", "DesiredRuntimeConfig": {"CopyCount": 1}}]
    assert stack.slept == [LOOK_SECONDS, LOOK_SECONDS]
    assert stack.said == ["chat wakes, which takes minutes. Ctrl-C stops only the waiting."]


@pytest.mark.parametrize(
    "states", [[copies(1, 1)] * 2, [copies(0, 1, "Updating"), copies(1, 1)]], ids=["awake", "waking"]
)
def test_one_that_does_not_sleep_is_not_woken_again(aws: AwsWire, states: list[Answer]) -> None:
    stack = Stack(aws, *states)
    stack.wake()
    assert (stack.woken, stack.said) == ([], [])


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (copies(0, 1, "Failed", "no memory"), "chat did not wake: no memory"),
        (copies(0, 0), "chat was put to sleep before it was ready"),
        (GONE, "chat was removed"),
        (refusal("AccessDeniedException", "no"), "cannot wake chat"),
    ],
    ids=["failed", "asleep again", "gone", "refused"],
)
def test_one_that_does_not_wake_is_said(aws: AwsWire, after: Answer, said: str) -> None:
    stack = Stack(aws, copies(0, 0), after)
    with pytest.raises(DeployError, match=said):
        stack.wake()
    assert len(stack.woken) == 1


def test_one_that_is_not_ready_in_time_is_waited_for_no_longer(aws: AwsWire) -> None:
    looks = LONGEST_WAKE_SECONDS // int(LOOK_SECONDS)
    stack = Stack(aws, copies(0, 0), *[copies(0, 1, "Updating", "no capacity")] * looks)
    with pytest.raises(DeployError, match="chat is not ready after 30 minutes: no capacity") as late:
        stack.wake()
    assert sum(stack.slept) == LONGEST_WAKE_SECONDS
    assert READ_WHY in late.value.fix
    assert "mlapi wake chat --target aws --region us-east-1 --stack S" in late.value.fix


def test_of_one_that_fails_the_log_is_named(aws: AwsWire) -> None:
    with pytest.raises(DeployError) as failed:
        Stack(aws, copies(0, 0), copies(0, 1, "Failed")).wake()
    assert failed.value.fix == READ_WHY


def test_what_cannot_be_woken_is_said_with_its_fix(aws: AwsWire) -> None:
    with pytest.raises(UsageError, match="always never sleeps") as refused:
        Stack(aws, copies(0, 0)).wake("always")
    assert '"min_capacity" of 0' in refused.value.fix
    with pytest.raises(UsageError, match="S has no endpoint for an entry ocr") as refused:
        Stack(aws, copies(0, 0)).wake("ocr")
    assert "always, chat" in refused.value.fix
