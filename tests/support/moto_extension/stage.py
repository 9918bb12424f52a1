"""The gap: `AWS::ApiGateway::Stage` is skipped, with its throttling and its access log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from moto.apigateway.models import apigateway_backends
from moto.core.common_models import CloudFormationModel

from support.moto_extension.added_resource import AddedResource, Properties

if TYPE_CHECKING:
    from collections.abc import Iterator

_METHOD_SETTINGS = {
    "ThrottlingRateLimit": "throttling/rateLimit",
    "ThrottlingBurstLimit": "throttling/burstLimit",
    "MetricsEnabled": "metrics/enabled",
    "LoggingLevel": "logging/loglevel",
    "DataTraceEnabled": "logging/dataTrace",
}
_ACCESS_LOG = {"DestinationArn": "destinationArn", "Format": "format"}


def close() -> None:
    """Defining the class is enough: moto looks for subclasses."""


class Stage(AddedResource, CloudFormationModel):
    """A stage of moto's API Gateway; its physical id is its name, as CloudFormation's is."""

    type_name: ClassVar[str] = "AWS::ApiGateway::Stage"

    @classmethod
    def write(cls, name: str, properties: Properties, account_id: str, region: str) -> str:
        """Makes the stage anew, on the deployment and with the settings of the template."""
        del name
        api = apigateway_backends[account_id][region].get_rest_api(properties["RestApiId"])
        stage_name: str = properties["StageName"]
        api.stages.pop(stage_name, None)
        stage = api.create_stage(
            stage_name,
            properties["DeploymentId"],
            variables=properties.get("Variables"),
            description=properties.get("Description", ""),
            cacheClusterEnabled=False,
            cacheClusterSize=None,
            tags={tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])},
            tracing_enabled=properties.get("TracingEnabled"),
        )
        stage.apply_operations(list(_operations(properties)))
        return stage_name


def _operations(properties: Properties) -> Iterator[dict[str, Any]]:
    for setting in properties.get("MethodSettings", []):
        # moto keeps the settings of the whole stage under "*/*"
        where = f"{setting.get('ResourcePath', '/*').strip('/')}/{setting.get('HttpMethod', '*')}"
        for written, path in _METHOD_SETTINGS.items():
            if written in setting:
                yield _replace(f"/{where}/{path}", setting[written])
    for written, key in _ACCESS_LOG.items():
        if written in properties.get("AccessLogSetting", {}):
            yield _replace(f"/accessLogSettings/{key}", properties["AccessLogSetting"][written])


def _replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": str(value)}
