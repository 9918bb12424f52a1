"""Describes the local target as data: what `mlapi status` shows and scripts read."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any, Literal

from centralized_ml_api.record import record

EntryState = Literal[
    "ready", "preparing", "starting", "restarting", "unready", "failed", "not served", "asleep", "waking"
]
ANSWERING: frozenset[EntryState] = frozenset({"ready", "asleep", "waking"})
"""States in which a call is answered, though it may have to wait until the model is awake."""


@record
class PartStatus:
    """A model or a function behind an entry. `log` holds its last lines, which are shown when it failed.

    `hangs` counts restarts because health checks were answered and requests were not; `last_restart` is why
    there was one last.
    """

    name: str
    state: EntryState
    detail: str
    ready_replicas: int
    replicas: int
    restarts: int
    pids: tuple[int, ...]
    log: tuple[str, ...]
    hangs: int = 0
    last_restart: str = ""


@record
class SleepStatus:
    """How an entry that may sleep has slept.

    Attributes:
        wakes: How often it woke.
        asleep_seconds: How long it has slept in all.
        ready_in: In how many seconds a call that comes now is answered; None if nobody knows.
        wake_seconds: How long it takes to wake; None if that was never measured.
        shares: Its group; empty for none.
        wanted: Whether a call or the user wants it, while it is not ready.
    """

    wakes: int
    asleep_seconds: float
    ready_in: float | None
    wake_seconds: float | None = None
    shares: str = ""
    wanted: bool = False


@record
class EntryStatus:
    """One path of the API and how it is.

    `detail` says why it is not ready; `waiting` counts the calls that wait for their turn at it. `under_way`
    are those that have one, of as many as it has `places` for: None where nobody knows, or any number.
    `sleep` is None for an entry that never sleeps.
    """

    name: str
    path: str
    state: EntryState
    detail: str
    engine: str
    integration: str
    parts: tuple[PartStatus, ...]
    waiting: int = 0
    sleep: SleepStatus | None = None
    under_way: int = 0
    places: int | None = None

    @property
    def settled(self) -> bool:
        """Whether its start is over, well or badly."""
        return self.state in {"ready", "unready", "failed", "not served", "asleep"}


@record
class JobCounts:
    """How many calls that are answered later wait, and how many are under way."""

    waiting: int = 0
    running: int = 0


NO_JOBS = JobCounts()


@record
class Unapplied:
    """What is saved could not be applied: what is served is older.

    `since` is in seconds since the epoch, `reason` a sentence without a full stop. `entry` is the one that
    did not start, empty where it is the config or the gateway.
    """

    since: float
    reason: str
    entry: str = ""

    @property
    def sentence(self) -> str:
        """The same for a reader."""
        since = datetime.fromtimestamp(self.since, UTC)
        what = f"What is saved could not be applied, since {since:%Y-%m-%d %H:%M:%SZ}: {self.reason}."
        return f"{what} What was saved before goes on."


@record
class LocalStatus:
    """The whole local target. `started` is in seconds since the epoch.

    `fingerprint` is that of the certificate with which the gateway serves HTTPS, empty for plain HTTP;
    `authority` the file of the own authority that made it, `authority_fingerprint` its own, both empty for a
    certificate of the user's.
    `address` is empty until the gateway listens for the first time, `gateway_trouble` while the gateway runs.
    `ends` is an instant in RFC 3339 and UTC, empty when the target does not stop by itself; so is `starts`,
    empty once keys work. `metrics` is
    where Prometheus asks, empty when it was not asked for. `overdue` tells that slow entries are no longer
    waited for.
    `unapplied` is None while what is saved is what is served. `host` is what the gateway listens
    on. `jobs` are the calls that are answered later.
    """

    pid: int
    config: str
    state_folder: str
    started: float
    address: str
    gateway_trouble: str
    sagemaker_runtime: str
    entries: tuple[EntryStatus, ...]
    notes: tuple[str, ...]
    ends: str = ""
    metrics: str = ""
    overdue: bool = False
    unapplied: Unapplied | None = None
    host: str = "127.0.0.1"
    starts: str = ""
    fingerprint: str = ""
    authority: str = ""
    authority_fingerprint: str = ""
    jobs: JobCounts = NO_JOBS

    @property
    def settled(self) -> bool:
        """Whether every entry's start is over and the gateway listens."""
        return bool(self.address) and all(entry.settled for entry in self.entries)

    @property
    def serving(self) -> bool:
        """Whether at least one entry answers."""
        return any(entry.state in ANSWERING for entry in self.entries)

    @property
    def first_to_call(self) -> EntryStatus | None:
        """The first entry that is ready, or else the first that wakes when it is called; None without any."""
        states: tuple[EntryState, ...] = ("ready", "asleep", "waking")
        found = (entry for state in states for entry in self.entries if entry.state == state)
        return next(found, None)

    @property
    def announced(self) -> bool:
        """Whether it is time to announce that the API serves."""
        return bool(self.address) and self.serving and (self.settled or self.overdue)

    @property
    def still_starting(self) -> tuple[str, ...]:
        """The names of the entries whose start is not over."""
        return tuple(entry.name for entry in self.entries if not entry.settled)

    def to_json(self) -> dict[str, Any]:
        """Returns the same as plain values, with `settled` and `serving`."""
        return {**asdict(self), "settled": self.settled, "serving": self.serving}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> LocalStatus:
        """Returns the status that `to_json` made these values from."""
        known = {field.name: value[field.name] for field in fields(cls)}
        entries = tuple(_entry(entry) for entry in known.pop("entries"))
        edit, jobs = known.pop("unapplied"), JobCounts(**known.pop("jobs"))
        unapplied = Unapplied(**edit) if edit else None
        return cls(
            **{**known, "notes": tuple(known["notes"])}, entries=entries, unapplied=unapplied, jobs=jobs
        )


def _entry(value: dict[str, Any]) -> EntryStatus:
    parts = tuple(
        PartStatus(**{**part, "pids": tuple(part["pids"]), "log": tuple(part["log"])})
        for part in value["parts"]
    )
    sleep = SleepStatus(**value["sleep"]) if value["sleep"] else None
    return EntryStatus(**{**value, "parts": parts, "sleep": sleep})
