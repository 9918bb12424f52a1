"""The entries of `models` and `endpoints`, each a path of the API."""

from typing import Annotated, Any

from centralized_ml_api.config.schema.autoscaling import Autoscaling
from centralized_ml_api.config.schema.base import (
    BEDROCK_MODEL,
    INSTANCE_PATTERN,
    MEDIA_TYPE,
    NAME_PATTERN,
    NOT_BLANK,
    REGION_PATTERN,
    Count,
    Environment,
    Speaks,
    hint,
)
from centralized_ml_api.config.schema.integration import Integration
from centralized_ml_api.config.schema.local import Local
from centralized_ml_api.config.schema.provider import Provider
from centralized_ml_api.config.schema.written import Field, Written
from centralized_ml_api.instance_types import InferenceAmi

HostingTimeout = Annotated[int, Field(ge=60, le=3600)]
"""Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html"""


Usd = Annotated[float, Field(ge=0, le=1_000_000)]


class TokenPrices(Written):
    """What tokens cost, in US dollars per million."""

    input_per_million: Annotated[Usd, Field(description="Tokens of requests.", examples=[0.25])]
    cached_input_per_million: Annotated[
        Usd | None,
        Field(description="Those that the server had in a cache; by default the same.", examples=[0.025]),
    ] = None
    output_per_million: Annotated[
        Usd, Field(description="Tokens of responses; `0` for embeddings.", examples=[2])
    ]


class Entry(Written):
    """What a model and an endpoint have in common."""

    name: Annotated[
        str,
        Field(
            description="The path of the API (`open-llama` is called at `/open-llama`): lowercase letters, "
            "digits and hyphens; at most 63 characters; unique in the file.",
            examples=["open-llama"],
            json_schema_extra=hint(
                pattern=NAME_PATTERN, **{"not": {"enum": ["health", "models", "openapi-json", "v1"]}}
            ),
        ),
    ]
    integration: Annotated[
        Integration, Field(description="How the gateway calls the model.", examples=[{"type": "api"}])
    ]
    description: Annotated[
        str | None,
        Field(description="What the model does, for the catalogue page.", examples=["Answers questions."]),
    ] = None
    made_by: Annotated[
        str | None,
        Field(pattern=NOT_BLANK, description="Who made the model.", examples=["Hugging Face"]),
    ] = None
    licence: Annotated[
        str | None,
        Field(pattern=NOT_BLANK, description="The model's licence, by name.", examples=["Apache-2.0"]),
    ] = None
    takes: Annotated[
        str | None,
        Field(
            pattern=MEDIA_TYPE,
            description="The media type of requests; by default that of the sample.",
            examples=["audio/wav"],
        ),
    ] = None
    gives: Annotated[
        str | None,
        Field(
            pattern=MEDIA_TYPE,
            description="The media type of responses, if it is not JSON.",
            examples=["image/png"],
        ),
    ] = None
    sample: Annotated[
        Any,
        Field(
            description='A request body that works; `{"$file": "cat.png"}` is the content of that file.',
            examples=[{"text_inputs": "What is AWS?"}],
        ),
    ] = None
    max_output_tokens: Annotated[
        Count | None,
        Field(
            description="The most tokens that one answer may have; a request that asks for more, or names no "
            "number, gets this many. Applies to llama.cpp on one machine, and under `/v1` on AWS.",
            examples=[1024],
        ),
    ] = None
    price: Annotated[
        TokenPrices | None,
        Field(
            description="What its tokens cost, for limits in US dollars and `mlapi usage` on one machine. "
            "By default what its provider published, as of the day of the list in this version.",
            examples=[{"input_per_million": 0.25, "output_per_million": 2}],
        ),
    ] = None
    max_body_mib: Annotated[
        Annotated[int, Field(ge=6, le=64)] | None,
        Field(
            description="The largest request body on one machine, in MiB: 25 by default for speech to text, "
            "6 for all others. AWS and functions take no more than 6.",
            examples=[25],
        ),
    ] = None
    fallback: Annotated[
        list[str] | None,
        Field(
            min_length=1,
            max_length=5,
            description="Names of other entries, in order. The next one is asked where this one cannot be "
            "reached, is busy (429) or fails (5xx), unless a model may already have worked: under `/v1`, and "
            "at the path of an entry with `provider` or `bedrock_model_id`.",
            examples=[["gpt", "claude"]],
        ),
    ] = None
    speaks: Annotated[
        Speaks | None,
        Field(
            description="Which request bodies the SageMaker endpoint takes, if JumpStart does not say. The "
            "entry is then served under `/v1` too.",
            examples=["openai-chat"],
        ),
    ] = None
    local: Annotated[
        Local | None,
        Field(
            description="How one machine serves the entry. Without this block its path answers 501 there.",
            examples=[{"engine": "url", "url": "http://gpu-box:8000/invocations"}],
        ),
    ] = None


