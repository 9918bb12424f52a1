"""The APIs that model servers speak under `/v1`: the paths of each, and whose shape its errors have. Pure.

Everything that depends on a path under `/v1` asks this table: what a server speaks by its path, which routes
an entry has, in which shape its errors are.

Sources:
    https://platform.openai.com/docs/api-reference (chat, completions, responses, embeddings)
    https://platform.openai.com/docs/api-reference/audio, https://platform.openai.com/docs/api-reference/images
    https://platform.claude.com/docs/en/api/messages (messages, count_tokens)
    https://code.claude.com/docs/en/llm-gateway-protocol (the headers of messages that gateways pass on)
    https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html (rerank, as Jina and Cohere have it)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import urlsplit

from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from centralized_ml_api.config.schema import ServerSpeaks  # noqa: TC004  # nothing reads the annotations

ErrorShape = Literal["openai", "anthropic"]
ServerApi: TypeAlias = "ServerSpeaks | Literal['bedrock-converse', 'bedrock-invoke']"
"""What the translator asks a server in."""


@record
class ModelApi:
    """One API: its name in `speaks`, its paths, what a model with it can do, whose shape its errors have.

    The first path is the one that servers are called at; the others are below it. With `takes_form`, bodies
    are forms with a file in them (multipart/form-data), not JSON. `headers` are those of requests, in lower
    case, that belong to the API: without them, a server may refuse or misread what is in the body.
    """

    name: ServerSpeaks
    paths: tuple[str, ...]
    capability: str = "chat"
    error_shape: ErrorShape = "openai"
    takes_form: bool = False
    headers: tuple[str, ...] = ()


CHAT = ModelApi("openai-chat", ("/v1/chat/completions",))
COMPLETIONS = ModelApi("openai-completions", ("/v1/completions",))
RESPONSES = ModelApi("openai-responses", ("/v1/responses",))
COUNT_TOKENS_PATH = "/v1/messages/count_tokens"
MESSAGES = ModelApi(
    "anthropic-messages",
    ("/v1/messages", COUNT_TOKENS_PATH),
    error_shape="anthropic",
    headers=("anthropic-beta", "anthropic-version"),
)
TRANSCRIPTIONS = ModelApi(
    "openai-transcriptions", ("/v1/audio/transcriptions",), "transcription", takes_form=True
)
TRANSLATIONS = ModelApi("openai-translations", ("/v1/audio/translations",), "translation", takes_form=True)
SPEECH = ModelApi("openai-speech", ("/v1/audio/speech",), "speech")
IMAGES = ModelApi("openai-images", ("/v1/images/generations",), "images")
RERANK = ModelApi("rerank", ("/v1/rerank",), "rerank")
EMBEDDINGS = ModelApi("openai-embeddings", ("/v1/embeddings",), "embeddings")

MEDIA_APIS = (TRANSCRIPTIONS, TRANSLATIONS, SPEECH, IMAGES)
"""Those of speech and images."""

MODEL_APIS = (CHAT, COMPLETIONS, RESPONSES, MESSAGES, *MEDIA_APIS, RERANK, EMBEDDINGS)
"""All of them, in the order in which they are listed."""

FORM_PATHS = frozenset(path for api in MODEL_APIS if api.takes_form for path in api.paths)
"""The paths that take forms."""

TRANSLATED: dict[ServerSpeaks, tuple[ServerSpeaks, ...]] = {
    CHAT.name: (MESSAGES.name,),
    RESPONSES.name: (CHAT.name, MESSAGES.name),
    MESSAGES.name: (CHAT.name,),
}
"""What the translator can ask instead, by the caller's API: the first of these that the server speaks."""

CONVERSE: Literal["bedrock-converse"] = "bedrock-converse"
"""Amazon Bedrock's own API of chats, which only the translator speaks.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

INVOKE: Literal["bedrock-invoke"] = "bedrock-invoke"
"""How the models of Amazon Bedrock that embed are called: each family has bodies of its own.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
"""

OF_BEDROCK: tuple[ServerApi, ...] = (CONVERSE, INVOKE)
"""Those that have the model in their paths, which the translator makes."""

API_NAMES = tuple(api.name for api in MODEL_APIS)

SPOKEN_AT = {api.paths[0]: api.name for api in MODEL_APIS}
"""Paths that tell which API a server speaks."""


def find_server_path(own: str, api: ModelApi, path: str, *, is_first: bool) -> str:
    """Returns where a server takes the calls of a path under `/v1`.

    A server at `/openai/v1/chat/completions` has its other APIs below `/openai`. One whose path does not tell
    has the first API that it speaks there, and others where everybody has them.

    Args:
        own: The server's path and query, as the config has it.
        api: The API.
        path: One of the API's paths.
        is_first: Whether the API is the first that the server speaks.
    """
    parts = urlsplit(own)
    query = f"?{parts.query}" if parts.query else ""
    for known in SPOKEN_AT:
        if parts.path.endswith(known):
            return f"{parts.path.removesuffix(known)}{path}{query}"
    return f"{parts.path}{path.removeprefix(api.paths[0])}{query}" if is_first else path


def find_translated(spoken: Collection[ServerSpeaks]) -> dict[ServerSpeaks, ServerSpeaks]:
    """Returns the APIs that a server has by translation, each with the one that it is asked in."""
    return {
        api: server
        for api, servers in TRANSLATED.items()
        if api not in spoken and (server := next((server for server in servers if server in spoken), None))
    }


def list_paths(names: Iterable[str]) -> tuple[str, ...]:
    """Returns the paths of these APIs, in the order of the table."""
    wanted = {*names}
    return tuple(path for api in MODEL_APIS if api.name in wanted for path in api.paths)
