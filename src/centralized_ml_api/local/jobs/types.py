"""What a job is, as data, and how many there may be."""

from __future__ import annotations

from dataclasses import field

from centralized_ml_api.api.jobs import OPEN, JobStatus
from centralized_ml_api.record import record

_MIB = 1024 * 1024


@record
class JobLimits:
    """How many jobs there may be. Tests make these small; users cannot set them.

    Attributes:
        waiting_per_team: Jobs of one team that wait; without teams, all callers are one.
        waiting: Jobs that wait.
        kept_per_team: Jobs of one team, those included whose answers are kept.
        bytes_per_team: What bodies and answers of one team may take on the disk; a job that begins within
            the limit may keep its answer.
        bytes: What those of all teams may take.
        answer_bytes: The largest answer that is kept.
        running_per_team: Calls of one team that are under way at the same time.
        running: Calls that are under way at the same time.
        kept_seconds: How long an answer is kept where no event has an end; and how long after it was asked
            for a job waits for a model that is paused or away.
    """

    waiting_per_team: int = 50
    waiting: int = 500
    kept_per_team: int = 1000
    bytes_per_team: int = 256 * _MIB
    bytes: int = 1024 * _MIB
    answer_bytes: int = 64 * _MIB
    running_per_team: int = 4
    running: int = 16
    kept_seconds: float = 24 * 3600


@record
class Asked:
    """A call as it came.

    Attributes:
        team: Who called; empty without teams.
        path: Path and query.
        model: What it calls.
        headers: Its headers, but for what no file may hold.
        caller: Address and port that it came from.
        host: What it takes the API to be called.
    """

    team: str
    path: str
    model: str
    headers: tuple[tuple[str, str], ...]
    caller: str = ""
    host: str = "localhost"


@record
class Answered:
    """What is kept of an answer beside its body.

    Attributes:
        status: Its status.
        headers: Its headers, but for those about its way.
        is_for_now: Whether it says that the call could not be made yet: no model has got it.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    is_for_now: bool = False


@record
class Job:
    """One job. Times are in seconds since the epoch.

    Attributes:
        id: Nobody can guess it.
        asked: Its call.
        created: When it was asked for.
        number: How many were asked for before it.
        status: How it is.
        size: Bytes of its body, or once it is answered, of its answer.
        finished: When it was over; 0 until then.
        answered: The answer, if it has one.
        error: Why it failed without one: the code of an error of the API.
    """

    id: str
    asked: Asked = field(repr=False)
    created: float
    number: int
    status: JobStatus = "queued"
    size: int = 0
    finished: float = 0.0
    answered: Answered | None = None
    error: str = ""

    @property
    def is_open(self) -> bool:
        """Whether there is no answer yet, nor will there be none."""
        return self.status in OPEN
