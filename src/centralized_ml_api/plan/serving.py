"""Defines what one machine must know of an engine: `Serving`, which each class of `engines` extends. Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from centralized_ml_api.config.providers import OTHER_SERVER
from centralized_ml_api.plan.apis import SPOKEN_AT, find_server_path, find_translated
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from centralized_ml_api.config.schema import (  # noqa: TC004  # nothing reads the annotations
        ServerSpeaks,
        Speaks,
    )
    from centralized_ml_api.config.weights import Weights
    from centralized_ml_api.plan.apis import ModelApi, ServerApi


@record
class Serving(ABC):
    """Describes how one machine serves an entry. The defaults here hold unless an engine overrides them.

    The fields of an engine have the names of its keys in the config.

    Attributes:
        speaks: The APIs that every server of the engine speaks, whatever the config says.
        reads_json: Whether the server parses bodies by their `Content-Type`, so that the type must be JSON.
        runs_here: Whether this program starts the server, on this machine.
        installs_packages: Whether packages are installed before the server starts.
        keeps_connections: Whether its servers say so before they close a connection, so that it can take more
            than one call. None if that is to be asked, since the program is not ours.
        limits_output: Whether answers are kept to the entry's `max_output_tokens`.
        is_translated: Whether other APIs than its own are offered for it, by translation.
        is_hosted: Whether somebody else hosts the model; the entry's own path is then that of an API.
        body_rules: The engine whose rules keep its JSON bodies from harming it; empty where there are none.
        answer_tokens: The longest answer for which nobody has a number, where a team's tokens are limited.
    """

    speaks: ClassVar[tuple[ServerSpeaks, ...]] = ()
    reads_json: ClassVar[bool] = False
    runs_here: ClassVar[bool] = True
    installs_packages: ClassVar[bool] = False
    keeps_connections: ClassVar[bool | None] = None
    limits_output: ClassVar[bool] = False
    is_translated: ClassVar[bool] = False
    is_hosted: ClassVar[bool] = False
    body_rules: ClassVar[str] = ""
    answer_tokens: ClassVar[int] = 4096

    @property
    def needs_translator(self) -> bool:
        """Whether nothing but the translator can call it."""
        return False

    @property
    def limit_key(self) -> str:
        """How a chat names the most tokens of an answer, where its body names no number."""
        return OTHER_SERVER.limit_key

    @property
    def takes_stream_options(self) -> bool:
        """Whether `stream_options.include_usage` makes a stream end with its tokens."""
        return OTHER_SERVER.takes_stream_options

    @property
    def body_limit_bytes(self) -> int | None:
        """The largest body of a call, where the engine needs a lower limit than the API has.

        None else does: a Python model bounds what it reads, other servers are not ours to judge, and what
        AWS takes, it limits itself.
        """
        return None

    @property
    def context_length(self) -> int | None:
        """The size of a conversation in tokens, where that is known."""
        return None

    @property
    def sees(self) -> bool | None:
        """Whether its model sees pictures; None if nobody knows."""
        return None

    @property
    def sample(self) -> Any:
        """A body that works with the server; None where nobody knows one."""
        return None

    @property
    @abstractmethod
    def engine(self) -> str:
        """The name of the engine in the config."""

    @property
    @abstractmethod
    def summary(self) -> str:
        """What `mlapi plan` shows beside the name of the engine."""

    @property
    def path(self) -> str:
        """The path of the server to which requests are sent, with a query if there is one."""
        return "/invocations"

    def path_of(self, api: ModelApi, path: str, *, is_first: bool) -> str:
        """Returns where the server takes the calls of a path under `/v1`.

        Args:
            api: The API.
            path: One of the API's paths.
            is_first: Whether the API is the first that the server speaks.
        """
        return find_server_path(self.path, api, path, is_first=is_first)

    @property
    def ping_path(self) -> str:
        """The path that answers 2xx once the server is ready. Used only if it runs here."""
        return "/ping"

    @property
    def work_path(self) -> str | None:
        """A path that answers only if the server works off its requests; None if there is none."""
        return None

    @property
    def about_path(self) -> str | None:
        """A path at which the server describes its model as a JSON object; None if there is none."""
        return None

    @property
    def weights_to_fetch(self) -> tuple[Weights, ...]:
        """The weights that must be on this machine before the server starts."""
        weights = getattr(self, "weights", None)
        return () if weights is None else (weights,)

    @property
    def waits_for_pull(self) -> bool:
        """Whether only `mlapi pull NAME` downloads the weights."""
        return getattr(self, "fetch", "auto") == "manual"

    @property
    def code_folder(self) -> Path | None:
        """The absolute folder of the user's code, if there is any: an edit in it restarts the service."""
        return getattr(self, "code", None)

    def find_speaks(self, endpoint: Speaks | None) -> tuple[ServerSpeaks, ...]:
        """Returns the APIs that the server speaks, as far as its engine or its path tells.

        Args:
            endpoint: The API of the entry's SageMaker endpoint, by the config.
        """
        del endpoint
        by_path = SPOKEN_AT.get(urlsplit(self.path).path)
        return self.speaks or ((by_path,) if by_path else ())

    def find_translated(self, spoken: Collection[ServerSpeaks]) -> dict[ServerSpeaks, ServerApi]:
        """Returns the APIs that it has by translation, each with the one that the server is asked in.

        Args:
            spoken: The APIs that the server speaks.
        """
        return {**find_translated(spoken)} if self.is_translated else {}

    def takes_tools(self, about: Mapping[str, Any]) -> bool | None:
        """Returns whether the model can call tools; None where nobody knows.

        Args:
            about: What the server says at its `about_path`.
        """
        del about
        return None

    def find_fault(self) -> str | None:
        """Returns why this machine cannot serve it, whatever is installed; None if it can."""
        return None

    def places(self, environment: Mapping[str, str]) -> int | None:
        """Returns how many requests one process answers at once; None where nobody knows.

        Args:
            environment: The entry's `local.environment`.
        """
        del environment
        return None
