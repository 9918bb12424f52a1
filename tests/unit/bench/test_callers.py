"""What counts as a call that a connection lost again: one that was sent once the killed process was gone."""

from __future__ import annotations

import socketserver
from threading import Event, Thread

from bench.faults.callers import calling

from support.waiting import wait_until


def test_calls_sent_before_the_killed_process_was_gone_are_lost_with_it() -> None:
    begun = Event()

    class HangsUp(socketserver.BaseRequestHandler):
        """As a process that ends: it takes a connection and closes it."""

        def handle(self) -> None:
            begun.wait(60)
            self.request.recv(1024)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), HangsUp) as server:
        Thread(target=server.serve_forever).start()
        try:
            with calling(server.server_address[1], ["model"], 1, 0.01) as tally:
                with tally.killing():
                    begun.set()
                    wait_until(lambda: tally.lost >= 3, "calls are lost")
                    assert (tally.kills, tally.lost_again, tally.again) == (1, 0, [])
                wait_until(lambda: tally.again, "a later one is lost again")
                assert tally.again[0].startswith("model: no response, ")
        finally:
            server.shutdown()
    assert tally.lost_again == len(tally.again)
