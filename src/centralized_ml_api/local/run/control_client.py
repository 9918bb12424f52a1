"""Asks the `mlapi` that serves, by what `control` answers. Imports no server: `status` is asked often."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import urllib3

from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.errors import MlApiError, NotRunningError, UsageError
from centralized_ml_api.local.status import LocalStatus
from centralized_ml_api.local.traffic.types import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from centralized_ml_api.local.machine.state_folder import Run

Told = TypeVar("Told")


class ControlClient:
    """Blocking calls to the serving process of `run`, which has the state folder `state`.

    Raises:
        NotRunningError: (every method) The process does not answer: it just ended, or does not listen yet.
        MlApiError: (every method) The process met an unexpected error, or is of another version of mlapi.
    """

    def __init__(self, run: Run, state: Path) -> None:
        self._run = run
        self._state = state
        self._http = urllib3.PoolManager(retries=False)

    def status(self) -> LocalStatus:
        """Returns how it is now."""
        return self._ask("/status", LocalStatus.from_json)

    def traffic(self) -> Traffic:
        """Returns what was called."""
        return self._ask("/traffic", Traffic.from_json)

    def board_link(self) -> str:
        """Returns the link to the organizer's screen; whoever has it can act as the organizer."""
        return self._ask("/board", lambda told: str(told["link"]))

    def reload(self, config: Path | None) -> dict[str, Any]:
        """Applies the config again, or that of another path; returns when that is done."""
        return self._call(
            "POST", "/reload", {"config": str(config) if config else None}, timeout_seconds=None
        )

    def wake(self, name: str) -> None:
        """Begins to wake an entry.

        Raises:
            UsageError: It cannot sleep, or there is none of that name.
        """
        self._order("/wake", name)

    def sleep(self, name: str) -> None:
        """Lets an entry sleep once its calls are over.

        Raises:
            UsageError: It cannot sleep, calls wait for it, or there is none of that name.
        """
        self._order("/sleep", name)

    def _order(self, path: str, name: str) -> None:
        answer = self._call("POST", path, {"name": name}, timeout_seconds=10)
        if "error" in answer:
            raise UsageError(answer["error"], fix=answer["fix"])

    def _ask(self, path: str, read: Callable[[dict[str, Any]], Told]) -> Told:
        value = self._call("GET", path, timeout_seconds=10)
        try:
            return read(value)
        except (KeyError, TypeError) as error:
            raise MlApiError(
                f"mlapi (pid {self._run.pid}) was started by another version of mlapi",
                fix=f"start it again, once it is stopped: {command('down', *state_flags(self._state))}",
            ) from error

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, timeout_seconds: float | None
    ) -> dict[str, Any]:
        if not self._run.control_url:
            raise self._unanswered()
        try:
            answer = self._http.request(
                method,
                f"{self._run.control_url}{path}",
                body=None if body is None else json.dumps(body),
                headers={"Authorization": f"Bearer {self._run.token}", "Content-Type": "application/json"},
                timeout=urllib3.Timeout(connect=5, read=timeout_seconds),
            )
        except urllib3.exceptions.HTTPError as error:
            raise self._unanswered() from error
        if answer.status != HTTPStatus.OK:
            raise MlApiError(
                f"mlapi (pid {self._run.pid}) met an unexpected error (HTTP {answer.status})",
                fix="its terminal says more, or where it runs in the background, its log: "
                + command("logs", "up", *state_flags(self._state)),
            )
        value: dict[str, Any] = answer.json()
        return value

    def _unanswered(self) -> NotRunningError:
        return NotRunningError(
            f"mlapi (pid {self._run.pid}) does not answer",
            fix=f"try again, or end it: {command('down', *state_flags(self._state))}",
        )
