"""The folder of the jobs: for each a file that describes it, and one with its body or its answer.

Only this user may read them. A file is complete once it has its name, and what is written before a call goes
out is on the disk by then: whoever reads the folder after a crash knows which calls may have reached a model.

    <id>.json      the job
    <id>.request   the body of its call, until that is over
    <id>.answer    the body of its answer
    until          when the event ends, if it does
"""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from centralized_ml_api.local.jobs.types import Answered, Asked, Job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER_NAME = "jobs"
ID = re.compile("job_[0-9a-f]{32}")
"""What an id looks like: nothing else is ever a part of a path."""

_UNTIL = "until"
_JOB, _REQUEST, _ANSWER, _DRAFT = "json", "request", "answer", "new"


class JobStore:
    """The files. Every method waits for the disk, and raises `OSError` where that refuses.

    Args:
        folder: The state folder, in which the folder of the jobs is made once there is one.

    Attributes:
        unreadable: The files of jobs that `load` could not read, and has removed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER_NAME
        self.unreadable: tuple[str, ...] = ()

    def load(self, now: datetime) -> list[Job]:
        """Returns the jobs, the oldest first; none of an event that has ended.

        Removes what belongs to none of them.
        """
        if not self.folder.is_dir():
            return []
        until = self._load_until()
        if until is not None and until <= now:
            shutil.rmtree(self.folder)
            return []
        jobs = sorted(self._load_jobs(), key=lambda job: job.number)
        wanted = {self._path(job.id, _JOB) for job in jobs} | {self.folder / _UNTIL}
        wanted |= {self._path(job.id, _REQUEST if job.is_open else _ANSWER) for job in jobs}
        unwanted = sorted(set(self.folder.iterdir()) - wanted)
        self.unreadable = tuple(path.name for path in unwanted if path.suffix == f".{_JOB}")
        for path in unwanted:
            path.unlink()
        return jobs

    def add(self, job: Job, body: bytes) -> None:
        """Writes a new job with its body.

        Raises:
            OSError: It cannot be written; nothing of it is left on the disk.
        """
        self.folder.mkdir(mode=0o700, exist_ok=True)
        try:
            self._write(self._path(job.id, _REQUEST), body)
            self.save(job)
        except OSError:
            self.remove(job)
            raise

    def save(self, job: Job) -> None:
        """Writes how a job is now."""
        self._write(self._path(job.id, _JOB), json.dumps(asdict(job)).encode())

    def finish(self, job: Job, body: bytes | None = None) -> None:
        """Writes a job that is over, and removes the body of its call.

        Args:
            job: How it is now.
            body: That of its answer; None for what `open_answer` took.
        """
        answer = self._path(job.id, _ANSWER)
        if body is not None:
            self._write(answer, body)
        elif job.answered is not None:
            with self._draft(answer).open("rb") as file:  # the job must not say that it is done before
                os.fsync(file.fileno())
            self._draft(answer).replace(answer)
        self._draft(answer).unlink(missing_ok=True)  # first: it may be what fills the disk
        self.save(job)
        self._path(job.id, _REQUEST).unlink(missing_ok=True)

    def remove(self, job: Job) -> None:
        """Removes all of a job."""
        for kind in (_JOB, _REQUEST, _ANSWER):
            self._path(job.id, kind).unlink(missing_ok=True)

    def request_of(self, job: Job) -> Path:
        """Returns the file with the body of its call."""
        return self._path(job.id, _REQUEST)

    def answer_of(self, job: Job) -> Path:
        """Returns the file with the body of its answer."""
        return self._path(job.id, _ANSWER)

    def open_answer(self, job: Job) -> BinaryIO:
        """Opens the file that takes the answer, until `finish` keeps it."""
        return os.fdopen(_open_private(self._draft(self.answer_of(job))), "wb")

    def note_until(self, until: datetime | None) -> None:
        """Writes when the event ends, after which the next start removes the jobs."""
        if self.folder.is_dir() and until != self._load_until():
            self._write(self.folder / _UNTIL, until.isoformat().encode() if until else b"")

    def _load_until(self) -> datetime | None:
        with suppress(FileNotFoundError, ValueError):
            return datetime.fromisoformat((self.folder / _UNTIL).read_text())
        return None

    def _load_jobs(self) -> Iterator[Job]:
        for path in self.folder.glob(f"*.{_JOB}"):
            with suppress(ValueError, TypeError, KeyError, FileNotFoundError):
                job = _read_job(json.loads(path.read_bytes()))
                body = self._path(job.id, _REQUEST if job.is_open else _ANSWER)
                if path.stem == job.id and (body.exists() or (not job.is_open and job.answered is None)):
                    yield job

    def _path(self, job_id: str, kind: str) -> Path:
        return self.folder / f"{job_id}.{kind}"

    def _draft(self, path: Path) -> Path:
        return path.with_name(f"{path.name}.{_DRAFT}")

    def _write(self, path: Path, content: bytes) -> None:
        draft = self._draft(path)
        try:
            with os.fdopen(_open_private(draft), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise


def _open_private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


def _read_job(written: dict[str, Any]) -> Job:
    """Returns the job that was written; raises ValueError, TypeError or KeyError if there is none in it."""
    asked, answered = written["asked"], written["answered"]
    job = Job(
        **{
            **written,
            "asked": Asked(**_with_tuples(asked)),
            "answered": Answered(**_with_tuples(answered)) if answered else None,
        }
    )
    if not ID.fullmatch(job.id):
        raise ValueError(job.id)
    return job


def _with_tuples(written: dict[str, Any]) -> dict[str, Any]:
    return {**written, "headers": tuple((name, value) for name, value in written["headers"])}
