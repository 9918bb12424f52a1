"""What each engine of `local` is, said once: a class for each engine, and a row of `ENGINES`. Pure.

Whoever decides something by the engine asks these classes. How its server is started here is in the module of
`local/servers/` that has the engine's name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import urljoin, urlsplit

from centralized_ml_api.config.schema import THREADS_VARIABLE, Local, Speaks
from centralized_ml_api.config.weights import Weights, parse_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

SPOKEN_AT: dict[str, Speaks] = {
    "/v1/chat/completions": "openai-chat",
    "/v1/embeddings": "openai-embeddings",
}
"""A server that takes calls at one of these paths says by it what it speaks."""

CHAT_SAMPLE = {"messages": [{"role": "user", "content": "What is AWS?"}], "max_tokens": 64}

LLAMA_CPP_PLACES = 4
"""How many conversations one llama.cpp holds at once; each keeps a cache for the whole context in memory."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Serving(ABC):
    """How one machine serves an entry, as decided. What is said here holds unless an engine says otherwise.

    The fields of an engine have the names of its keys in the config.

    Attributes:
        speaks: The bodies that every server of the engine takes, whatever the config says.
        sample: A body that works with every server of the engine.
        reads_json: Whether the server parses a body by its `Content-Type`, so that all must be JSON.
        runs_here: Whether a process of this machine serves it, which this program starts.
        installs_packages: Whether it has packages that are installed before it starts.
    """

    speaks: ClassVar[tuple[Speaks, ...]] = ()
    sample: ClassVar[Any] = None
    reads_json: ClassVar[bool] = False
    runs_here: ClassVar[bool] = True
    installs_packages: ClassVar[bool] = False

    @property
    @abstractmethod
    def engine(self) -> str:
        """The name of the engine in the config."""

    @property
    @abstractmethod
    def summary(self) -> str:
        """What `mlapi plan` shows of it, without the engine."""

    @property
    def path(self) -> str:
        """The path, and the query where there is one, at which the server takes calls."""
        return "/invocations"

    @property
    def ping_path(self) -> str:
        """The path that answers 2xx once the server is ready, where it runs here."""
        return "/ping"

    @property
    def weights_to_fetch(self) -> Weights | None:
        """The weights that must be on this machine before it starts."""
        return getattr(self, "weights", None)

    @property
    def waits_for_pull(self) -> bool:
        """Whether only `mlapi pull NAME` fetches the weights."""
        return getattr(self, "fetch", "auto") == "manual"

    @property
    def code_folder(self) -> Path | None:
        """The absolute folder of the user's code that it runs: a change in it is a change of the service."""
        return getattr(self, "code", None)

    def find_speaks(self, endpoint: Speaks | None) -> tuple[Speaks, ...]:
        """Returns the bodies that the server takes, as far as its engine or its path says.

        Args:
            endpoint: what the config says of the entry's SageMaker endpoint.
        """
        del endpoint
        by_path = SPOKEN_AT.get(urlsplit(self.path).path)
        return self.speaks or ((by_path,) if by_path else ())

    def find_fault(self) -> str | None:
        """Returns why it cannot be served whatever is done on this machine; None when it can."""
        return None

    def places(self, environment: Mapping[str, str]) -> int | None:
        """Returns how many requests one process answers at once; None where nobody knows.

        Args:
            environment: the entry's `local.environment`.
        """
        del environment
        return None


@dataclass(frozen=True, slots=True)
class LlamaCppServing(Serving):
    """llama.cpp's own server on one file of weights; `context` in tokens for one conversation.

    The server parses what `curl -d` calls a form as one, in vain, and refuses it from one megabyte on.
    """

    weights: Weights
    context: int
    fetch: Literal["auto", "manual"]
    engine: Literal["llama.cpp"] = "llama.cpp"

    speaks: ClassVar[tuple[Speaks, ...]] = ("openai-chat",)
    sample: ClassVar[Any] = CHAT_SAMPLE
    reads_json: ClassVar[bool] = True

    @property
    def summary(self) -> str:
        """The file's own name, and the tokens."""
        return f"{self.weights.written.partition('#')[0].rpartition('/')[2]}, {self.context} tokens"

    @property
    def path(self) -> str:
        """OpenAI's."""
        return "/v1/chat/completions"

    @property
    def ping_path(self) -> str:
        """Its own."""
        return "/health"

    def places(self, environment: Mapping[str, str]) -> int:
        """Returns how many conversations it holds at once; more requests wait inside the server."""
        del environment
        return LLAMA_CPP_PLACES


