"""Applies a changed config to what runs: for `mlapi reload`, and when an edit is noticed."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.commands import shown_path
from centralized_ml_api.config.load import load_config
from centralized_ml_api.errors import ConfigError, MlApiError, StartError
from centralized_ml_api.local.machine.clock import WALL_CLOCK, Clock
from centralized_ml_api.local.run.change import describe_reload
from centralized_ml_api.local.run.specs import code_folders
from centralized_ml_api.local.status import Unapplied
from centralized_ml_api.plan.build import build_plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.run.change import Reloaded
    from centralized_ml_api.local.run.options import Terminal
    from centralized_ml_api.local.run.supervisor import Supervisor
    from centralized_ml_api.plan.types import ApiPlan


def load_plan(config: Path) -> ApiPlan:
    """Loads the plan of a config file.

    Raises:
        ConfigError: The config has errors.
    """
    return build_plan(load_config(config, now=datetime.now(UTC)))


class Reloader:
    """Knows which config is served, and changes what is served to another plan.

    `changed` takes each plan that the supervisor has changed to. `unapplied` says why what is saved is not
    what is served; None while it is.
    """

    def __init__(
        self,
        config: Path,
        supervisor: Supervisor,
        terminal: Terminal,
        changed: Callable[[ApiPlan], None],
        *,
        clock: Clock = WALL_CLOCK,
    ) -> None:
        self.config = config
        self.unapplied: Unapplied | None = None
        self._clock = clock
        self._applied_edit: dict[str, Any] | None = None
        self._supervisor = supervisor
        self._terminal = terminal
        self._changed = changed
        self._changing = asyncio.Lock()

    async def reload(self, config: str | None) -> dict[str, Any]:
        """Applies the config again, or another one, and returns a JSON object.

        With a wrong config nothing changes: `problems` (as `errors.Problem`s) and `source`. When the gateway
        refuses: `error`. Otherwise the fields of `change.Reloaded`, and as `applied_edit` those of the last
        edit that was applied by itself, with the instant `at` in seconds since the epoch; None without any.
        """
        try:
            reloaded = await self._change_to(Path(config) if config else self.config)
        except ConfigError as error:
            return {"problems": [asdict(problem) for problem in error.problems], "source": error.source}
        except StartError as error:
            return {"error": error.message}
        return {**asdict(reloaded), "applied_edit": self._applied_edit}

    async def restart(self, name: str) -> Reloaded:
        """Starts the servers of an entry anew, beside the old ones; returns what became of it.

        Raises:
            StartError: The gateway refuses the new routes; everything stays as it was.
        """
        async with self._changing:
            return await self._supervisor.restart(name)

    def watched(self) -> list[Path]:
        """Returns the config and the folders with code: an edit there is applied as by `mlapi reload`."""
        return [self.config, *code_folders(self._supervisor.plan)]

    async def apply_edit(self) -> None:
        """Applies the config again after an edit, and tells the terminal how it went."""
        self._terminal.talk("The config, a function or a model was edited: reloading…")
        try:
            reloaded = await self._change_to(self.config)
        except MlApiError as error:
            self._terminal.fail(error)
            self._terminal.talk("Nothing was changed: the API goes on as before.")
        else:
            self._applied_edit = {**asdict(reloaded), "at": self._clock.now().timestamp()}
            self._terminal.talk(describe_reload(asdict(reloaded)))

    async def is_applied(self) -> bool:
        """Returns whether what is saved is what is served; not where it has errors."""
        try:
            return await self._supervisor.is_applied(await asyncio.to_thread(load_plan, self.config))
        except ConfigError:
            return False

    async def _change_to(self, path: Path) -> Reloaded:
        """Makes one change at a time. Once begun, it is finished, even when whoever asked has gone away."""
        async with self._changing:
            try:
                plan = await asyncio.to_thread(load_plan, path)
                reloaded = await self._supervisor.change_to(plan)
            except MlApiError as error:
                if path == self.config:
                    self._note_unapplied(word_error(error))
                raise
            self.config = path
            self._changed(plan)
            failures = [*reloaded.kept, *reloaded.failed]
            if failures:
                self._note_unapplied(f"{failures[0].name}: {failures[0].reason}", failures[0].name)
            else:
                self.unapplied = None
            return reloaded

    def _note_unapplied(self, reason: str, entry: str = "") -> None:
        since = self.unapplied.since if self.unapplied else self._clock.now().timestamp()
        self.unapplied = Unapplied(since, reason, entry)


def word_error(error: MlApiError) -> str:
    """Words an error on one line; of the problems of a config the first."""
    if not isinstance(error, ConfigError):
        return error.message
    wrong = [problem for problem in error.problems if problem.severity == "error"]
    first = wrong[0]
    more = f", and {len(wrong) - 1} more" if wrong[1:] else ""
    where = f"{shown_path(Path(first.location.file))}:{first.location.line}:{first.location.column}"
    return f"{where}: {first.title} [{first.id}]{more}"
