"""What will exist: frozen data, decided purely from the config, in the order of the config.

`ModelEntry` (written) becomes `ModelDeployment` (decided); a target turns it into constructs or processes
and decides nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from centralized_ml_api.plan.account import AccountPlan
from centralized_ml_api.plan.event import EventPlan
from centralized_ml_api.record import record

if TYPE_CHECKING:  # a function's host imports this too, and starts in half the time without the config
    from centralized_ml_api.config.schema import (  # noqa: TC004  # nothing reads the annotations
        ServerSpeaks,
        Speaks,
    )
    from centralized_ml_api.config.token_prices import TokenPrice  # noqa: TC004  # like the next
    from centralized_ml_api.plan.provider import ProviderServing  # noqa: TC004  # nothing reads the annotation
    from centralized_ml_api.plan.serving import Serving  # noqa: TC004  # nothing reads the annotation

GATEWAY_TIMEOUT_SECONDS = 29
"""How long the API waits for a model or a function.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
(integration timeout of regional REST APIs, 29 seconds by default).
"""

BODY_LIMIT_BYTES = 6 * 1024 * 1024
"""The largest request body, of all paths alike: what a function can take, the least of the limits on the way.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (6 MB for a synchronous
invocation);
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
(10 MB for a REST API).
"""


RESPONSE_LIMIT_BYTES = 16 * 1024 * 1024
"""The largest response that is held until it is complete."""


@record
class JumpStartModel:
    """A model of the JumpStart catalogue; version `*` is the newest."""

    model_id: str
    version: str
    inference_config: str | None
    accept_eula: bool


@record
class PackageModel:
    """A model package of the AWS Marketplace."""

    arn: str


@record
class ContainerModel:
    """An own container image with optional artifacts in S3."""

    image: str
    data: str | None


@record
class ExistingEndpoint:
    """A SageMaker endpoint that somebody else made."""


@record
class ProviderModel:
    """A model that a provider hosts; `serving` says how it is called, on AWS too."""

    serving: ProviderServing


_EMBEDS = re.compile(r"\b(amazon\.titan-embed|cohere\.embed)-")


@record
class BedrockModel:
    """A model of Amazon Bedrock, by the id or ARN of the config; `region` is None for the deployment's.

    `is_openai` says that Bedrock serves it by OpenAI's Chat Completions; everything else is translated, to
    Converse or, for models that embed, to InvokeModel.
    """

    model_id: str
    region: str | None
    is_openai: bool

    @property
    def embeds(self) -> bool:
        """Whether it makes embeddings, as its id tells: Amazon's Titan, or Cohere's Embed."""
        return _EMBEDS.search(self.model_id) is not None

    @property
    def apis(self) -> tuple[ServerSpeaks, ...]:
        """The APIs under `/v1` in which Bedrock, or Converse behind the translator, is called.

        Its own path has the first.
        """
        if self.is_openai:
            return ("openai-chat",)
        if self.embeds:
            return ("openai-embeddings",)
        return ("openai-chat", "openai-responses", "anthropic-messages")

    @property
    def native_apis(self) -> tuple[ServerSpeaks, ...]:
        """Those in which Bedrock itself is called."""
        return self.apis if self.is_openai else ()


@record
class LocalModel:
    """A model that only this machine serves: the config says nothing of AWS."""


Origin = (
    JumpStartModel
    | PackageModel
    | ContainerModel
    | ExistingEndpoint
    | ProviderModel
    | BedrockModel
    | LocalModel
)


@record
class CopyResources:
    """What one copy of a model reserves of an instance; None for what nobody said."""

    memory_mb: int
    accelerators: int | None = None
    cpu_cores: float | None = None


@record
class AutoscalingPlan:
    """Target tracking on invocations per instance (per minute).

    With a `min_capacity` of 0 the model sleeps while nobody calls it. `resources` is what the config says of
    its copies.
    """

    min_capacity: int
    max_capacity: int
    invocations_per_instance: int
    resources: CopyResources | None = None

    @property
    def sleeps(self) -> bool:
        """Whether there may be no instance."""
        return self.min_capacity == 0

    @property
    def initial_capacity(self) -> int:
        """How many instances a deploy starts: a model that sleeps proves at first that it starts."""
        return max(self.min_capacity, 1)


@record
class FunctionPlan:
    """A Lambda function: `code` is an absolute folder, `timeout_seconds` 1-900, `memory_mib` 128-10240.

    `environment` is what the config says; `ENDPOINT_NAME` is added by the target.
    """

    code: Path
    handler: str
    runtime: str
    timeout_seconds: int
    memory_mib: int
    environment: Mapping[str, str]
    layers: tuple[str, ...]
    actions: tuple[str, ...]
    resources: tuple[str, ...] | None


@record
class LocalPlan:
    """How one machine serves the entry. `speaks`: what bodies the server takes, empty where nobody said."""

    serving: Serving
    replicas: int
    environment: Mapping[str, str]
    speaks: tuple[ServerSpeaks, ...] = ()

    @property
    def places(self) -> int | None:
        """How many requests all replicas together answer at once; None where nobody knows."""
        places = self.serving.places(self.environment)
        return None if places is None else places * self.replicas


@record
class SleepPlan:
    """When the servers of an entry run on one machine, if not always.

    Attributes:
        idle_seconds: They stop after this long without a call; None for never.
        on_call: Whether they start with the first call, not with the API.
        shares: Of the entries with the same word, one runs at a time; empty for none.
    """

    idle_seconds: float | None = None
    on_call: bool = False
    shares: str = ""


@record
class About:
    """What participants are told of a model. `takes` and `gives` are media types; None is for nobody said."""

    made_by: str | None = None
    licence: str | None = None
    takes: str | None = None
    gives: str | None = None


@record
class HostingSettings:
    """What the config says of SageMaker's machines; None where JumpStart or SageMaker decides."""

    inference_ami: str | None = None
    startup_timeout_seconds: int | None = None
    download_timeout_seconds: int | None = None
    volume_gib: int | None = None


