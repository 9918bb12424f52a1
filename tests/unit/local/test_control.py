"""Talking to the process that supervises."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import MlApiError
from centralized_ml_api.local.machine.state_folder import Run
from centralized_ml_api.local.run.control import ControlClient

if TYPE_CHECKING:
    from collections.abc import Iterator


class _EarlierVersion(BaseHTTPRequestHandler):
    """Knows less of itself than this version asks for."""

    def do_GET(self) -> None:
        body = json.dumps({"pid": 1}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def client() -> Iterator[ControlClient]:
    server = HTTPServer(("127.0.0.1", 0), _EarlierVersion)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    run = Run.of_this_process("config.json")
    yield ControlClient(run.reachable(f"http://127.0.0.1:{server.server_port}", "token"))
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("question", ["status", "traffic"])
def test_what_runs_since_before_an_upgrade_is_to_be_started_again(
    client: ControlClient, question: str
) -> None:
    with pytest.raises(MlApiError, match="another version") as refused:
        getattr(client, question)()
    assert "mlapi down, then mlapi up" in (refused.value.fix or "")
