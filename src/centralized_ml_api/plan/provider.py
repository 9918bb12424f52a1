"""Decides how one machine calls a model that a provider hosts: where, by which name, with which key. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import urlsplit

from centralized_ml_api.config.providers import (
    PRESETS,
    USUAL_APIS,
    Preset,
    ProviderApi,
    ProviderName,
    find_preset,
)
from centralized_ml_api.config.schema import EndpointEntry, ProviderKeys
from centralized_ml_api.plan.apis import CHAT, MODEL_APIS, ModelApi
from centralized_ml_api.plan.serving import Serving
from centralized_ml_api.plan.url_target import UrlTarget, parse_url_target
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from centralized_ml_api.config.schema import ModelEntry, ServerSpeaks, Speaks

_CHAT_SAMPLE = {"messages": [{"role": "user", "content": "What is AWS?"}]}
"""Without a limit: OpenAI's newer models refuse `max_tokens`, and others know no other word."""

_APIS = {api.name: api for api in MODEL_APIS}
_BASE = "/v1"
"""What the address of a provider stands for in the paths of `MODEL_APIS`."""


@record
class KeyPlace:
    """Where a provider's key is kept: `where` is the name of a variable or secret, or the path of a file."""

    kind: Literal["env", "file", "secret"]
    where: str

    @property
    def title(self) -> str:
        """The place in words, such as `the variable OPENAI_API_KEY`."""
        return f"{_KINDS[self.kind]} {self.where}"


_KINDS = {"env": "the variable", "file": "the file", "secret": "the secret"}


@record
class ProviderServing(Serving):
    """Calls the API of a provider with the organizer's key, which the gateway adds to each call.

    Attributes:
        url: The base address.
        model: The provider's name of the model.
        key: Where the key is kept; None for a server that takes calls without one.
        apis: What the model has there, one at least; the entry's own path has the first.
        name: The provider; None for any other server.
    """

    url: str
    model: str
    key: KeyPlace | None
    apis: tuple[ProviderApi, ...]
    name: ProviderName | None = None
    engine: Literal["provider"] = field(default="provider", init=False)

    runs_here: ClassVar[bool] = False
    reads_json: ClassVar[bool] = True
    limits_output: ClassVar[bool] = True
    is_translated: ClassVar[bool] = True
    is_hosted: ClassVar[bool] = True
    body_rules: ClassVar[str] = "provider"

    @property
    def title(self) -> str:
        """The provider's name, or the host where it has none."""
        return self.name or urlsplit(self.url).netloc

    @property
    def preset(self) -> Preset:
        """What is known of the provider."""
        return find_preset(self.name, self.apis)

    @property
    def limit_key(self) -> str:
        """The provider's own word."""
        return self.preset.limit_key

    @property
    def takes_stream_options(self) -> bool:
        """Whether the provider does."""
        return self.preset.takes_stream_options

    @property
    def summary(self) -> str:
        """The provider and its name of the model."""
        return f"{self.title}, {self.model}"

    @property
    def api(self) -> ModelApi:
        """The API that the entry's own path has."""
        return _APIS[self.apis[0]]

    @property
    def path(self) -> str:
        """The path of that API at the provider."""
        return self.path_of(self.api, self.api.paths[0], is_first=True)

    @property
    def target(self) -> UrlTarget:
        """The parts of the base address.

        Raises:
            ValueError: It is not an http or https address; the message says what is wrong.
        """
        return parse_url_target(self.url, None)

    def path_of(self, api: ModelApi, path: str, *, is_first: bool) -> str:
        """Returns where the provider takes the calls of a path under `/v1`: all of them below one address."""
        del api, is_first
        return f"{urlsplit(self.url).path.rstrip('/')}{path.removeprefix(_BASE)}"

    def find_speaks(self, endpoint: Speaks | None) -> tuple[ServerSpeaks, ...]:
        """Returns what the model has at the provider."""
        del endpoint
        return self.apis

    @property
    def sample(self) -> Any:
        """A short chat, if the model chats."""
        return _CHAT_SAMPLE if self.api is CHAT else None


def build_provider_serving(written: ProviderKeys) -> ProviderServing:
    """Builds it from a `provider` or from a `local` block, which is known to name an address.

    Args:
        written: What the config says.
    """
    said = written.speaks
    apis = tuple(said) if isinstance(said, list) else (said,) if said else USUAL_APIS
    url = written.url or (PRESETS[written.name].url if written.name else None) or ""
    return ProviderServing(url, written.model, _key_place(written), apis, written.name)


def find_provider(entry: ModelEntry | EndpointEntry) -> ProviderServing | None:
    """Returns the provider that one machine calls for the entry, if it calls one."""
    if entry.local is not None:
        return build_provider_serving(entry.local) if isinstance(entry.local, ProviderKeys) else None
    return find_provider_on_aws(entry)


def find_provider_on_aws(entry: ModelEntry | EndpointEntry) -> ProviderServing | None:
    """Returns the provider that AWS calls for the entry, whatever one machine does, if it calls one."""
    written = entry.provider if isinstance(entry, EndpointEntry) else None
    return build_provider_serving(written) if written else None


def _key_place(written: ProviderKeys) -> KeyPlace | None:
    if written.key is None:
        return None
    if written.key.env is not None:
        return KeyPlace("env", written.key.env)
    if written.key.file is not None:
        return KeyPlace("file", written.key.file)
    return KeyPlace("secret", written.key.secret or "")
