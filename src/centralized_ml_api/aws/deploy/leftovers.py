"""Checks after a destroy whether anything is left that costs money, by asking the services themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from centralized_ml_api.aws.stack.contract import STACK_TAG
from centralized_ml_api.aws.stack.deployed_stack import COMPONENT, ENDPOINT, SCHEDULE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.stack.deployed_stack import StackResource

    Ask = Callable[[AwsClients, str], object]

_ABSENT: dict[str, frozenset[str]] = {
    "ApiGateway": frozenset({"NotFoundException"}),
    "Budgets": frozenset({"NotFoundException"}),
    "Lambda": frozenset({"ResourceNotFoundException"}),
    "SageMaker": frozenset({"ValidationException", "ResourceNotFound"}),
    "Scheduler": frozenset({"ResourceNotFoundException"}),
}
"""The errors of each service for a name that it does not know.

Elsewhere a `ValidationException` means that the question was wrong, which proves nothing.
"""

_LOG_GROUPS = {ENDPOINT: "/aws/sagemaker/Endpoints/", COMPONENT: "/aws/sagemaker/InferenceComponents/"}
"""How the names of the log groups begin that SageMaker makes, by what each is for.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
"""


def _by_name(service: str, operation: str, parameter: str) -> Ask:
    return lambda clients, name: getattr(clients.client(service), operation)(**{parameter: name})


def _budget(clients: AwsClients, name: str) -> object:
    account = clients.client("sts").get_caller_identity()["Account"]
    return clients.client("budgets").describe_budget(AccountId=account, BudgetName=name)


def _alarm(clients: AwsClients, name: str) -> object:
    alarms = clients.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return next(iter(alarms), None)


def _dashboard(clients: AwsClients, name: str) -> object:
    found = clients.client("cloudwatch").list_dashboards(DashboardNamePrefix=name)["DashboardEntries"]
    return next((dashboard for dashboard in found if dashboard["DashboardName"] == name), None)


def _log_group(clients: AwsClients, name: str) -> object:
    groups = clients.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return next((group for group in groups if group["logGroupName"] == name), None)


_ASK: dict[str, tuple[str, Ask]] = {
    ENDPOINT: ("SageMaker endpoint", _by_name("sagemaker", "describe_endpoint", "EndpointName")),
    COMPONENT: (
        "SageMaker inference component",
        _by_name("sagemaker", "describe_inference_component", "InferenceComponentName"),
    ),
    "AWS::SageMaker::EndpointConfig": (
        "SageMaker endpoint configuration",
        _by_name("sagemaker", "describe_endpoint_config", "EndpointConfigName"),
    ),
    "AWS::SageMaker::Model": ("SageMaker model", _by_name("sagemaker", "describe_model", "ModelName")),
    "AWS::ApiGateway::RestApi": ("API", _by_name("apigateway", "get_rest_api", "restApiId")),
    "AWS::ApiGateway::ApiKey": ("key", _by_name("apigateway", "get_api_key", "apiKey")),
    "AWS::ApiGateway::UsagePlan": ("usage plan", _by_name("apigateway", "get_usage_plan", "usagePlanId")),
    SCHEDULE: ("schedule", _by_name("scheduler", "get_schedule", "Name")),
    "AWS::Scheduler::ScheduleGroup": ("schedule group", _by_name("scheduler", "get_schedule_group", "Name")),
    "AWS::Budgets::Budget": ("budget", _budget),
    "AWS::CloudWatch::Alarm": ("alarm", _alarm),
    "AWS::CloudWatch::Dashboard": ("dashboard", _dashboard),
    "AWS::Lambda::Function": ("Lambda function", _by_name("lambda", "get_function", "FunctionName")),
    "AWS::Logs::LogGroup": ("log group", _log_group),
}
"""What each type is called, and how to ask for it by its name; types that are not listed cost nothing.

An answer of None, or one of the errors `_ABSENT`, means that the resource does not exist.

