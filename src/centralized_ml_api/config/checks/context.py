"""What a check may look at: the document, and the little of the world that a config depends on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.document.document import Document
from centralized_ml_api.config.document.node import Node
from centralized_ml_api.config.fields import keys_of, kind_at
from centralized_ml_api.config.wording import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


ObjectNode = Node[dict[str, Any]]


@dataclass(frozen=True)
class Context:
    """A document to check, whose shape may be wrong anywhere.

    Args:
        document: What was read.
        folders: Where relative paths may start, in order: the project root, the config's folder.
        now: The present instant, with a zone.
        region: The region that the config is deployed to, where it is known.
    """

    document: Document
    folders: tuple[Path, ...]
    now: datetime
    region: str | None = None

    @cached_property
    def root(self) -> Node[Any]:
        """The whole file."""
        return Node(self.document, (), self.document.value)

    @cached_property
    def models(self) -> list[ObjectNode]:
        """The models that are objects."""
        return self.root.objects("models")

    @cached_property
    def entries(self) -> list[ObjectNode]:
        """The models that are objects, then the endpoints that are."""
        return [*self.models, *self.root.objects("endpoints")]

    @cached_property
    def entry_names(self) -> list[str]:
        """The names of the entries, in their order."""
        return [name.value for entry in self.entries if (name := entry.string("name"))]

    @cached_property
    def integrations(self) -> list[ObjectNode]:
        """The `integration` objects."""
        return present(entry.object("integration") for entry in self.entries)

    @cached_property
    def functions(self) -> list[ObjectNode]:
        """The `properties` objects of `lambda` integrations."""
        return present(
            integration.object("properties") for integration in self.integrations if is_lambda(integration)
        )

    @cached_property
    def event(self) -> ObjectNode | None:
        """The `event` object."""
        return self.root.object("event")

    @cached_property
    def join(self) -> ObjectNode | None:
        """The `join` object of the event."""
        return self.event.object("join") if self.event else None

    @cached_property
    def has_teams(self) -> bool:
        """Whether calls need the key of a team: of one that is listed, or of one that will join."""
        event = self.event
        if event is None:
            return False
        teams = event.member("teams")
        is_listed = teams.value != [] if teams else bool(given(event, ("teams",)))
        return is_listed or bool(given(event, ("join",)))

    @cached_property
    def teams(self) -> list[ObjectNode]:
        """The teams that are objects, and the limits of teams that join."""
        limits = self.join.object("limits") if self.join else None
        return [*(self.event.objects("teams") if self.event else []), *present([limits])]

    @cached_property
    def locals(self) -> list[ObjectNode]:
        """The `local` objects."""
        return present(entry.object("local") for entry in self.entries)

    @cached_property
    def providers(self) -> list[ObjectNode]:
        """The objects that say which provider hosts a model: `provider`, and `local` with that engine."""
        hosted = [entry.object("provider") for entry in self.root.objects("endpoints")]
        return [*present(hosted), *self.locals_of("provider")]

    def locals_of(self, engine: str) -> list[ObjectNode]:
        """Returns the `local` objects with this engine, for the rules that are its own."""
        return [local for local in self.locals if local.value.get("engine") == engine]

    def locals_with(self, key: str) -> list[ObjectNode]:
        """Returns the `local` objects whose engine has this key, whether they have it or not."""
        kinds = ((local, kind_at(self.document, local.path)) for local in self.locals)
        return [local for local, kind in kinds if kind and key in keys_of(kind)]


def is_lambda(integration: ObjectNode) -> bool:
    """Returns whether a function stands between the API and the model."""
    return integration.value.get("type") == "lambda"


def given(node: ObjectNode, keys: tuple[str, ...]) -> list[str]:
    """Returns which of the keys the object has; a misspelt one counts, since it is reported as such."""
    kind = kind_at(node.document, node.path)
    known = keys_of(kind) if kind else {}
    misspelt = {nearest(key, known) for key in node.value if key not in known}
    return [key for key in keys if key in node.value or key in misspelt]


def repeated(
    nodes: Iterable[Node[str]], key: Callable[[str], str] = str
) -> Iterator[tuple[Node[str], Node[str]]]:
    """Yields each node whose value an earlier one has, together with the first that has it.

    Two values are the same if their `key` is.
    """
    first: dict[str, Node[str]] = {}
    for node in nodes:
        earlier = first.setdefault(key(node.value), node)
        if earlier is not node:
            yield node, earlier


def present(nodes: Iterable[ObjectNode | None]) -> list[ObjectNode]:
    """Returns those that are not None."""
    return [node for node in nodes if node is not None]