@record
class ModelDeployment:
    """One path of the API and what stands behind it.

    `endpoint_name` is the name by which SageMaker's API knows the model. `headers` are the configured
    request headers as written; `Content-Type` and `Accept` always pass too. `function` is set exactly when
    `integration` is `lambda`; `speaks` is what the config says of the SageMaker endpoint's bodies; `local` is
    None when one machine cannot serve it. `max_output_tokens` is the most that one answer may have, None for
    the server's own limit. `price` is what the config says that tokens cost. `max_body_mib` is what the
    config says of the largest request body, see `speaks.find_body_limit`. `sleep` is None where one
    machine keeps its servers running all the time. `fallback` names the entries that are asked
    where this one fails.
    """

    name: str
    endpoint_name: str
    origin: Origin
    instances: tuple[str, ...]
    autoscaling: AutoscalingPlan | None
    environment: Mapping[str, str]
    integration: Literal["api", "lambda", "stream"]
    headers: tuple[str, ...]
    function: FunctionPlan | None
    description: str
    sample: Any
    local: LocalPlan | None
    speaks: Speaks | None = None
    about: About = About()
    max_output_tokens: int | None = None
    hosting: HostingSettings = HostingSettings()
    price: TokenPrice | None = None
    max_body_mib: int | None = None
    sleep: SleepPlan | None = None
    fallback: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The path of the API, such as `/open-llama`."""
        return f"/{self.name}"


@record
class ApiPlan:
    """The whole API: its deployments in config order.

    `folders` are where relative paths of the config start, in the order in which they are tried.
    `not_acted_on` says what the config asks for and this version does not do on one machine;
    `not_acted_on_aws` says in sentences what it does not do on AWS. `config` is the file, where the plan is
    from one. `account` is what AWS must be told about the account.
    """

    deployments: tuple[ModelDeployment, ...]
    folders: tuple[Path, ...]
    not_acted_on: tuple[str, ...] = ()
    not_acted_on_aws: tuple[str, ...] = ()
    event: EventPlan = field(default_factory=EventPlan)
    config: Path | None = None
    account: AccountPlan = field(default_factory=AccountPlan)

    def deployment(self, name: str) -> ModelDeployment | None:
        """Returns the deployment of that name, if there is one."""
        return next((deployment for deployment in self.deployments if deployment.name == name), None)
