"""Defines each engine of `local`: a class per engine, and its row in `ENGINES`. Pure.

All decisions that depend on the engine ask these classes. How its server is started is in the module of
`local/servers/` that has the engine's name.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import urlsplit

from centralized_ml_api.config.schema import (
    LLAMA_CPP_PLACES,
    THREADS_VARIABLE,
    BedrockServer,
    Local,
    ProviderServer,
    ServerSpeaks,
    Speaks,
)
from centralized_ml_api.config.weights import Weights, parse_weights
from centralized_ml_api.plan.apis import CHAT, MEDIA_APIS, ModelApi
from centralized_ml_api.plan.bedrock import BedrockServing, build_bedrock_serving
from centralized_ml_api.plan.provider import ProviderServing, build_provider_serving
from centralized_ml_api.plan.serving import Serving
from centralized_ml_api.plan.url_target import UrlTarget, parse_url_target
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEDIA = frozenset(api.name for api in MEDIA_APIS)

CHAT_SAMPLE = {"messages": [{"role": "user", "content": "What is AWS?"}], "max_tokens": 64}

LLAMA_CPP_ANSWER_TOKENS = 512
"""The longest answer of llama.cpp if neither the request nor the entry names a number.

A small model sometimes finds no end: a request without `max_tokens` must not run into the API's timeout.
"""

BODY_BYTES_BASE = 256 * 1024
"""What a chat call may have besides its prompt: tools and schemas."""

BODY_BYTES_PER_TOKEN = 64
"""Twice what a token has at most on average, since JSON writes some characters in six bytes."""


@record
class LlamaCppAdapter:
    """A LoRA adapter, and how strongly it changes the model."""

    weights: Weights
    scale: float


@record
class LlamaCppServing(Serving):
    """Serves one file of weights with llama.cpp's own server; `context` is in tokens for each conversation.

    `parallel` conversations are computed at once. With a `projector` the model sees pictures. `flags` are the
    server's own, as its documentation spells them.

    The server would parse a body that `curl -d` declares as a form, and refuse it above one megabyte. After a
    stream, its HTTP library closes the connection unannounced.
    """

    weights: Weights
    context: int
    fetch: Literal["auto", "manual"]
    share_prompts: bool = True
    parallel: int = LLAMA_CPP_PLACES
    gpu_layers: int | None = None
    projector: Weights | None = None
    adapters: tuple[LlamaCppAdapter, ...] = ()
    flags: tuple[str, ...] = ()
    engine: Literal["llama.cpp"] = "llama.cpp"

    speaks: ClassVar[tuple[ServerSpeaks, ...]] = (
        "openai-chat",
        "openai-completions",
        "openai-responses",
        "anthropic-messages",
    )
    reads_json: ClassVar[bool] = True
    keeps_connections: ClassVar[bool | None] = False
    limits_output: ClassVar[bool] = True
    body_rules: ClassVar[str] = "llama.cpp"
    answer_tokens: ClassVar[int] = LLAMA_CPP_ANSWER_TOKENS

    @property
    def sample(self) -> Any:
        """A short chat."""
        return CHAT_SAMPLE

    @property
    def body_limit_bytes(self) -> int | None:
        """The largest body of a call, which follows from what the context can hold.

        A prompt that is too long is refused once it is all tokens, for which llama.cpp takes a hundred times
        its size. Pictures have few tokens and many bytes, so a model that sees them has the API's own limit.
        """
        if self.sees:
            return None
        return BODY_BYTES_BASE + BODY_BYTES_PER_TOKEN * self.context

    @property
    def context_length(self) -> int | None:
        """The size of a conversation in tokens."""
        return self.context

    @property
    def sees(self) -> bool:
        """Whether it has a projector."""
        return self.projector is not None

    @property
    def summary(self) -> str:
        """The name of the weights file and the size of the context in tokens."""
        return f"{self.weights.written.partition('#')[0].rpartition('/')[2]}, {self.context} tokens"

    @property
    def path(self) -> str:
        """The path of OpenAI's chat API."""
        return CHAT.paths[0]

    @property
    def ping_path(self) -> str:
        """The path of llama.cpp's own health check."""
        return "/health"

    @property
    def work_path(self) -> str | None:
        """The path of its statistics: its main loop answers there, while its health check does not ask it."""
        return "/metrics"

    @property
    def about_path(self) -> str | None:
        """The path of its properties, those of the chat template among them."""
        return "/props"

    def takes_tools(self, about: Mapping[str, Any]) -> bool | None:
        """Returns whether the chat template shows tools to the model; llama.cpp drops them otherwise.

        Source: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md (GET /props)
        """
        capabilities = about.get("chat_template_caps")
        takes = capabilities.get("supports_tools") if isinstance(capabilities, dict) else None
        return takes if isinstance(takes, bool) else None

    def places(self, environment: Mapping[str, str]) -> int:
        """Returns how many conversations it holds at once; more requests wait inside the server."""
        del environment
        return self.parallel

    @property
    def weights_to_fetch(self) -> tuple[Weights, ...]:
        """The model, its projector, its adapters."""
        projectors = () if self.projector is None else (self.projector,)
        return (self.weights, *projectors, *(adapter.weights for adapter in self.adapters))


