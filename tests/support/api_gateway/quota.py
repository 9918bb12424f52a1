"""How often API Gateway itself may be asked: a fixed quota of the account, which nobody can raise.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

REQUESTS_PER_SECOND, BURST = 10, 40

SECONDS_APART = {
    "CreateApiKey": 0.2,
    "CreateDeployment": 5.0,
    "DeleteApiKey": 0.2,
    "UpdateAccount": 20.0,
    "UpdateUsagePlan": 20.0,
}
"""Operations with a quota of their own."""


class TooManyRequestsError(Exception):
    """What API Gateway answers with 429 `TooManyRequestsException`."""


@dataclass
class ControlPlaneQuota:
    """A bucket of tokens for all operations, and the last instant of those with a quota of their own.

    `clock` is in seconds; `refused` counts what was refused.
    """

    clock: Callable[[], float] = time.monotonic
    refused: int = 0
    admitted: int = 0
    _tokens: float = BURST
    _filled: float | None = None
    _last: defaultdict[str, float] = field(default_factory=lambda: defaultdict(lambda: float("-inf")))

    def admit(self, operation: str) -> None:
        """Takes one call of an operation.

        Raises:
            TooManyRequestsError: it comes too soon.
        """
        now = self.clock()
        passed = 0.0 if self._filled is None else now - self._filled
        self._tokens, self._filled = min(BURST, self._tokens + passed * REQUESTS_PER_SECOND), now
        if self._tokens < 1 or now - self._last[operation] < SECONDS_APART.get(operation, 0):
            self.refused += 1
            raise TooManyRequestsError(operation)
        self._tokens -= 1
        self._last[operation] = now
        self.admitted += 1
