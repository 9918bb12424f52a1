"""What the rules look at: the read file and the little of the world that a rule may know."""

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
    from collections.abc import Iterable


Table = Node[dict[str, Any]]


@dataclass(frozen=True)
class Context:
    """A document to check.

    Args:
        document: what was read; its shape may be wrong anywhere.
        folders: where relative paths may lead: the project root, the config's folder.
        now: the present instant, with a zone.
        region: the region that the config will be deployed to, where it is known.
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
    def models(self) -> list[Table]:
        """The models that are objects."""
        return self.root.tables("models")

    @cached_property
    def entries(self) -> list[Table]:
        """The models and endpoints that are objects, in file order of each."""
        return [*self.models, *self.root.tables("endpoints")]

    @cached_property
    def integrations(self) -> list[Table]:
        """The `integration` objects."""
        return present(entry.table("integration") for entry in self.entries)

    @cached_property
    def functions(self) -> list[Table]:
        """The `properties` objects of `lambda` integrations."""
        return present(one.table("properties") for one in self.integrations if is_lambda(one))

    @cached_property
    def event(self) -> Table | None:
        """The `event` object."""
        return self.root.table("event")

    @cached_property
    def teams(self) -> list[Table]:
        """The teams that are objects."""
        return self.event.tables("teams") if self.event else []

    def locals(self, *engines: str) -> list[Table]:
        """The `local` objects of these engines."""
        found = present(entry.table("local") for entry in self.entries)
        return [
            one
            for one in found
            if isinstance(one.value.get("engine"), str) and one.value["engine"] in engines
        ]


def is_lambda(integration: Table) -> bool:
    """Whether a function stands between the API and the model."""
    return integration.value.get("type") == "lambda"


def given(entry: Table, keys: tuple[str, ...]) -> list[str]:
    """Which of the keys the object has; a misspelt one counts, since it is reported as such."""
    kind = kind_at(entry.document, entry.path)
    known = keys_of(kind) if kind else {}
    misspelt = {nearest(key, known) for key in entry.value if key not in known}
    return [key for key in keys if key in entry.value or key in misspelt]


def present(tables: Iterable[Table | None]) -> list[Table]:
    """Those that are there."""
    return [table for table in tables if table is not None]
