"""A JumpStart spec -> the facts that a target needs. Pure: no file, no network, an unchanged spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from centralized_ml_api.catalog.facts import ModelFacts
from centralized_ml_api.catalog.failures import raise_all
from centralized_ml_api.catalog.rules.configs import choose_config
from centralized_ml_api.catalog.rules.containers import find_artifacts, find_image, find_package
from centralized_ml_api.catalog.rules.deployment import (
    build_deploy,
    build_environment,
    build_payloads,
    build_resources,
    is_isolated,
)
from centralized_ml_api.catalog.rules.instances import (
    check_instance,
    choose_instance,
    default_instance,
    supported_instances,
)
from centralized_ml_api.catalog.rules.licence import check_licence, find_eula
from centralized_ml_api.catalog.rules.lifecycle import check_lifecycle, lifecycle_warnings
from centralized_ml_api.catalog.rules.regions import find_buckets
from centralized_ml_api.catalog.rules.task import can_stream, describe_task
from centralized_ml_api.catalog.spec import check_spec
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Unpack

    from centralized_ml_api.catalog.facts import Fidelity, Source
    from centralized_ml_api.catalog.rules.lifecycle import Tolerance
    from centralized_ml_api.catalog.spec import Spec


@record
class ModelWords:
    """The task of a model, and where its licence can be read; None where it names none."""

    task: str
    licence_url: str | None


class Asked(TypedDict, total=False):
    """What the user asks of a model; each key is optional.

    `instance` is the instance type, by default the model's own. `config` is the inference configuration, by
    default the best that can be deployed. `accept_eula` accepts the licence of a gated model. `environment`
    and `network_isolation` win over the publisher's. `tolerate` names reasons (`deprecated`, `vulnerable`)
    that do not count. `instance_check: False` allows types that the publisher did not try.
    """

    instance: str | None
    config: str | None
    accept_eula: bool
    environment: Mapping[str, str]
    tolerate: Collection[Tolerance]
    instance_check: bool
    network_isolation: bool | None


def resolve(
    spec: Spec, *, region: str, source: Source = "live", fidelity: Fidelity = "full", **asked: Unpack[Asked]
) -> ModelFacts:
    """Returns everything that JumpStart's catalogue says about a model in a region on an instance type.

    Args:
        spec: The catalogue's entry, as published.
        region: Where it will be deployed.
        source: Where the spec comes from, for the record.
        fidelity: Whether the spec is complete, for the record.
        asked: What the user asks of the model.

    Raises:
        CatalogError: The model cannot be deployed like this. A subclass says why; several independent
            reasons come as one `SeveralRefusals`.
    """
    check_spec(spec)
    buckets = find_buckets(region)
    choice = choose_config(spec, asked.get("config"))
    chosen = choice.spec
    placed = choose_instance(chosen, asked.get("instance"))
    tolerated = asked.get("tolerate", ())
    eula = find_eula(chosen, buckets)
    raise_all(
        [
            *check_lifecycle(chosen, tolerated),
            *(check_instance(chosen, placed) if asked.get("instance_check", True) else ()),
            *check_licence(chosen, eula, accepted=asked.get("accept_eula", False)),
        ]
    )
    package = find_package(chosen, placed, region)
    image = None if package else find_image(chosen, placed, region)
    data = None if package else find_artifacts(chosen, placed, buckets, licensed=eula.required)
    return ModelFacts(
        model_id=chosen["model_id"],
        version=chosen["version"],
        source=source,
        fidelity=fidelity,
        config=choice.name,
        region=region,
        instance=placed,
        supported_instances=supported_instances(chosen),
        default_instance=default_instance(chosen),
        image=image,
        model_package_arn=package,
        model_data=data,
        environment=build_environment(chosen, placed, asked.get("environment", {})),
        network_isolation=is_isolated(chosen, package=bool(package), wanted=asked.get("network_isolation")),
        eula=eula,
        deploy=build_deploy(chosen, placed),
        resources=build_resources(chosen, placed),
        payloads=build_payloads(chosen),
        task=describe_task(chosen),
        streams=can_stream(image),
        warnings=(*choice.warnings, *lifecycle_warnings(chosen, tolerated)),
    )


def build_words(spec: Spec, *, region: str, config: str | None) -> ModelWords:
    """Builds the words of a spec, as `resolve` finds them. Pure.

    Args:
        spec: The spec of one version of a model.
        region: The region whose bucket holds the licence.
        config: The inference configuration; None for the spec's own choice.

    Raises:
        CatalogError: The spec is damaged, or has no such inference configuration.
    """
    check_spec(spec)
    chosen = choose_config(spec, config).spec
    return ModelWords(describe_task(chosen), find_eula(chosen, find_buckets(region)).url)
