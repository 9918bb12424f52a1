"""A model as SageMaker's API knows it."""

from __future__ import annotations

from typing import Protocol


class Endpoint(Protocol):
    """A named model with replicas that come and go."""

    @property
    def name(self) -> str:
        """The endpoint name."""
        ...

    @property
    def invocations_path(self) -> str:
        """The path at a replica that takes calls, such as `/invocations`."""
        ...

    def pick(self) -> str | None:
        """The base URL of a replica that is ready, such as `http://127.0.0.1:9001`; None when none is.

        Asked anew for each attempt: a replica that refuses connections should not be picked again at once.
        """
        ...

    def why_unavailable(self) -> str:
        """Why `pick` gives None, for the caller."""
        ...
