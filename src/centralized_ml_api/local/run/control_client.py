"""Asks the `mlapi` that serves, by what `control` answers. Imports no server: `status` is asked often."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import urllib3

from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.errors import MlApiError, NotRunningError, StartError, UsageError
from centralized_ml_api.local.status import LocalStatus
from centralized_ml_api.local.traffic.types import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from centralized_ml_api.local.machine.state_folder import Run

Told = TypeVar("Told")

_ANSWER_SECONDS = 10
"""How long what is answered at once may take: it waits neither for a server nor for the gateway."""


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

    def status(self, *, announced_within: float = 0.0) -> LocalStatus:
        """Returns how it is now, or within so many seconds as soon as it is time to announce the API."""
        query = f"?announced_within={announced_within:g}" if announced_within else ""
        return self._ask(f"/status{query}", LocalStatus.from_json, _ANSWER_SECONDS + announced_within)

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
        self.act("wake", {"name": name}, timeout_seconds=_ANSWER_SECONDS)

    def sleep(self, name: str) -> None:
        """Lets an entry sleep once its calls are over.

        Raises:
            UsageError: It cannot sleep, calls wait for it, or there is none of that name.
        """
        self.act("sleep", {"name": name}, timeout_seconds=_ANSWER_SECONDS)

    def restart(self, name: str) -> None:
        """Starts the servers of an entry anew; returns once they answer.

        Raises:
            UsageError: They run elsewhere, or there is no entry of that name.
            StartError: They do not start.
        """
        self.act("restart", {"name": name})

    def pause(self, name: str | None, words: str, *, team: str | None = None) -> None:
        """Pauses an entry, a team, or everything where neither is named.

        Callers get the words; calls under way are finished.

        Args:
            name: The entry; None for all.
            words: What its callers get to read.
            team: The team; None for all.

        Raises:
            UsageError: There is no entry or team of that name, or the words cannot be shown.
            StartError: The gateway refused.
        """
        self.act("pause", {**_subject(name, team), "words": words})

    def resume(self, name: str | None, *, team: str | None = None) -> None:
        """Ends the pause of an entry, of a team, or of everything where neither is named.

        Raises:
            UsageError: It is not paused.
            StartError: The gateway refused.
        """
        self.act("resume", _subject(name, team))

    def grant(self, team: str, amounts: Mapping[str, float]) -> str:
        """Lets a team use more: `usd`, `tokens`, `requests` a day; returns when the event ends, maybe empty.

        Raises:
            UsageError: There is no team of that name, or nothing limits it so.
            StartError: The gateway refused.
        """
        return str(self.act("grant", {"team": team, **amounts})["ends"])

    def take_back(self, team: str) -> None:
        """Takes back all that a team was granted.

        Raises:
            UsageError: That is nothing.
            StartError: The gateway refused.
        """
        self.act("take-back", {"team": team})

    def say(self, words: str) -> str:
        """Says something to everybody, or nothing more; returns what was said before.

        Raises:
            UsageError: The words cannot be shown.
            StartError: The gateway refused.
        """
        return str(self.act("message", {"words": words})["before"])

    def act(self, act: str, wanted: dict[str, Any], timeout_seconds: float | None = None) -> dict[str, Any]:
        """Does something, and returns what there is to tell.

        Args:
            act: Its name in `Acts`.
            wanted: To what.
            timeout_seconds: How long that may take; None for as long as it does.

        Raises:
            UsageError: It cannot be.
            StartError: It failed.
        """
        told = self._call("POST", f"/acts/{act}", wanted, timeout_seconds=timeout_seconds)
        if "error" in told:
            kind = StartError if told.get("failed") else UsageError
            raise kind(told["error"], fix=told["fix"])
        return told

    def _ask(
        self, path: str, read: Callable[[dict[str, Any]], Told], timeout_seconds: float = _ANSWER_SECONDS
    ) -> Told:
        value = self._call("GET", path, timeout_seconds=timeout_seconds)
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


def _subject(name: str | None, team: str | None) -> dict[str, str]:
    named = {"name": name, "team": team}
    return {kind: subject for kind, subject in named.items() if subject is not None}
