"""The gap: moto knows no inference components: neither the resource type nor SageMaker's calls.

A component needs an endpoint whose variant names no model and scales its instances itself; an endpoint has as
many instances as its component has copies. Only a component that exists is scaled. Deleting an endpoint does
not delete its component.
Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateInferenceComponent.html
"""

from __future__ import annotations

from typing import Any, ClassVar

from moto.applicationautoscaling import models as scaling
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend, applicationautoscaling_backends
from moto.core.common_models import CloudFormationModel
from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse

from support.moto_extension.added_resource import AddedResource, Properties
from support.moto_extension.replaced import replace_attribute

Described = dict[str, Any]

_VALID = "_target_params_are_valid"
"""What knows the dimensions that can be scaled."""

_known: dict[tuple[str, str], dict[str, Described]] = {}
"""What DescribeInferenceComponent answers, by account and region, then by name."""


def close() -> None:
    """SageMaker answers the calls; Application Auto Scaling refuses a component that there is not."""
    for name, method in {
        "describe_inference_component": _describe,
        "list_inference_components": _list,
        "delete_inference_component": _delete,
        "update_inference_component_runtime_config": _set_copies,
    }.items():
        replace_attribute(SageMakerResponse, name, method)
    _accept_variants()
    _accept_components()


def _accept_variants() -> None:
    """Lets a variant name no model, where SageMaker is to scale its instances."""
    validate = SageMakerModelBackend.validate_production_variants

    def validate_models(self: SageMakerModelBackend, production_variants: list[dict[str, Any]]) -> None:
        hosts = [each for each in production_variants if "ModelName" not in each]
        if any("ManagedInstanceScaling" not in host for host in hosts):
            raise ValidationError(message="A variant names a model, or has its instances scaled by SageMaker")
        validate(self, [each for each in production_variants if each not in hosts])

    replace_attribute(SageMakerModelBackend, "validate_production_variants", validate_models)


def _accept_components() -> None:
    """Lets Application Auto Scaling know the dimension of components, but not one that does not exist."""
    register = ApplicationAutoscalingBackend.register_scalable_target
    are_valid = getattr(scaling, _VALID)

    def check(namespace: str, resource: str, dimension: str) -> bool:
        return _is_component(resource) or are_valid(namespace, resource, dimension)

    def register_existing(
        self: ApplicationAutoscalingBackend, namespace: str, resource: str, dimension: str, *rest: Any
    ) -> Any:
        if _is_component(resource):
            _find(self.account_id, self.region_name, resource.partition("/")[2])
        return register(self, namespace, resource, dimension, *rest)

    replace_attribute(scaling, _VALID, check)
    replace_attribute(ApplicationAutoscalingBackend, "register_scalable_target", register_existing)


def _is_component(resource: str) -> bool:
    return resource.startswith("inference-component/")


def _find(account_id: str, region: str, name: str) -> Described:
    found = _known.get((account_id, region), {}).get(name)
    if found is None:
        raise ValidationError(message=f'Could not find inference component "{name}".')
    return found


def _describe(self: SageMakerResponse) -> ActionResult:
    return ActionResult(_find(self.current_account, self.region, self._get_param("InferenceComponentName")))


def _list(self: SageMakerResponse) -> ActionResult:
    known = _known.get((self.current_account, self.region), {})
    return ActionResult({"InferenceComponents": list(known.values())})


def _delete(self: SageMakerResponse) -> ActionResult:
    _remove(self.current_account, self.region, self._get_param("InferenceComponentName"))
    return ActionResult({})


def _set_copies(self: SageMakerResponse) -> ActionResult:
    name, wanted = (self._get_param(key) for key in ("InferenceComponentName", "DesiredRuntimeConfig"))
    found = _find(self.current_account, self.region, name)
    _run(self.current_account, self.region, found, int(wanted["CopyCount"]))
    return ActionResult({"InferenceComponentArn": found["InferenceComponentArn"]})


def _run(account_id: str, region: str, component: Described, copies: int) -> None:
    """Gives the component its copies, and its endpoint as many instances."""
    component["RuntimeConfig"] = {"DesiredCopyCount": copies, "CurrentCopyCount": copies}
    endpoint = sagemaker_backends[account_id][region].endpoints.get(component["EndpointName"])
    for variant in endpoint.production_variants if endpoint else ():
        variant["CurrentInstanceCount"] = variant["DesiredInstanceCount"] = copies


def _remove(account_id: str, region: str, name: str) -> None:
    _find(account_id, region, name)
    del _known[account_id, region][name]
    for targets in applicationautoscaling_backends[account_id][region].targets.values():
        targets.pop(f"inference-component/{name}", None)


class InferenceComponent(AddedResource, CloudFormationModel):
    """Its physical id is its ARN; an update keeps it."""

    type_name: ClassVar[str] = "AWS::SageMaker::InferenceComponent"

    @classmethod
    def write(cls, name: str, properties: Properties, account_id: str, region: str) -> str:
        """Makes it; a name that is in use is refused."""
        del name
        known = _known.setdefault((account_id, region), {})
        if properties["InferenceComponentName"] in known:
            given = properties["InferenceComponentName"]
            raise ValidationError(message=f"Cannot create already existing inference component: {given}")
        return _put(properties, account_id, region)

    @classmethod
    def update(
        cls, before: AddedResource, name: str, properties: Properties, account_id: str, region: str
    ) -> str:
        """Another specification starts copies anew, as many as the template says."""
        del before, name
        return _put(properties, account_id, region)

    def delete(self, account_id: str, region: str) -> None:
        """Removes it with its scaling."""
        _remove(account_id, region, self.physical_resource_id.rpartition("/")[2])


def _put(properties: Properties, account_id: str, region: str) -> str:
    name, specification = properties["InferenceComponentName"], properties["Specification"]
    backend = sagemaker_backends[account_id][region]
    endpoint = backend.endpoints[properties["EndpointName"]]
    (variant,) = backend.endpoint_configs[endpoint.endpoint_config_name].production_variants
    if "ModelName" in variant or variant["ManagedInstanceScaling"]["Status"] != "ENABLED":
        raise ValidationError(message=f"Endpoint {endpoint.endpoint_name} does not host inference components")
    if specification["ModelName"] not in backend._models:  # noqa: SLF001  # it is moto that is extended
        raise ValidationError(message=f'Could not find model "{specification["ModelName"]}".')
    if int(specification["ComputeResourceRequirements"]["MinMemoryRequiredInMb"]) < 128:
        raise ValidationError(message="minMemoryRequiredInMb must be at least 128")
    arn = f"arn:aws:sagemaker:{region}:{account_id}:inference-component/{name}"
    described: Described = {
        "InferenceComponentName": name,
        "InferenceComponentArn": arn,
        "EndpointName": endpoint.endpoint_name,
        "EndpointArn": endpoint.arn,
        "VariantName": properties["VariantName"],
        "Specification": specification,
        "InferenceComponentStatus": "InService",
    }
    _known.setdefault((account_id, region), {})[name] = described
    _run(account_id, region, described, int(properties["RuntimeConfig"]["CopyCount"]))
    return arn
