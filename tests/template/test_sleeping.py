"""A model that may sleep: its endpoint hosts an inference component, which calls name and wake."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.deploy.template_diff import compare_templates
from support.linting import lint_template
from support.synthesis import REGION, build_facts, container, function, model

if TYPE_CHECKING:
    from support.synthesis import Config, Deploys, Template

RESOURCES = {"memory_mb": 2048, "accelerators": 1, "cpu_cores": 2}
SLEEPS = {"min_capacity": 0, "max_capacity": 3, "invocations_per_instance": 7, "resources": RESOURCES}
AWAKE = {"min_capacity": 1, "max_capacity": 3, "invocations_per_instance": 7}
COMPONENT = "AWS::SageMaker::InferenceComponent"
CONFIG = "AWS::SageMaker::EndpointConfig"
ENDPOINT = "AWS::SageMaker::Endpoint"
TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
ALARM = "AWS::CloudWatch::Alarm"
HOURS = [
    {"from": "2025-12-31T08:00:00Z", "to": "2025-12-31T18:00:00Z"},
    {"from": "2030-06-01T08:00:00+02:00", "to": "2030-06-01T18:00:00+02:00"},
]
VPC = {"subnets": ["subnet-0123456789abcdef0"], "security_groups": ["sg-0123456789abcdef0"]}


def sleeper(name: str = "dozer", **changes: Any) -> Config:
    return container(name, **{"autoscaling": SLEEPS, "startup_timeout": 900, **changes})


@pytest.fixture(scope="module")
def template(template_of: Deploys) -> Template:
    """Every way to call a model that may sleep, within an event that ends."""
    return template_of(
        sleeper(),
        sleeper("through", integration=function()),
        sleeper("streamed", speaks="openai-chat", integration={"type": "stream"}),
        event={"ends": "2030-06-01T18:00:00+02:00", "hours": HOURS},
        aws={"vpc": VPC},
    )


@pytest.fixture(scope="module")
def alone(template_of: Deploys) -> Template:
    return template_of(sleeper())


def test_the_endpoint_hosts_no_model_and_may_have_no_instance(alone: Template) -> None:
    config = alone.only(CONFIG)
    (variant,) = config["ProductionVariants"]
    assert "ModelName" not in variant
    assert variant["InitialInstanceCount"] == 1
    scaling = {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 3}
    assert variant["ManagedInstanceScaling"] == scaling
    assert config["ExecutionRoleArn"] == alone.only("AWS::SageMaker::Model")["ExecutionRoleArn"]


def test_the_component_reserves_what_the_config_says(alone: Template) -> None:
    component = alone.only(COMPONENT)
    assert component["Specification"] == {
        "ModelName": {"Fn::GetAtt": [alone.id_of("AWS::SageMaker::Model"), "ModelName"]},
        "StartupParameters": {"ContainerStartupHealthCheckTimeoutInSeconds": 900},
        "ComputeResourceRequirements": {
            "MinMemoryRequiredInMb": 2048,
            "NumberOfAcceleratorDevicesRequired": 1,
            "NumberOfCpuCoresRequired": 2,
        },
    }
    assert component["RuntimeConfig"] == {"CopyCount": 1}
    assert component["EndpointName"] == {"Fn::GetAtt": [alone.id_of(ENDPOINT), "EndpointName"]}


def test_or_what_jumpstart_says(template_of: Deploys) -> None:
    said = {key: value for key, value in SLEEPS.items() if key != "resources"}
    facts = build_facts(resources={"min_memory_mb": 8192, "num_accelerators": 4})
    component = template_of(model(autoscaling=said), facts=facts).only(COMPONENT)
    reserved = {"MinMemoryRequiredInMb": 8192, "NumberOfAcceleratorDevicesRequired": 4}
    assert component["Specification"]["ComputeResourceRequirements"] == reserved


def test_the_copies_follow_the_calls_down_to_none(alone: Template) -> None:
    target, name = alone.only(TARGET), alone.only(COMPONENT)["InferenceComponentName"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0, 3)
    assert target["ScalableDimension"] == "sagemaker:inference-component:DesiredCopyCount"
    assert target["ResourceId"] == f"inference-component/{name}"
    assert alone.resources[alone.id_of(TARGET)]["DependsOn"] == [alone.id_of(COMPONENT)]
    (tracking,) = [policy for policy in alone.of_type(POLICY) if policy["PolicyType"] != "StepScaling"]
    tracked = tracking["TargetTrackingScalingPolicyConfiguration"]
    assert tracked["TargetValue"] == 7
    metric = tracked["PredefinedMetricSpecification"]["PredefinedMetricType"]
    assert metric == "SageMakerInferenceComponentInvocationsPerCopy"


def test_within_the_hours_there_is_a_copy_and_outside_none(template: Template, alone: Template) -> None:
    for target in template.of_type(TARGET):
        assert (target["MinCapacity"], target["MaxCapacity"]) == (0, 0)
        assert target["ScheduledActions"] == [
            {
                "ScheduledActionName": "Wake20300601T054500",
                "Schedule": "at(2030-06-01T05:45:00)",
                "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 3},
            },
            {
                "ScheduledActionName": "Sleep20300601T160000",
                "Schedule": "at(2030-06-01T16:00:00)",
                "ScalableTargetAction": {"MinCapacity": 0, "MaxCapacity": 0},
            },
        ]
    assert "ScheduledActions" not in alone.only(TARGET)


def test_one_call_that_finds_no_copy_wakes_it_and_many_wake_no_second(alone: Template) -> None:
    (wake,) = [name for name, each in alone.resources.items() if each["Type"] == POLICY
               and each["Properties"]["PolicyType"] == "StepScaling"]  # fmt: skip
    step = alone.resources[wake]["Properties"]["StepScalingPolicyConfiguration"]
    assert step["StepAdjustments"] == [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]
    assert step["AdjustmentType"] == "ExactCapacity"
    alarm, name = alone.only(ALARM), alone.only(COMPONENT)["InferenceComponentName"]
    assert alarm["MetricName"] == "NoCapacityInvocationFailures"
    assert alarm["Dimensions"] == [{"Name": "InferenceComponentName", "Value": name}]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
    assert (alarm["AlarmActions"], alarm["TreatMissingData"]) == ([{"Ref": wake}], "notBreaching")


def test_every_call_names_the_component(template: Template) -> None:
    names = {each["InferenceComponentName"].rpartition("-")[0]: each["InferenceComponentName"]
             for each in template.of_type(COMPONENT)}  # fmt: skip
    direct = template.api["paths"]["/dozer"]["post"]["x-amazon-apigateway-integration"]
    header = "integration.request.header.X-Amzn-SageMaker-Inference-Component"
    assert direct["requestParameters"][header] == f"'{names['dozer']}'"
    variables = [each["Environment"]["Variables"] for each in template.of_type("AWS::Lambda::Function")]
    assert names["through"] in [each.get("INFERENCE_COMPONENT_NAME") for each in variables]
    (models,) = [json.dumps(each["MODELS"]) for each in variables if "MODELS" in each]
    assert names["streamed"] in models


def test_every_caller_may_use_the_component(template: Template) -> None:
    allowed = json.dumps(
        [*template.of_type("AWS::IAM::ManagedPolicy"), *template.of_type("AWS::IAM::Policy")]
    )
    for component in template.of_type(COMPONENT):
        assert f":inference-component/{component['InferenceComponentName']}" in allowed
    assert "sagemaker:DescribeInferenceComponent" in allowed


def test_its_logs_may_be_written(template: Template) -> None:
    roles = json.dumps(template.of_type("AWS::IAM::Role"))
    assert "log-group:/aws/sagemaker/InferenceComponents/*" in roles


def test_its_network_is_that_of_the_configuration(template: Template) -> None:
    expected = {"Subnets": VPC["subnets"], "SecurityGroupIds": VPC["security_groups"]}
    assert [config["VpcConfig"] for config in template.of_type(CONFIG)] == [expected] * 3


def test_the_end_of_the_event_deletes_the_component_too(template: Template) -> None:
    schedules = template.of_type("AWS::Scheduler::Schedule")
    deleted = [each["Target"]["Input"] for each in schedules
               if "deleteInferenceComponent" in json.dumps(each["Target"]["Arn"])]  # fmt: skip
    names = {each["InferenceComponentName"] for each in template.of_type(COMPONENT)}
    assert {json.loads(asked)["InferenceComponentName"] for asked in deleted} == names
    assert "sagemaker:DeleteInferenceComponent" in json.dumps(template.of_type("AWS::IAM::Role"))


def test_a_move_to_sleep_adds_another_endpoint_before_the_old_one_goes(
    template_of: Deploys, alone: Template
) -> None:
    before = template_of(sleeper(autoscaling=AWAKE))
    changes = compare_templates(before.document, alone.document)
    endpoints = [(change.action, change.logical_id) for change in changes if change.type == ENDPOINT]
    assert endpoints == [("add", alone.id_of(ENDPOINT)), ("remove", before.id_of(ENDPOINT))]
    assert not [change for change in changes if change.type == "AWS::SageMaker::Model"], "the model stays"


def test_another_type_is_another_component(template_of: Deploys, alone: Template) -> None:
    other = template_of(sleeper(instance="ml.g5.4xlarge"))
    names = {each.only(COMPONENT)["InferenceComponentName"] for each in (alone, other)}
    assert len(names) == 2
    assert all(len(name) <= 63 and name == name.lower() for name in names)


def test_a_model_that_never_sleeps_has_nothing_of_it(template_of: Deploys, alone: Template) -> None:
    together = template_of(sleeper(), container("other", autoscaling=AWAKE))
    (awake,) = [each for each in together.of_type(CONFIG) if "ExecutionRoleArn" not in each]
    assert "ManagedInstanceScaling" not in awake["ProductionVariants"][0]
    assert len(together.of_type(COMPONENT)) == 1
    refusals = [
        together.api["paths"][path]["post"]["x-amazon-apigateway-integration"]["responses"]["400"]
        for path in ("/other", "/dozer")
    ]
    assert ["model_waking" in json.dumps(each) for each in refusals] == [False, True]
    assert alone.only(COMPONENT)["InferenceComponentName"].startswith("dozer-")


@pytest.mark.slow
def test_cloudformation_would_take_it(template: Template) -> None:
    assert lint_template(template, REGION) == []