class ModelEntry(Entry):
    """One model to serve on this machine (`local`), to deploy to AWS, or both."""

    model_id: Annotated[
        str | None,
        Field(
            pattern=NOT_BLANK,
            description="A model id of the JumpStart catalogue. "
            "Exactly one of `model_id`, `model_package_arn`, `image`.",
            examples=["huggingface-textgeneration-open-llama"],
        ),
    ] = None
    model_package_arn: Annotated[
        str | None,
        Field(
            description="The ARN of an AWS Marketplace model package, in the region of the deployment.",
            examples=["arn:aws:sagemaker:us-east-1:123456789012:model-package/my-package"],
            json_schema_extra=hint(pattern="^arn:"),
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
            description="The archive of artifacts that SageMaker unpacks for `image`.",
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
            description="Environment variables of the container; they override JumpStart's.",
            examples=[{"SM_NUM_GPUS": "1"}],
        ),
    ] = {}
    instance: Annotated[
        str | None,
        Field(
            description="The SageMaker instance type. Use either this or `instances`.",
            examples=["ml.g5.2xlarge"],
            json_schema_extra=hint(pattern=INSTANCE_PATTERN),
        ),
    ] = None
    instances: Annotated[
        list[str] | None,
        Field(
            min_length=1,
            max_length=5,
            description="Up to five instance types, tried in this order while there is no capacity.",
            examples=[["ml.g5.2xlarge", "ml.g5.4xlarge"]],
            json_schema_extra=hint(items={"type": "string", "pattern": INSTANCE_PATTERN}, uniqueItems=True),
        ),
    ] = None
    instance_check: Annotated[
        bool,
        Field(
            description="`false` allows instance types that JumpStart does not list for the model.",
            examples=[False],
        ),
    ] = True
    inference_ami: Annotated[
        InferenceAmi | None,
        Field(
            description="The machine image, and so the GPU driver, that SageMaker starts; overrides "
            "JumpStart's. Without it, your own image on `ml.g4dn`, `ml.g5` or `ml.p4d` gets NVIDIA driver "
            "470, for CUDA 11.",
            examples=["al2-ami-sagemaker-inference-gpu-3-1"],
        ),
    ] = None
    startup_timeout: Annotated[
        HostingTimeout | None,
        Field(
            description="How many seconds the container may take to answer its first health check; "
            "overrides JumpStart's. A model of many gigabytes needs more than SageMaker's default.",
            examples=[1200],
        ),
    ] = None
    download_timeout: Annotated[
        HostingTimeout | None,
        Field(
            description="How many seconds SageMaker may take to fetch and unpack the artifacts; overrides "
            "JumpStart's.",
            examples=[1200],
        ),
    ] = None
    volume_gib: Annotated[
        Annotated[int, Field(ge=1, le=512)] | None,
        Field(
            description="The size of each instance's disk in GiB, for types without one of their own; "
            "overrides JumpStart's.",
            examples=[256],
        ),
    ] = None
    autoscaling: Annotated[
        Autoscaling | None,
        Field(description="How many instances run. Without this block there is always one."),
    ] = None


class EndpointEntry(Entry):
    """One model that exists already: a SageMaker endpoint to adopt, a model of Bedrock or of a provider."""

    endpoint_name: Annotated[
        str | None,
        Field(
            description="The endpoint's name in SageMaker, if it is not `name`.",
            examples=["My-Endpoint-2026"],
            json_schema_extra=hint(pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"),
        ),
    ] = None
    bedrock_model_id: Annotated[
        str | None,
        Field(
            pattern=BEDROCK_MODEL,
            description="A model of Amazon Bedrock, in place of a SageMaker endpoint: the id or ARN of a "
            "model or of an inference profile. `speaks` may be "
            "`openai-chat`, if Bedrock serves the model by OpenAI's Chat Completions.",
            examples=["us.anthropic.claude-haiku-4-5-20251001-v1:0"],
        ),
    ] = None
    bedrock_region: Annotated[
        str | None,
        Field(
            pattern=REGION_PATTERN,
            description="The region in which Bedrock is called; by default that of the deployment, or on "
            "one machine that of your AWS configuration.",
            examples=["us-west-2"],
        ),
    ] = None
    provider: Annotated[
        Provider | None,
        Field(
            description="A model that somebody else hosts, in place of a SageMaker endpoint.",
            examples=[{"name": "openai", "model": "gpt-5-mini", "key": {"env": "OPENAI_API_KEY"}}],
        ),
    ] = None
