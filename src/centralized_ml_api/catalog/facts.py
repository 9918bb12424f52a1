"""`ModelFacts`: everything that a target must know about a JumpStart model, as the rules decide it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from centralized_ml_api.record import record

Source = Literal["lock", "cache", "live", "mirror", "snapshot"]
Fidelity = Literal["full", "partial"]


@record
class ModelData:
    """Artifacts in S3. `type` None with compression None means a plain `ModelDataUrl`."""

    uri: str
    type: Literal["S3Prefix", "S3Object"] | None
    compression: Literal["None", "Gzip"] | None


@record
class Eula:
    """Whether a licence must be accepted before use, and the address of its text."""

    required: bool
    url: str | None


@record
class DeployFacts:
    """What the endpoint configuration needs; None if SageMaker's default applies."""

    download_timeout_seconds: int | None
    startup_timeout_seconds: int | None
    volume_gib: int | None
    inference_ami: str | None


@record
class Payload:
    """A request body from the spec. `body` is None when it cannot be inlined (it names objects in S3)."""

    name: str
    content_type: str
    accept: str
    body: Any


@record
class ModelFacts:
    """A JumpStart model in one region on one instance type. `mlapi models show --json` uses these names."""

    model_id: str
    version: str
    source: Source
    fidelity: Fidelity
    config: str | None
    region: str
    instance: str
    supported_instances: tuple[str, ...]
    default_instance: str
    image: str | None
    model_package_arn: str | None
    model_data: ModelData | None
    environment: Mapping[str, str]
    network_isolation: bool
    eula: Eula
    deploy: DeployFacts
    resources: Mapping[str, Any]
    payloads: tuple[Payload, ...]
    task: str
    streams: bool
    warnings: tuple[str, ...]
