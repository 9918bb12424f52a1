"""How the gateway calls a model: `integration`, and the Lambda function in it."""

from typing import Annotated, Any, Literal

from centralized_ml_api.config.schema.base import NOT_BLANK, hint
from centralized_ml_api.config.schema.written import Discriminator, Field, Tag, Written


class ScopedPermissions(Written):
    """IAM actions on certain resources."""

    actions: Annotated[
        list[str],
        Field(min_length=1, description="IAM actions.", examples=[["s3:GetObject", "s3:ListBucket"]]),
    ]
    resources: Annotated[
        list[str],
        Field(
            min_length=1,
            description="The ARNs on which the actions are allowed.",
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
            description="The folder of the function, relative to the project root or else to this file.",
            examples=["functions/example_function"],
        ),
    ]
    permissions: Annotated[
        Annotated[list[str], Tag("actions")] | Annotated[ScopedPermissions, Tag("scoped")],
        Discriminator(_permissions_tag),
        Field(
            description="What the function may do: IAM actions, or actions on certain resources. "
            "`sagemaker:InvokeEndpoint*` is limited to this entry's endpoint; other actions without "
            "resources are allowed on every resource.",
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
            description="Seconds after which a call is aborted. The API itself waits 29, or on AWS "
            "`aws.integration_timeout`.",
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
            json_schema_extra=hint(pattern="^[a-z]"),
        ),
    ] = "python3.13"
    handler: Annotated[
        str,
        Field(
            pattern=NOT_BLANK,
            description="The file (without its suffix) and function that Lambda calls, separated by a dot.",
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
    """How the gateway calls the model."""

    type: Annotated[
        Literal["api", "lambda", "stream"],
        Field(
            description="`api`: the gateway calls the model directly; `lambda`: through a function of yours; "
            "`stream`: directly, and the response is streamed as server-sent events.",
            examples=["api"],
        ),
    ]
    headers: Annotated[
        list[str],
        Field(
            description="Request headers that are passed to the model, besides Content-Type and Accept.",
            examples=[["X-Amzn-SageMaker-Custom-Attributes"]],
            json_schema_extra=hint(items={"type": "string", "pattern": "^[A-Za-z0-9-]+$"}),
        ),
    ] = []
    properties: Annotated[
        FunctionProperties | None,
        Field(description="The function; required for the type `lambda`, and only for it."),
    ] = None
