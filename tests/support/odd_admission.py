"""A service that Envoy asks about calls, and that answers anything."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

from centralized_ml_api.local.admission.envoy_connection import read_request, render_response
from centralized_ml_api.local.admission.exchange import CALL_PATH, Request, Response
from centralized_ml_api.local.admission.terms import ADMISSION_SOCKET
from centralized_ml_api.local.envoy.admin import shorten_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.running_gateway import RunningGateway

GO = Response({"x-verdict": "go"})


class OddAdmission:
    """Takes the place of the admission service: gives `answers` in turn, then `otherwise`. Empty is none.

    It keeps what was `asked`, and closes the connection where there is no answer.
    """

    def __init__(self, path: Path) -> None:
        self.answers: list[bytes] = []
        self.otherwise = b""
        self.asked: list[Request] = []
        path.unlink(missing_ok=True)
        self._listening = socket.socket(socket.AF_UNIX)
        with shorten_path(path) as short:
            self._listening.bind(short)
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it is closed
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        received = bytearray()
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(65536):
                received += data
                request, _ = read_request(received)
                if request is None:
                    continue
                received = bytearray()
                if request.path == CALL_PATH:  # the end of a call before may be told at any time
                    self.asked.append(request)
                answer = self._choose(request)
                if not answer:
                    return
                connection.sendall(answer)

    def _choose(self, request: Request) -> bytes:
        if request.path != CALL_PATH:
            return render_response(GO)
        return self.answers.pop(0) if self.answers else self.otherwise

    def close(self) -> None:
        self._listening.close()


@contextlib.contextmanager
def serving_oddly(gateway: RunningGateway) -> Iterator[OddAdmission]:
    """Puts such a service in the place of the gateway's own, which it ends."""
    assert gateway.admission is not None
    gateway.admission.kill()
    gateway.admission.wait()
    with contextlib.closing(OddAdmission(gateway.folder / ADMISSION_SOCKET)) as service:
        yield service