Keys, usage plans and schedules cost nothing either, but they open or delete something.
"""


def billed_resources(resources: Iterable[StackResource]) -> list[StackResource]:
    """Returns the resources that can cost money and that a service can be asked for."""
    return [resource for resource in resources if resource.type in _ASK and resource.physical_id]


def find_everything_left(
    clients: AwsClients, resources: Iterable[StackResource], stack: str
) -> tuple[str, ...]:
    """Returns descriptions of the resources that still exist and of the endpoints with the stack's tag.

    Each is there once: an endpoint under its own name, not under that of its ARN, which is in lower case.

    Args:
        clients: Of the region.
        resources: What the stack had.
        stack: The name of the stack.

    Raises:
        botocore.exceptions.ClientError: A service refused to answer, so that nothing is proven.
        botocore.exceptions.BotoCoreError: A service could not be asked.
    """
    endpoints = find_endpoints(clients, stack)
    named = {description.lower() for description in endpoints}
    left = find_leftovers(clients, resources)
    return (*(description for description in left if description.lower() not in named), *endpoints)


def find_leftovers(clients: AwsClients, resources: Iterable[StackResource]) -> list[str]:
    """Returns descriptions of the resources that still exist, such as `SageMaker endpoint open-llama`.

    Raises:
        botocore.exceptions.ClientError: A service refused to answer, so that nothing is proven.
        botocore.exceptions.BotoCoreError: A service could not be asked.
    """
    return [describe(resource) for resource in billed_resources(resources) if _exists(clients, resource)]


def find_endpoints(clients: AwsClients, stack: str) -> list[str]:
    """Returns descriptions of the SageMaker endpoints with the stack's tag, whoever made them.

    CloudFormation gives the tags of a stack to whatever it makes; a name says nothing, since the name of
    one stack may begin like that of another.
    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-add-tags.html

    Raises:
        botocore.exceptions.ClientError: SageMaker refused to answer.
        botocore.exceptions.BotoCoreError: SageMaker could not be asked.
    """
    sagemaker = clients.patient_client("sagemaker")
    pages = sagemaker.get_paginator("list_endpoints").paginate()
    endpoints = [endpoint for page in pages for endpoint in page["Endpoints"]]
    return [
        f"SageMaker endpoint {endpoint['EndpointName']}"
        for endpoint in endpoints
        if _load_tags(sagemaker, endpoint["EndpointArn"]).get(STACK_TAG) == stack
    ]


def _load_tags(sagemaker: Any, arn: str) -> dict[str, str]:
    """Returns the tags of a resource; none where it has gone meanwhile."""
    try:
        pages = list(sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn))
    except ClientError as error:
        if _is_absent(ENDPOINT, error):
            return {}
        raise
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def find_log_groups(clients: AwsClients, resources: Iterable[StackResource]) -> list[str]:
    """Returns the names of the log groups that SageMaker made for these endpoints and inference components.

    They belong to no stack. They have the capitals of the endpoints' names, which the resources of a stack do
    not tell: so the groups of all endpoints are read. No two endpoints of a region differ only in capitals.
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html

    Raises:
        botocore.exceptions.ClientError: CloudWatch Logs refused to answer.
        botocore.exceptions.BotoCoreError: CloudWatch Logs could not be asked.
    """
    logged = [each for each in resources if each.type in _LOG_GROUPS and each.physical_id]
    wanted = {f"{_LOG_GROUPS[resource.type]}{resource.name}".lower() for resource in logged}
    prefixes = dict.fromkeys(_LOG_GROUPS[resource.type] for resource in logged)
    paginator = clients.patient_client("logs").get_paginator("describe_log_groups") if prefixes else None
    names = [
        group["logGroupName"]
        for prefix in prefixes
        for page in (paginator.paginate(logGroupNamePrefix=prefix) if paginator else ())
        for group in page["logGroups"]
    ]
    return [name for name in names if name.lower() in wanted]


def describe(resource: StackResource) -> str:
    """Returns the kind and the name of a billed resource."""
    return f"{_ASK[resource.type][0]} {resource.name}"


def _exists(clients: AwsClients, resource: StackResource) -> bool:
    _, ask = _ASK[resource.type]
    try:
        return ask(clients, resource.name) is not None
    except ClientError as error:
        if _is_absent(resource.type, error):
            return False
        raise


def _is_absent(resource_type: str, error: ClientError) -> bool:
    """Returns whether the service of a type, such as `AWS::Lambda::Function`, knows no such resource."""
    service = resource_type.split("::")[1]
    return error.response["Error"]["Code"] in _ABSENT.get(service, frozenset())
