"""`mlapi up`, from taking the state folder to the last process gone."""

from __future__ import annotations

import asyncio
import importlib
import secrets
import signal
import time
from contextlib import AsyncExitStack, aclosing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.config.load import load_config
from centralized_ml_api.errors import INTERRUPTED, ConfigError, MlApiError, StartError
from centralized_ml_api.local.keys import KeyRing, KeyStore
from centralized_ml_api.local.machine.descriptors import raise_descriptors
from centralized_ml_api.local.machine.ports import LOOPBACK, bind_loopback, check_port, free_port, url_of
from centralized_ml_api.local.machine.state_folder import Run, StateFolder
from centralized_ml_api.local.run.access_log import keep_bounded
from centralized_ml_api.local.run.change import describe_reload
from centralized_ml_api.local.run.ending import WALL_CLOCK, Clock, End, await_end, earlier_end, render_over
from centralized_ml_api.local.run.file_watcher import watch_files
from centralized_ml_api.local.run.first_start import FirstStart
from centralized_ml_api.local.run.folder_restore import keep_folder
from centralized_ml_api.local.run.gateway import GatewayKeeper
from centralized_ml_api.local.run.quotas import QuotaBook
from centralized_ml_api.local.run.service_factory import ServiceFactory
from centralized_ml_api.local.run.specs import code_folders
from centralized_ml_api.local.run.supervisor import Supervisor
from centralized_ml_api.local.status import LocalStatus
from centralized_ml_api.local.supervision.orphans import end_orphans
from centralized_ml_api.local.supervision.probe import Prober
from centralized_ml_api.local.supervision.process import set_mark
from centralized_ml_api.local.supervision.replica import Timeouts
from centralized_ml_api.local.traffic.types import METRICS_PATH, Traffic
from centralized_ml_api.local.usage.collector import UsageCollector, UsageRecorder
from centralized_ml_api.plan.build import build_plan
from centralized_ml_api.plan.types import ApiPlan

if TYPE_CHECKING:
    from centralized_ml_api.local.run.change import Reloaded
    from centralized_ml_api.local.run.options import ServeOptions, Terminal

_LISTENERS = "centralized_ml_api.local.run.listeners"


def load_plan(config: Path) -> ApiPlan:
    """The plan of a config file.

    Raises:
        ConfigError: the config has errors.
    """
    return build_plan(load_config(config, now=datetime.now(UTC)))


def serve(options: ServeOptions, plan: ApiPlan, terminal: Terminal) -> int:
    """Serves `plan` until stopped, and returns the exit status: 0, or 130 after Ctrl-C.

    Raises:
        StartError: the folder or port is held, the gateway does not start, or no model could start.
    """
    raise_descriptors()
    with StateFolder(options.state) as state:
        set_mark(state.path)
        end_orphans(state.path)  # what a predecessor that was killed left behind
        check_port(options.host, options.port)
        check_port(LOOPBACK, options.metrics_port or 0)
        try:
            return asyncio.run(LocalTarget(options, state, terminal).run(plan))
        finally:
            end_orphans(state.path)


