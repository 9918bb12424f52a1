from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.gateway import Gateway
from support.running_gateway import start_gateway
from support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from support.background import Background
    from support.running_gateway import RunningGateway


@pytest.mark.slow
def test_a_line_says_what_happened_and_no_secret(gateway: RunningGateway) -> None:
    answer = gateway.call("/echo?key=secret", b"secret", {"Authorization": "secret", "X-Api-Key": "secret"})
    line = gateway.logged(answer.header("x-request-id"))
    datetime.fromisoformat(line.pop("time"))
    assert isinstance(line.pop("milliseconds"), int)
    assert line == {
        "request_id": answer.header("x-request-id"),
        "team": None,
        "model": "echo",
        "served_by": None,
        "status": 200,
        "flags": "-",
        "details": "via_upstream",
        "admission": None,
        "bytes_in": 6,
        "bytes_out": len(answer.body),
        **dict.fromkeys(("tokens_in", "tokens_cached", "tokens_cache_writes", "tokens_out", "answer")),
        "first_word": None,
    }
    assert "secret" not in str(line)


@pytest.mark.slow
def test_a_rotated_log_is_begun_anew(tmp_path: Path, background: Background) -> None:
    with start_gateway(tmp_path, background, Gateway((), ())) as running:
        running.logged(running.call("/nope").header("x-request-id"))
        log = tmp_path / "logs/access.log"
        log.rename(tmp_path / "logs/access.log.1")
        background.run(running.envoy.reopen_logs())
        wait_until(log.exists, "there is a new log")
        running.logged(running.call("/nope").header("x-request-id"))
