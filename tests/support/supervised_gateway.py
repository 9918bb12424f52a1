"""The supervised gateway with a fake Envoy and a fake translator."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from centralized_ml_api.local.gateway import (
    Gateway,
    TeamAccess,
)
from centralized_ml_api.local.run.gateway_process import SupervisedGateway
from centralized_ml_api.local.run.quotas import QuotaBook
from centralized_ml_api.local.supervision.process import ServerLog
from support.fake_target import NOON, FakeAdmission, FakeEnvoy, FakeProcess, FakeTranslator, HandClock, soon
from support.own_ports import own_ports

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.errors import StartError
    from centralized_ml_api.local.launch import Launch
    from centralized_ml_api.local.machine.inotify import InotifyInstances

EMPTY = Gateway(upstreams=(), routes=())
LIMITED = Gateway(upstreams=(), routes=(), teams=(TeamAccess("red", (), requests_per_day=10),))
MIDNIGHT = datetime(2030, 6, 2, tzinfo=UTC)


class World:
    """A supervised gateway whose Envoy and processes are fakes."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self.time = HandClock()
        self.envoy = FakeEnvoy()
        self.admission = FakeAdmission()
        self.translator = FakeTranslator()
        self.log = ServerLog(folder / "gateway.log")
        self.processes: list[FakeProcess] = []
        self.no_program: StartError | None = None
        self.used = 0
        self.instances: InotifyInstances | None = None
        self.told: list[str] = []
        self.gateway = SupervisedGateway(
            self.envoy,
            self.log,
            ("127.0.0.1", port or own_ports()),
            quotas=QuotaBook(self.count_day, self.time.clock),
            admission=self.admission,
            translator=self.translator,
            changed=lambda: self.told.append(self.gateway.trouble),
            clock=self.time.clock,
            start_process=self.start_process,
            count_instances=lambda: self.instances,
        )

    def count_day(self, day: date) -> dict[str, int]:
        assert day == NOON.date()
        return {"red": self.used}

    async def start_process(self, launch: Launch, log: ServerLog) -> FakeProcess:
        assert (launch.argv, log) == (("envoy",), self.log)
        if self.no_program:
            raise self.no_program
        process = FakeProcess(self.envoy.did)
        self.processes.append(process)
        return process

    async def crash(self, status: int = 1, *, after_seconds: float = 0.0) -> None:
        """Ends the running process after so long; returns when the next one runs."""
        count = len(self.processes)
        self.time.seconds += after_seconds
        self.processes[-1].status.set_result(status)
        await soon(lambda: len(self.processes) > count and self.gateway.trouble == "")
