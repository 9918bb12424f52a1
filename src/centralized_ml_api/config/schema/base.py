"""Types that several parts of the file share, and their patterns."""

from typing import Annotated, Any, Literal

from centralized_ml_api.config.schema.written import Field

NAME_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
INSTANCE_PATTERN = r"^ml\.[a-z][a-z0-9-]*\.[a-z0-9-]+$"
ENVIRONMENT_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
NOT_BLANK = r"\S"
ALIAS_PATTERN = r"^[A-Za-z0-9._:/@~=,()\[\]-]{1,128}$"
"""What clients call models: `gpt-4o-mini`, `llama3.1:8b`, `meta-llama/Llama-3.1-8B`, `@cf/meta/llama-3`.

No character of these means anything to a template language, to JSON or to a shell in quotes.
"""

JOIN_CODE_PATTERN = r"^[A-Za-z0-9](-?[A-Za-z0-9]){5,31}$"
MOST_PLACES = 500

MOST_ALIASES = 20
"""Those of one entry have to fit into one parameter on AWS, of 4 KB."""

MOST_HOURS = 50
"""Each is two scheduled actions of every model that sleeps on AWS, which may have 200.

Source: https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-limits.html
"""

MEDIA_TYPE = r"^[a-z]+/[a-z0-9.+*-]+$"
BEDROCK_MODEL = (
    r"^(arn:aws[a-z-]*:bedrock:[a-z0-9-]+:([0-9]{12})?:[a-z-]+/[A-Za-z0-9._:-]+"
    r"|[a-z0-9-]+(\.[A-Za-z0-9_-]+)+(:[A-Za-z0-9._-]+)*)$"
)
"""Ids of foundation models and of inference profiles, or ARNs of these and of models of one's own.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html (modelId)
"""

REGION_PATTERN = r"^[a-z]{2,}(-[a-z]+)+-[0-9]+$"

DURATION_PATTERN = r"^[1-9][0-9]{0,4}[smhd]$"
GROUP_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"

Count = Annotated[int, Field(ge=1, le=2_147_483_647)]
TokenCount = Annotated[int, Field(ge=1, le=1_000_000_000_000)]
Dollars = Annotated[float, Field(gt=0, le=1_000_000)]
Rate = Annotated[float, Field(gt=0, le=1_000_000)]
EnvironmentName = Annotated[str, Field(pattern=ENVIRONMENT_NAME)]
Environment = dict[EnvironmentName, str]

FunctionSpeaks = Literal[
    "openai-chat",
    "openai-embeddings",
    "text-generation-inference",
    "text-inputs",
    "text-embeddings-inference",
    "text-inputs-embeddings",
]
"""The request bodies that a model server takes, as functions are told: those of OpenAI's API, of Hugging
Face's two servers (`inputs`), and of JumpStart's own containers (`text_inputs`)."""

Speaks = Literal[
    FunctionSpeaks,
    "openai-transcriptions",
    "openai-translations",
    "openai-speech",
    "openai-images",
    "rerank",
]
"""Those that an endpoint of SageMaker may take."""

ServerSpeaks = Literal[
    "openai-chat",
    "openai-completions",
    "openai-responses",
    "anthropic-messages",
    "openai-transcriptions",
    "openai-translations",
    "openai-speech",
    "openai-images",
    "rerank",
    "openai-embeddings",
    "text-generation-inference",
    "text-inputs",
    "text-embeddings-inference",
    "text-inputs-embeddings",
]
"""Those, and what servers of one machine may take besides: bodies that no container on AWS gets."""


def tag_of_one_or_list(value: Any) -> str:
    """Returns the tag of a value that is one word or a list of words: `one` or `list`."""
    return "list" if isinstance(value, list) else "one"


def hint(**schema: Any) -> dict[str, Any]:
    """Returns what only the JSON Schema says of a field, because a rule with a better message checks it."""
    return schema
