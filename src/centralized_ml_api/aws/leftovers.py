"""After a destroy: whether anything is left that costs money, asked of the services themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.deployed import StackResource

_ABSENT = frozenset({"ValidationException", "NotFoundException", "ResourceNotFoundException"})
"""What SageMaker, API Gateway and Lambda answer when they do not know a name."""


def _endpoint(clients: AwsClients, physical_id: str) -> object:
    return clients.client("sagemaker").describe_endpoint(EndpointName=_last(physical_id))


def _endpoint_config(clients: AwsClients, physical_id: str) -> object:
    return clients.client("sagemaker").describe_endpoint_config(EndpointConfigName=_last(physical_id))


def _model(clients: AwsClients, physical_id: str) -> object:
    return clients.client("sagemaker").describe_model(ModelName=_last(physical_id))


def _api(clients: AwsClients, physical_id: str) -> object:
    return clients.client("apigateway").get_rest_api(restApiId=physical_id)


def _function(clients: AwsClients, physical_id: str) -> object:
    return clients.client("lambda").get_function(FunctionName=physical_id)


def _key(clients: AwsClients, physical_id: str) -> object:
    return clients.client("apigateway").get_api_key(apiKey=physical_id)


def _usage_plan(clients: AwsClients, physical_id: str) -> object:
    return clients.client("apigateway").get_usage_plan(usagePlanId=physical_id)


def _schedule(clients: AwsClients, physical_id: str) -> object:
    return clients.client("scheduler").get_schedule(Name=physical_id)


def _schedule_group(clients: AwsClients, physical_id: str) -> object:
    return clients.client("scheduler").get_schedule_group(Name=physical_id)


def _budget(clients: AwsClients, physical_id: str) -> object:
    account = clients.client("sts").get_caller_identity()["Account"]
    return clients.client("budgets").describe_budget(AccountId=account, BudgetName=physical_id)


def _alarm(clients: AwsClients, physical_id: str) -> object:
    alarms = clients.client("cloudwatch").describe_alarms(AlarmNames=[physical_id])["MetricAlarms"]
    return next(iter(alarms), None)


def _dashboard(clients: AwsClients, physical_id: str) -> object:
    named = clients.client("cloudwatch").list_dashboards(DashboardNamePrefix=physical_id)["DashboardEntries"]
    return next((one for one in named if one["DashboardName"] == physical_id), None)


def _log_group(clients: AwsClients, physical_id: str) -> object:
    groups = clients.client("logs").describe_log_groups(logGroupNamePrefix=physical_id)["logGroups"]
    return next((one for one in groups if one["logGroupName"] == physical_id), None)


_ASK: dict[str, tuple[str, Callable[[AwsClients, str], object]]] = {
    "AWS::SageMaker::Endpoint": ("SageMaker endpoint", _endpoint),
    "AWS::SageMaker::EndpointConfig": ("SageMaker endpoint configuration", _endpoint_config),
    "AWS::SageMaker::Model": ("SageMaker model", _model),
    "AWS::ApiGateway::RestApi": ("API", _api),
    "AWS::ApiGateway::ApiKey": ("key", _key),
    "AWS::ApiGateway::UsagePlan": ("usage plan", _usage_plan),
    "AWS::Scheduler::Schedule": ("schedule", _schedule),
    "AWS::Scheduler::ScheduleGroup": ("schedule group", _schedule_group),
    "AWS::Budgets::Budget": ("budget", _budget),
    "AWS::CloudWatch::Alarm": ("alarm", _alarm),
    "AWS::CloudWatch::Dashboard": ("dashboard", _dashboard),
    "AWS::Lambda::Function": ("Lambda function", _function),
    "AWS::Logs::LogGroup": ("log group", _log_group),
}
"""How each kind is called and asked for; what is not listed costs nothing.

Keys, plans and schedules cost nothing either, but open or delete something.
"""


def billed_resources(resources: Iterable[StackResource]) -> list[StackResource]:
    """Those that can cost money and can be asked for."""
    return [one for one in resources if one.type in _ASK and one.physical_id]


def find_leftovers(clients: AwsClients, resources: Iterable[StackResource]) -> list[str]:
    """Those of the resources that still exist, in words such as `SageMaker endpoint open-llama`.

    Raises:
        botocore.exceptions.ClientError: a service refused to answer, so that nothing is proven.
    """
    return [describe(one) for one in billed_resources(resources) if _exists(clients, one)]


def find_endpoints(clients: AwsClients, stack: str) -> list[str]:
    """SageMaker endpoints whose name begins with that of the stack, whoever made them."""
    pages = clients.client("sagemaker").get_paginator("list_endpoints").paginate(NameContains=stack)
    names: list[Any] = [one["EndpointName"] for page in pages for one in page["Endpoints"]]
    return [f"SageMaker endpoint {name}" for name in names if name.startswith(stack)]


def find_log_groups(clients: AwsClients, resources: Iterable[StackResource]) -> list[str]:
    """The log groups that SageMaker made for these resources' endpoints. No stack has them.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
    """
    endpoints = [_last(one.physical_id) for one in resources if one.type == "AWS::SageMaker::Endpoint"]
    named = (f"/aws/sagemaker/Endpoints/{name}" for name in endpoints)
    return [name for name in named if _log_group(clients, name)]


def describe(resource: StackResource) -> str:
    """Its kind and name."""
    return f"{_ASK[resource.type][0]} {_last(resource.physical_id)}"


def _exists(clients: AwsClients, resource: StackResource) -> bool:
    try:
        return _ASK[resource.type][1](clients, resource.physical_id) is not None
    except ClientError as error:
        if error.response["Error"]["Code"] in _ABSENT:
            return False
        raise


def _last(physical_id: str) -> str:
    return physical_id.rpartition("/")[2] if physical_id.startswith("arn:") else physical_id
