"""A Lambda function of a stack that an organizer works on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support.aws_wire import Answer, refusal

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class FakeFunction:
    """A Lambda function whose variables organizers change.

    Of the next `busy` changes, another organizer is faster. An update is under way until somebody has asked
    `updating` times how that goes.
    """

    name: str
    variables: dict[str, str]
    revision: int = 1
    busy: int = 0
    updating: int = 0

    def serve(self) -> dict[str, Callable[[str], Answer]]:
        """What the wire answers to calls of it."""
        path = f"/2015-03-31/functions/{self.name}"
        return {
            f"lambda.GET {path}/configuration": lambda _: Answer(200, self._describe()),
            f"lambda.PUT {path}/configuration": self._change,
            f"lambda.GET {path}": lambda _: Answer(200, {"Configuration": self._ask()}),
        }

    def _describe(self) -> dict[str, Any]:
        return {
            "Environment": {"Variables": self.variables},
            "RevisionId": str(self.revision),
            "LastUpdateStatus": "InProgress" if self.updating else "Successful",
        }

    def _ask(self) -> dict[str, Any]:
        described = self._describe()
        self.updating = max(0, self.updating - 1)
        return described

    def _change(self, body: str) -> Answer:
        wanted = json.loads(body)
        if self.updating:
            return refusal("ResourceConflictException", "An update is in progress for resource", 409)
        if self.busy:
            self.busy -= 1
            self.revision += 1
        if wanted["RevisionId"] != str(self.revision):
            return refusal("PreconditionFailedException", "The Revision Id provided does not match", 412)
        variables = wanted["Environment"]["Variables"]
        if len(json.dumps(variables)) > 4096:
            said = "the environment variables you have provided exceeded the 4KB limit. String measured: {}"
            return refusal(
                "InvalidParameterValueException", f"Lambda was unable to configure, because {said}"
            )
        self.variables = variables
        self.revision += 1
        return Answer(200, self._describe())
