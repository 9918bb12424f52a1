"""Runs `mlapi up`, from taking the state folder to the last process gone."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.errors import INTERRUPTED
from centralized_ml_api.local.gateway import Doors
from centralized_ml_api.local.keys import KeyRing, KeyStore
from centralized_ml_api.local.machine.clock import WALL_CLOCK, Clock
from centralized_ml_api.local.machine.descriptors import raise_descriptors
from centralized_ml_api.local.machine.memory import share_heap
from centralized_ml_api.local.machine.ports import LOOPBACK, check_port, free_pair, url_of
from centralized_ml_api.local.machine.state_folder import Run, StateFolder
from centralized_ml_api.local.run.acts import Acts
from centralized_ml_api.local.run.board import Board
from centralized_ml_api.local.run.early import EarlyServers
from centralized_ml_api.local.run.early_starter import EarlyStarter
from centralized_ml_api.local.run.ending import End, await_end, earlier_end, word_more_time
from centralized_ml_api.local.run.entry_statuses import add_calls
from centralized_ml_api.local.run.file_watcher import watch_access_log, watch_edits, watch_state_folder
from centralized_ml_api.local.run.first_start import FirstStart
from centralized_ml_api.local.run.gateway_parts import (
    ACCESS_LOG_NAME,
    make_admission,
    make_envoy,
    make_gateway,
    make_translator,
)
from centralized_ml_api.local.run.grants import GRANTS_FILE, Grants
from centralized_ml_api.local.run.https import describe_certificate, prepare_certificate, shown_url_of
from centralized_ml_api.local.run.jobs import Jobs
from centralized_ml_api.local.run.joining import Entrance
from centralized_ml_api.local.run.quotas import QuotaBook
from centralized_ml_api.local.run.reload import Reloader
from centralized_ml_api.local.run.service_factory import ServiceFactory
from centralized_ml_api.local.run.sleepers_link import SleepersLink
from centralized_ml_api.local.run.sockets import Sockets, answer
from centralized_ml_api.local.run.starting import watch_start
from centralized_ml_api.local.run.supervisor import Supervisor
from centralized_ml_api.local.run.tasks import cancel, run_until_one_ends
from centralized_ml_api.local.sleep.wake_times import WAKE_TIMES_FILE, WakeTimes
from centralized_ml_api.local.status import LocalStatus
from centralized_ml_api.local.supervision.child_setup import set_mark
from centralized_ml_api.local.supervision.orphans import end_orphans
from centralized_ml_api.local.supervision.probe import Prober
from centralized_ml_api.local.supervision.process import ServerLog, start_process
from centralized_ml_api.local.traffic.types import METRICS_PATH, Traffic
from centralized_ml_api.local.usage.collector import UsageCollector, UsageRecorder
from centralized_ml_api.plan.token_prices import list_prices

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from centralized_ml_api.local.envoy import EnvoyGateway
    from centralized_ml_api.local.launch import Launch
    from centralized_ml_api.local.run.admission_process import SupervisedAdmission
    from centralized_ml_api.local.run.options import ServeOptions, Terminal
    from centralized_ml_api.local.supervision.process import Process
    from centralized_ml_api.plan.event import EventPlan
    from centralized_ml_api.plan.types import ApiPlan

    StartProcess = Callable[[Launch, ServerLog], Awaitable[Process]]


def serve(options: ServeOptions, plan: ApiPlan, terminal: Terminal, early: EarlyServers) -> int:
    """Serves `plan` until stopped, and returns the exit status: 0, or 130 after Ctrl-C.

    Args:
        options: What `mlapi up` was asked for; its config is the one of `plan`.
        plan: What is served at first; a reload may change it.
        terminal: How this process speaks meanwhile.
        early: Servers that run already.

    Raises:
        StartError: The folder or port is held, the gateway does not start, or no model could start.
    """
    raise_descriptors()
    share_heap()
    with StateFolder(options.state) as state:
        set_mark(state.path)
        end_orphans(state.path, early.pids)  # left behind by a predecessor that was killed
        check_port(options.host, options.port)
        if options.metrics_port:  # not with 0, any free one
            check_port(LOOPBACK, options.metrics_port)
        try:
            return asyncio.run(LocalTarget(options, state, terminal, early=early).run(plan))
        finally:
            end_orphans(state.path)


class LocalTarget:
    """The local target of one state folder, while it runs in one event loop.

    Args:
        options: What `mlapi up` was asked for.
        state: The state folder, taken by this process.
        terminal: How this process speaks.
        early: Servers that run already; without it, none.
        clock: Tells when the event ends, and waits.
        envoy: The gateway, where it is not the real one.
        admission: The admission service, where it is not the real one.
        start_gateway_process: Starts the gateway's process.
    """

    def __init__(
        self,
        options: ServeOptions,
        state: StateFolder,
        terminal: Terminal,
        *,
        early: EarlyServers | None = None,
        clock: Clock = WALL_CLOCK,
        envoy: EnvoyGateway | None = None,
        admission: SupervisedAdmission | None = None,
        start_gateway_process: StartProcess = start_process,
    ) -> None:
        self._state, self._terminal, self._clock = state, terminal.that_goes_on(), clock
        address = self._host, self._port = options.host, options.port or free_pair(options.host)
        self._ends: datetime | None = None
        self._stops = options.stops(clock.now())
        config = options.config.absolute()
        self._sockets = Sockets(self._port + 1, options.metrics_port)
        self._run = self._sockets.tell(Run.of_this_process(str(config), options.flags))
        self._started, self._address, self._exit_status = time.time(), "", 0
        self._stop, self._first_start = asyncio.Event(), FirstStart(self._show, clock)
        collector, talk = UsageCollector.of_state(state.path), self._terminal.talk
        self._usage = UsageRecorder(collector, talk)
        self._count_day, self._quotas = collector.count_day, QuotaBook(collector.count_day, clock)
        self._keys, self._jobs = KeyRing(KeyStore(state.path), clock), Jobs(state, clock, talk)
        self._entrance = Entrance(state.path, self._keys, clock, self._terminal.fail)
        self._admission = admission or make_admission(state, clock)
        self._translator = make_translator(state, clock)
        self._certificate = prepare_certificate(options, state, self._terminal, clock.now())
        self._gateway = make_gateway(
            envoy or make_envoy(state, address, options.timeout_seconds, self._certificate),
            state,
            address,
            sidecars=(self._admission, self._translator),
            quotas=self._quotas,
            changed=self._show,
            clock=clock,
            start_process=start_gateway_process,
        )
        self._starter = EarlyStarter(early or EarlyServers(config, state.path))
        self._prober, self._link = Prober(), SleepersLink(state.gateway, clock=clock)
        self._supervisor = Supervisor(
            self._gateway,
            self._keys,
            ServiceFactory.of_state(state, self._prober, self._sockets.runtime_url, self._starter).make,
            link=self._link,
            times=WakeTimes(state.path / WAKE_TIMES_FILE),
            call_seconds=options.timeout_seconds,
            show=self._show,
            fail=self._terminal.fail,
            clock=clock,
            doors=Doors(self._entrance.door, self._jobs.door, self._jobs.runs_any),
            grants=Grants(state.path / GRANTS_FILE, clock.now()),
            authority=self._certificate.authority_fingerprint if self._certificate else "",
        )
        self._board, self.board_link = Board(self, state.path, clock), ""
        self.notices, self.grants = self._supervisor.notices, self._supervisor.teams.grants
        self._reloader = Reloader(config, self._supervisor, self._terminal, self._note_plan, clock=clock)
        self.act = Acts(self._supervisor, self._reloader, state.path, clock).do
        self.until_announced = self._first_start.until_announced

    async def run(self, plan: ApiPlan) -> int:
        """Serves until stopped; returns the exit status.

        On return, also by an error, everything that was started is gone.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop_by, number)
        self._state.write_run(self._run)
        self._note_plan(plan)
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

    async def _serve(self, plan: ApiPlan) -> None:
        """Holds everything that lives as long as the target; unwinds in reverse order, the gateway first."""
        async with AsyncExitStack() as stack:
            for listening_socket in (*self._sockets.all, self._entrance.socket, self._jobs.socket):
                stack.callback(listening_socket.close)
            listening = await stack.enter_async_context(AsyncExitStack())  # until the models are gone
            answering = asyncio.create_task(self._answer(listening))
            stack.push_async_callback(cancel, answering)
            stack.push_async_callback(self._supervisor.stop)
            await self._supervisor.start(plan)
            stack.push_async_callback(self._usage.collect)  # once the gateway has written all
            stack.push_async_callback(self._gateway.stop)
            await self._gateway.begin()
            await self._gateway.wait_started()
            self._address = shown_url_of(self._certificate, self._host, self._port)
            await self._run_until_one_fails(answering)

    async def _answer(self, stack: AsyncExitStack) -> None:
        """Answers programs of this machine, until cancelled and then until the stack unwinds."""
        self.board_link = await answer(
            stack,
            self._sockets,
            self,
            self._supervisor,
            doors=(self._entrance, self._jobs),
            board=self._board,
            until=self._first_start.until_serving,
            started=self._starter.finish,
        )
        await asyncio.Event().wait()

    async def _run_until_one_fails(self, answering: asyncio.Task[None]) -> None:
        """Runs what goes on while the API serves, until cancelled or until one of these raises."""
        clock, gateway, supervisor = self._clock, self._gateway, self._supervisor
        state, talk = self._state, self._terminal.talk
        tasks = [answering] + [
            asyncio.create_task(work)
            for work in (
                supervisor.run(),
                supervisor.sleeping.run(),
                gateway.run(),
                self._admission.run(),
                self._translator.run(),
                self._link.run(),
                self._jobs.run(lambda: supervisor.plan.event.ends, supervisor.publish),
                self._keys.run(supervisor.note_change),
                self._quotas.run(supervisor.note_change),
                watch_edits(
                    self._reloader.watched,
                    self._reloader.apply_edit,
                    clock,
                    is_applied=self._reloader.is_applied,
                ),
                # After a restore the gateway restarts: it watched files that are gone.
                watch_state_folder(lambda: state.restore(self._run), gateway.restart, talk, clock),
                watch_access_log(
                    state.logs / ACCESS_LOG_NAME, gateway.reopen_logs, self._usage.collect, clock=clock
                ),
                self._first_start.run(),
                self._board.run(),
                watch_start(
                    lambda: supervisor.plan.event,
                    lambda: supervisor.told_start,
                    tell=supervisor.note_change,
                    say=talk,
                    clock=clock,
                ),
            )
        ]
        await run_until_one_ends(tasks)

    def request_stop(self) -> None:
        """Begins to stop; `run` returns when everything is gone."""
        self._stop.set()

    def _stop_by(self, number: signal.Signals) -> None:
        if number == signal.SIGINT:
            self._exit_status = INTERRUPTED
        self.request_stop()

    async def _stop_at_end(self) -> None:
        await await_end(
            self._end,
            self._terminal.talk,
            self._clock,
            more_time=lambda: word_more_time(self._reloader.config, self._state.path),
        )
        self.request_stop()

    def _end(self) -> End | None:
        """Returns when this stops by itself, as things are now."""
        return earlier_end(self._ends, self._stops)

    async def look(self) -> LocalStatus:
        """Returns how the target is now, with the calls that wait."""
        occupancy = await self._admission.occupancy()
        now = self.status()
        return replace(now, entries=tuple(add_calls(entry, occupancy) for entry in now.entries))

    @property
    def plan(self) -> ApiPlan:
        """The plan that is served now."""
        return self._supervisor.plan

    @property
    def event(self) -> EventPlan:
        """The event as its config has it, without the teams that have joined."""
        return self._supervisor.teams.event

    def status(self) -> LocalStatus:
        """Returns how the target is now, but for the calls that wait."""
        end, starts = self._end(), self._supervisor.plan.event.coming_start(self._clock.now())
        return LocalStatus(
            pid=self._run.pid,
            config=str(self._reloader.config),
            state_folder=str(self._state.path),
            started=self._started,
            address=self._address,
            gateway_trouble=self._gateway.trouble,
            sagemaker_runtime=self._sockets.runtime_url,
            entries=self._supervisor.entries(),
            notes=self._supervisor.notes,
            ends=render_instant(end.at) if end else "",
            metrics=f"{url_of(metrics)}{METRICS_PATH}" if (metrics := self._sockets.metrics) else "",
            overdue=self._first_start.overdue,
            unapplied=self._reloader.unapplied,
            host=self._host,
            starts=render_instant(starts) if starts else "",
            jobs=self._jobs.count(),
            **describe_certificate(self._certificate),
        )

    def _show(self) -> None:
        status = self.status()
        self._terminal.show(status)
        self._first_start.note(status)

    async def reload(self, config: str | None) -> dict[str, Any]:
        """Applies the config again, or another one; see `Reloader.reload`."""
        return await self._reloader.reload(config)

    async def traffic(self) -> Traffic:
        """Returns what was called since the gateway started, and what the teams may call."""
        from centralized_ml_api.local.traffic.read import read_traffic  # noqa: PLC0415  # imports Prometheus' parser

        return await read_traffic(self._gateway, self._supervisor, self._count_day, self._admission)

    def _note_plan(self, plan: ApiPlan) -> None:
        self._ends = plan.event.ends
        self._usage.note_prices(list_prices(plan))
        self._pricing = asyncio.ensure_future(self._usage.collect())  # before the next call
