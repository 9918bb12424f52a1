"""The providers that a config names: where the API of each is, which header takes its key, what it speaks.

Adding a provider takes an entry of `PRESETS` and its name in `ProviderName`.
"""

from __future__ import annotations

from typing import Literal

from centralized_ml_api.record import record

ProviderApi = Literal[
    "openai-chat", "openai-completions", "openai-responses", "anthropic-messages", "openai-embeddings"
]
"""The APIs that a provider may speak: those with a path under `/v1`."""

USUAL_APIS: tuple[ProviderApi, ...] = ("openai-chat",)
"""What is served of a provider's model unless the config says otherwise.

`openai-responses` must be asked for: it reaches files and earlier responses of the customer's account.
"""

ProviderName = Literal[
    "openai",
    "anthropic",
    "gemini",
    "azure",
    "openrouter",
    "groq",
    "mistral",
    "together",
    "fireworks",
    "deepseek",
    "xai",
    "huggingface",
]


@record
class Preset:
    """One provider.

    Attributes:
        source: The provider's page that says all this.
        url: Its base address; None where every customer has one of their own.
        header: The request header that takes the key, in lower case.
        prefix: What precedes the key there.
        limit_key: How a chat names the most tokens of an answer, where its body names no number.
        takes_stream_options: Whether `stream_options.include_usage` makes a stream end with its tokens.
        key_path: Below the address, what answers to a valid key alone; None where nothing does.
        lists_models: Whether `/models` has the names that calls use.
        models_query: What makes `/models` list all of them at once.
        headers: Other request headers that its API needs, in lower case, each with its value.
    """

    source: str
    url: str | None = None
    header: str = "authorization"
    prefix: str = "Bearer "
    limit_key: str = "max_tokens"
    takes_stream_options: bool = False
    key_path: str | None = "/models"
    lists_models: bool = True
    models_query: str = ""
    headers: tuple[tuple[str, str], ...] = ()


_NEW_LIMIT = "max_completion_tokens"

PRESETS: dict[ProviderName, Preset] = {
    "openai": Preset(
        "https://platform.openai.com/docs/api-reference",
        "https://api.openai.com/v1",
        limit_key=_NEW_LIMIT,
        takes_stream_options=True,
    ),
    "anthropic": Preset(
        "https://platform.claude.com/docs/en/cli-sdks-libraries/libraries/openai-sdk",
        "https://api.anthropic.com/v1",
        takes_stream_options=True,
    ),
    "gemini": Preset(
        "https://ai.google.dev/gemini-api/docs/openai",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        takes_stream_options=True,
        lists_models=False,
    ),
    "azure": Preset(
        "https://learn.microsoft.com/en-us/azure/foundry/openai/api-version-lifecycle",
        header="api-key",
        prefix="",
        limit_key=_NEW_LIMIT,
        takes_stream_options=True,
        lists_models=False,
    ),
    "openrouter": Preset(
        "https://openrouter.ai/docs/api-reference/overview", "https://openrouter.ai/api/v1", key_path="/key"
    ),
    "groq": Preset(
        "https://console.groq.com/docs/openai", "https://api.groq.com/openai/v1", limit_key=_NEW_LIMIT
    ),
    "mistral": Preset("https://docs.mistral.ai/api/", "https://api.mistral.ai/v1"),
    "together": Preset(
        "https://docs.together.ai/docs/openai-api-compatibility", "https://api.together.xyz/v1"
    ),
    "fireworks": Preset(
        "https://docs.fireworks.ai/tools-sdks/openai-compatibility",
        "https://api.fireworks.ai/inference/v1",
        lists_models=False,
    ),
    "deepseek": Preset(
        "https://api-docs.deepseek.com/", "https://api.deepseek.com/v1", takes_stream_options=True
    ),
    "xai": Preset(
        "https://docs.x.ai/docs/api-reference",
        "https://api.x.ai/v1",
        limit_key=_NEW_LIMIT,
    ),
    "huggingface": Preset(
        "https://huggingface.co/docs/inference-providers/index",
        "https://router.huggingface.co/v1",
        key_path=None,
        lists_models=False,
    ),
}
"""All of them, in the order in which they are listed."""

ANTHROPIC_NATIVE = Preset(
    "https://platform.claude.com/docs/en/api/overview",
    "https://api.anthropic.com/v1",
    header="x-api-key",
    prefix="",
    models_query="?limit=1000",
    headers=(("anthropic-version", "2023-06-01"),),
)
"""Anthropic in its own API, which takes the key otherwise than its copy of OpenAI's."""

OTHER_SERVER = Preset("https://platform.openai.com/docs/api-reference", takes_stream_options=True)
"""Any other server that speaks OpenAI's API: vLLM, Ollama, LiteLLM, another API of this program."""


def find_preset(name: ProviderName | None, apis: tuple[ProviderApi, ...] = USUAL_APIS) -> Preset:
    """Returns what holds for a provider in these APIs; without a name, for any other server. Pure."""
    if name == "anthropic" and apis == ("anthropic-messages",):
        return ANTHROPIC_NATIVE
    return PRESETS[name] if name else OTHER_SERVER
