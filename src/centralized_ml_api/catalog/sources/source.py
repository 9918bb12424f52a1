"""The interface of every source of specs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from centralized_ml_api.catalog.facts import Fidelity, Source
from centralized_ml_api.catalog.spec import Spec
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.catalog.manifest import Row


@record
class Found:
    """A spec, where it is from, and whether it is complete."""

    spec: Spec
    source: Source
    fidelity: Fidelity = "full"


class SpecSource(Protocol):
    """A list of models, and the spec of each."""

    def rows(self, region: str) -> Sequence[Row]:
        """Returns every version of every model of a region.

        Raises:
            SourceError: The source cannot be asked; the next one is.
        """
        ...

    def read(self, row: Row, region: str) -> Found:
        """Returns the spec of one of those rows.

        Raises:
            SourceError: The source cannot be asked; the next one is.
        """
        ...