class LocalTarget:
    """The local target of one state folder, while it runs in one event loop."""

    def __init__(
        self, options: ServeOptions, state: StateFolder, terminal: Terminal, clock: Clock = WALL_CLOCK
    ) -> None:
        self._state = state
        self._terminal = terminal.that_goes_on()
        self._config = options.config.absolute()
        self._host = options.host
        self._port = options.port or free_port(options.host)
        self._clock = clock
        self._ends: datetime | None = None
        self._stops: datetime | None = None
        if options.for_seconds is not None:
            self._stops = clock.now() + timedelta(seconds=options.for_seconds)
        self._run = Run.of_this_process(str(self._config))
        self._started = time.time()
        self._address = ""
        wanted = options.metrics_port
        self._metrics = None if wanted is None else bind_loopback(wanted)
        self._runtime = bind_loopback(self._port + 1)
        self._stop = asyncio.Event()
        self._exit_status = 0
        self._first_start = FirstStart(self._show, clock)
        collector = UsageCollector.of_state(state.path)
        self._usage = UsageRecorder(collector, self._terminal.talk)
        self._quotas = QuotaBook(collector.count_day, clock)
        self._keys = KeyRing(KeyStore(state.path), clock)
        self._gateway = GatewayKeeper(
            state,
            self._host,
            self._port,
            timeout_seconds=options.timeout_seconds,
            quotas=self._quotas,
            changed=self._show,
        )
        self._count_day = collector.count_day
        self._supervisor: Supervisor | None = None
        self._reloading = asyncio.Lock()

    async def run(self, plan: ApiPlan) -> int:
        """Serves until stopped; on return, also by an error, everything that was started is gone."""
        self._listen_to_signals()
        self._state.write_run(self._run)
        self._ends = plan.event.ends
        ending = asyncio.create_task(self._stop_at_end())
        serving = asyncio.create_task(self._serve(plan))
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait({serving, stopping, ending}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        ending.cancel()
        if not serving.done():
            self._terminal.talk("Stopping: taking no new calls, finishing those under way…")
            serving.cancel()
        await asyncio.wait({serving, ending})
        for task in (serving, ending):
            if not task.cancelled():
                task.result()
        return self._exit_status

    def status(self) -> LocalStatus:
        """How it is now."""
        supervisor = self._supervisor
        end = self._end()
        return LocalStatus(
            pid=self._run.pid,
            config=str(self._config),
            state_folder=str(self._state.path),
            started=self._started,
            address=self._address,
            gateway_trouble=self._gateway.trouble,
            sagemaker_runtime=url_of(self._runtime),
            entries=supervisor.entries() if supervisor else (),
            notes=supervisor.notes if supervisor else (),
            ends=render_instant(end.at) if end else "",
            metrics=f"{url_of(self._metrics)}{METRICS_PATH}" if self._metrics else "",
            overdue=self._first_start.overdue,
        )

    async def traffic(self) -> Traffic:
        """What was called since the gateway started, and what teams may."""
        if self._supervisor is None:
            return Traffic(time.monotonic(), None)
        from centralized_ml_api.local.traffic.read import read_traffic  # noqa: PLC0415  # reads Prometheus' words

        return await read_traffic(self._gateway, self._supervisor, self._count_day)

    def request_stop(self) -> None:
        """Begins to stop; `run` returns when everything is gone."""
        self._stop.set()

    async def reload(self, config: str | None) -> dict[str, Any]:
        """Applies the config anew, or another one, and returns a JSON object.

        With a wrong config nothing changes: `problems` (as `errors.Problem`s) and `source`. When the gateway
        refuses: `error`. Else the fields of `change.Reloaded`.
        """
        try:
            return asdict(await self._change_to(Path(config) if config else self._config))
        except ConfigError as error:
            return {"problems": [asdict(problem) for problem in error.problems], "source": error.source}
        except StartError as error:
            return {"error": error.message}

    async def _change_to(self, path: Path) -> Reloaded:
        """One change at a time. Whoever asked may go away meanwhile: a change that was begun is finished."""
        async with self._reloading:
            plan = await asyncio.to_thread(load_plan, path)
            if self._supervisor is None:
                raise StartError("not started yet", fix="try again in a moment")
            reloaded = await self._supervisor.change_to(plan)
            self._config = path
            self._ends = plan.event.ends
            return reloaded

    async def _serve(self, plan: ApiPlan) -> None:
        """Everything that lives as long as the target; unwound in reverse order, the gateway first."""
        async with AsyncExitStack() as stack:
            prober = await stack.enter_async_context(aclosing(Prober()))
            supervisor = self._supervisor = self._build_supervisor(prober)
            listening = await stack.enter_async_context(AsyncExitStack())  # until the models are gone
            stack.push_async_callback(supervisor.stop)
            await supervisor.start(plan)
            await self._listen(listening, supervisor)
            stack.push_async_callback(self._usage.collect)  # once the gateway has written all
            stack.push_async_callback(self._gateway.stop)
            await self._gateway.start()
            self._address = _address(self._host, self._port)
            await self._keep(supervisor)

    async def _keep(self, supervisor: Supervisor) -> None:
        tasks = [
            asyncio.create_task(supervisor.run()),
            asyncio.create_task(self._gateway.run()),
            asyncio.create_task(self._keys.run(supervisor.note_change)),
            asyncio.create_task(self._quotas.run(supervisor.note_change)),
            asyncio.create_task(watch_files(self._watched, self._apply_edit)),
            asyncio.create_task(self._keep_state_folder()),
            asyncio.create_task(
                keep_bounded(self._gateway.access_log, self._gateway.reopen_logs, self._usage.collect)
            ),
            asyncio.create_task(self._first_start.run()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def _build_supervisor(self, prober: Prober) -> Supervisor:
        factory = ServiceFactory(
            logs=self._state.model_logs,
            scratch=self._state.scratch,
            prober=prober,
            runtime_url=url_of(self._runtime),
            timeouts=Timeouts(),
        )
        return Supervisor(self._gateway, self._keys, factory.make, show=self._show, fail=self._terminal.fail)

    async def _listen(self, stack: AsyncExitStack, supervisor: Supervisor) -> None:
        """Answers programs of this machine. What that takes is imported while the models load."""
        listeners = await asyncio.to_thread(importlib.import_module, _LISTENERS)
        await listeners.listen_for_functions(stack, supervisor, self._runtime)
        token, listening = secrets.token_urlsafe(32), bind_loopback()
        await listeners.listen_to_control(stack, self, token, listening)
        if self._metrics is not None:
            await listeners.listen_for_prometheus(stack, self, self._metrics)
        self._run = self._run.reachable(url_of(listening), token)
        self._state.write_run(self._run)

    async def _keep_state_folder(self) -> None:
        """After a restore the gateway starts anew: it watched files that are gone."""
        await keep_folder(lambda: self._state.restore(self._run), self._gateway.restart, self._terminal.talk)

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._end_by, number)

    def _end_by(self, number: signal.Signals) -> None:
        if number == signal.SIGINT:
            self._exit_status = INTERRUPTED
        self.request_stop()

    def _end(self) -> End | None:
        """When this stops by itself, as things are now."""
        return earlier_end(self._ends, self._stops)

    async def _stop_at_end(self) -> None:
        end = await await_end(self._end, self._terminal.talk, self._clock)
        self._terminal.talk(render_over(end))
        self.request_stop()

    def _show(self) -> None:
        status = self.status()
        self._terminal.show(status)
        self._first_start.note(status)

    def _watched(self) -> list[Path]:
        """The config and the folders with code: an edit of one is applied as `mlapi reload` would."""
        plan = self._supervisor.plan if self._supervisor else ApiPlan((), ())
        return [self._config, *code_folders(plan)]

    async def _apply_edit(self) -> None:
        self._terminal.talk("The config, a function or a model was edited: reloading…")
        try:
            reloaded = await self._change_to(self._config)
        except MlApiError as error:
            self._terminal.fail(error)
            self._terminal.talk("Nothing was changed: the API goes on as before.")
        else:
            self._terminal.talk(describe_reload(asdict(reloaded)))


def _address(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104  # only what is shown
    return f"http://{f'[{shown}]' if ':' in shown and not shown.startswith('[') else shown}:{port}"