@dataclass(frozen=True, slots=True)
class PythonServing(Serving):
    """`code` is an absolute folder with `inference.py`; `weights` a file or a folder, where there are any."""

    code: Path
    weights: Weights | None
    fetch: Literal["auto", "manual"]
    engine: Literal["python"] = "python"

    installs_packages: ClassVar[bool] = True

    @property
    def summary(self) -> str:
        """The folder's own name."""
        return self.code.name

    def places(self, environment: Mapping[str, str]) -> int:
        """Returns its number of model threads: one, unless the environment asks for more.

        Raises:
            ValueError: the environment asks for something else than a number, which `check` refuses.
        """
        return int(environment.get(THREADS_VARIABLE, 1))


@dataclass(frozen=True, slots=True)
class CommandServing(Serving):
    """A program that serves HTTP; `{port}` in an argument stands for the port it must listen on."""

    run: tuple[str, ...]
    ping: str
    invocations: str
    engine: Literal["command"] = "command"

    @property
    def summary(self) -> str:
        """The command."""
        return " ".join(self.run)

    @property
    def path(self) -> str:
        """As configured."""
        return self.invocations

    @property
    def ping_path(self) -> str:
        """As configured."""
        return self.ping


@dataclass(frozen=True, slots=True)
class UrlTarget:
    """The server of an address. Without `ping_url` it is ready when its port accepts a connection."""

    host: str
    port: int
    tls: bool
    ping_url: str | None


@dataclass(frozen=True, slots=True)
class UrlServing(Serving):
    """A server that already runs; `ping` may be a path on it or an address of its own."""

    url: str
    ping: str | None
    engine: Literal["url"] = "url"

    runs_here: ClassVar[bool] = False

    @property
    def summary(self) -> str:
        """The address."""
        return self.url

    @property
    def path(self) -> str:
        """That of the address."""
        parts = urlsplit(self.url)
        return f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"

    @property
    def target(self) -> UrlTarget:
        """The address, taken apart.

        Raises:
            ValueError: it is not an http or https address; the message says what is wrong.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise ValueError(f"{self.url} is not an http:// or https:// address")
        if parts.username or parts.password:
            raise ValueError("the address may not carry a user name or a password")
        return UrlTarget(
            host=parts.hostname,
            port=parts.port or _DEFAULT_PORTS[parts.scheme],
            tls=parts.scheme == "https",
            ping_url=urljoin(self.url, self.ping) if self.ping else None,
        )

    def find_fault(self) -> str | None:
        """Returns what is wrong with the address."""
        try:
            _ = self.target
        except ValueError as error:
            return str(error)
        return None


@dataclass(frozen=True, slots=True)
class SageMakerServing(Serving):
    """The real endpoint, called with the user's own AWS credentials; it speaks the same on both targets."""

    region: str | None
    engine: Literal["sagemaker"] = "sagemaker"

    runs_here: ClassVar[bool] = False

    @property
    def summary(self) -> str:
        """The region."""
        return self.region or "the region of your AWS settings"

    def find_speaks(self, endpoint: Speaks | None) -> tuple[Speaks, ...]:
        """Returns what the endpoint speaks."""
        return (endpoint,) if endpoint else ()


ENGINES: dict[str, type[Serving]] = {
    "llama.cpp": LlamaCppServing,
    "python": PythonServing,
    "command": CommandServing,
    "url": UrlServing,
    "sagemaker": SageMakerServing,
}


def build_serving(written: Local, code_folders: Mapping[str, Path]) -> Serving:
    """Builds the decided form of a `local` block, whose fields are its keys.

    Args:
        written: the block; its weights are known to be well-formed.
        code_folders: the absolute folder of each `code` that the config writes.
    """
    engine: Any = ENGINES[written.engine]
    names = [field.name for field in fields(engine)]
    decided: Serving = engine(**{name: _decide(name, getattr(written, name), code_folders) for name in names})
    return decided


def _decide(name: str, value: Any, code_folders: Mapping[str, Path]) -> Any:
    if name == "weights":
        return parse_weights(value) if value else None
    if name == "code":
        return code_folders[value]
    return tuple(value) if isinstance(value, list) else value
