from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.asked_jobs import ANSWER
from support.background import Background, start_background
from support.jobs_on_aws import TABLE, Jobs, start_jobs
from support.model_server import answer as always
from support.streaming import Streaming, start_streaming

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package")
def loop() -> Iterator[Background]:
    with start_background() as background:
        yield background


@pytest.fixture(scope="package")
def shared(loop: Background) -> Iterator[Streaming]:
    with start_streaming(loop) as streaming:
        yield streaming


@pytest.fixture
def streaming(shared: Streaming) -> Streaming:
    shared.model.asked.clear()
    return shared


@pytest.fixture(scope="module")
def started(loop: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    with start_jobs(tmp_path_factory.mktemp("moto"), loop) as jobs:
        yield jobs


@pytest.fixture
def jobs(started: Jobs) -> Jobs:
    """With a model that answers, and nothing of the tests before."""
    started.server.answering = always(200, ANSWER, content_type="application/json")
    started.server.asked.clear()
    started.queue.events.clear()
    started.queue.asked.clear()
    started.queue.status, started.queue.loses_answers = 202, False
    started.queue.paused, started.queue.revoked, started.queue.trouble = {}, set(), ""
    started.queue.admitted.clear()
    for item in started.items():
        started.database.delete_item(TableName=TABLE, Key={name: item[name] for name in ("holder", "span")})
    return started
