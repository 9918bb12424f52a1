"""A model that somebody else hosts: the provider's API, its name of the model, where the key is kept."""

from typing import Annotated

from centralized_ml_api.config.providers import ProviderApi, ProviderName
from centralized_ml_api.config.schema.base import (
    ENVIRONMENT_NAME,
    NOT_BLANK,
    hint,
    tag_of_one_or_list,
)
from centralized_ml_api.config.schema.written import Discriminator, Field, Tag, Written

ProviderSpeaks = Annotated[
    Annotated[ProviderApi, Tag("one")]
    | Annotated[Annotated[list[ProviderApi], Field(min_length=1)], Tag("list")],
    Discriminator(tag_of_one_or_list),
]


class KeySource(Written):
    """Where the provider's key is kept: exactly one of these. The config never contains the key itself."""

    env: Annotated[
        str | None,
        Field(
            description="The environment variable of `mlapi up` that holds the key.",
            examples=["OPENAI_API_KEY"],
            json_schema_extra=hint(pattern=ENVIRONMENT_NAME),
        ),
    ] = None
    file: Annotated[
        str | None,
        Field(
            pattern=NOT_BLANK,
            description="A file that holds the key alone, and that nobody but you may read. A relative path "
            "starts at the project root or else at this file.",
            examples=["keys/openai"],
        ),
    ] = None
    secret: Annotated[
        str | None,
        Field(
            pattern=NOT_BLANK,
            description="The name or the ARN of a secret in AWS Secrets Manager that holds the key alone.",
            examples=["openai-key"],
        ),
    ] = None


class ProviderKeys(Written):
    """What is said of a provider, in `provider` and in `local` alike."""

    name: Annotated[
        ProviderName | None,
        Field(
            description="The provider, whose address and habits are known. `azure` needs `url` too.",
            examples=["openai"],
        ),
    ] = None
    url: Annotated[
        str | None,
        Field(
            description="The base address, if `name` does not say it: that of any server that speaks "
            "OpenAI's API. `/chat/completions` is added to it.",
            examples=["http://gpu-box:8000/v1"],
            json_schema_extra=hint(pattern="^https?://"),
        ),
    ] = None
    model: Annotated[
        str,
        Field(
            pattern=NOT_BLANK,
            description="The provider's name of the model. It replaces `model` in each body; callers only "
            "ever see the entry's name.",
            examples=["gpt-5-mini"],
        ),
    ]
    key: Annotated[
        KeySource | None,
        Field(
            description="Where your key is kept. Required with `name`.", examples=[{"env": "OPENAI_API_KEY"}]
        ),
    ] = None
    speaks: Annotated[
        ProviderSpeaks | None,
        Field(
            description="Which APIs the model has at the provider; one value or a list. By default "
            "`openai-chat`.",
            examples=["openai-embeddings"],
        ),
    ] = None


class Provider(ProviderKeys):
    """A model that a provider hosts, called with your key."""