@record
class PythonServing(Serving):
    """Serves the absolute folder `code`, which has an `inference.py`, with or without `weights`."""

    code: Path
    weights: Weights | None
    fetch: Literal["auto", "manual"]
    engine: Literal["python"] = "python"

    installs_packages: ClassVar[bool] = True
    keeps_connections: ClassVar[bool | None] = True

    @property
    def summary(self) -> str:
        """The name of the code folder."""
        return self.code.name

    def path_of(self, api: ModelApi, path: str, *, is_first: bool) -> str:
        """Returns where the server takes the calls of a path under `/v1`.

        It translates those of speech and images for `inference.py`; all others get there as they are.
        """
        del is_first
        return path if api in MEDIA_APIS else self.path

    def places(self, environment: Mapping[str, str]) -> int:
        """Returns its number of model threads: one, unless the environment asks for more.

        Raises:
            ValueError: The environment asks for something else than a number, which `check` refuses.
        """
        return int(environment.get(THREADS_VARIABLE, 1))


@record
class CommandServing(Serving):
    """Runs a program that serves HTTP; `{port}` in an argument stands for the port to listen on."""

    run: tuple[str, ...]
    ping: str
    invocations: str
    model: str | None = None
    engine: Literal["command"] = "command"

    @property
    def summary(self) -> str:
        """The command and its arguments."""
        return " ".join(self.run)

    @property
    def path(self) -> str:
        """`invocations` of the config."""
        return self.invocations

    @property
    def ping_path(self) -> str:
        """`ping` of the config."""
        return self.ping


@record
class UrlServing(Serving):
    """Forwards to a server that already runs; `ping` may be a path on that server or another URL."""

    url: str
    ping: str | None
    model: str | None = None
    engine: Literal["url"] = "url"

    runs_here: ClassVar[bool] = False
    is_translated: ClassVar[bool] = True

    @property
    def summary(self) -> str:
        """The URL."""
        return self.url

    @property
    def path(self) -> str:
        """The path and query of the URL."""
        parts = urlsplit(self.url)
        return f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"

    @property
    def target(self) -> UrlTarget:
        """The parts of the URL.

        Raises:
            ValueError: It is not an http or https address; the message says what is wrong.
        """
        return parse_url_target(self.url, self.ping)

    def find_fault(self) -> str | None:
        """Returns what is wrong with the URL; None if it is valid."""
        try:
            _ = self.target
        except ValueError as error:
            return str(error)
        return None


@record
class SageMakerServing(Serving):
    """Calls the real endpoint with the user's own AWS credentials; it speaks the same API on both targets."""

    region: str | None
    engine: Literal["sagemaker"] = "sagemaker"

    runs_here: ClassVar[bool] = False

    @property
    def summary(self) -> str:
        """The region."""
        return self.region or "the region of your AWS settings"

    def find_speaks(self, endpoint: Speaks | None) -> tuple[ServerSpeaks, ...]:
        """Returns the API of the endpoint, if the config names it.

        Nothing here tells a container which of the APIs of speech and images is meant, as AWS's must be told.
        """
        return (endpoint,) if endpoint and endpoint not in _MEDIA else ()


ENGINES: dict[str, type[Serving]] = {
    "llama.cpp": LlamaCppServing,
    "python": PythonServing,
    "command": CommandServing,
    "url": UrlServing,
    "sagemaker": SageMakerServing,
    "provider": ProviderServing,
    "bedrock": BedrockServing,
}


def build_serving(written: Local, code_folders: Mapping[str, Path]) -> Serving:
    """Builds the `Serving` of a `local` block, whose fields are the keys of the block.

    Args:
        written: The block; its weights are known to be well-formed.
        code_folders: The absolute folder of each `code` that the config writes.
    """
    if isinstance(written, ProviderServer):
        return build_provider_serving(written)
    if isinstance(written, BedrockServer):
        return build_bedrock_serving(written)
    engine: Any = ENGINES[written.engine]
    names = [field.name for field in fields(engine)]
    decided: Serving = engine(**{name: _decide(name, getattr(written, name), code_folders) for name in names})
    return decided


def _decide(name: str, value: Any, code_folders: Mapping[str, Path]) -> Any:
    if name in {"weights", "projector"}:
        return parse_weights(value) if value else None
    if name == "adapters":
        return tuple(LlamaCppAdapter(parse_weights(adapter.weights), adapter.scale) for adapter in value)
    if name == "code":
        return code_folders[value]
    return tuple(value) if isinstance(value, list) else value
