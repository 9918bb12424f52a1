"""What a worker prints gets into the log, whatever it is, and its pipe is let go."""

from __future__ import annotations

import asyncio
import os

import pytest

from centralized_ml_api.local.lambda_host.output import WorkerOutput, write_line


def test_a_line_that_is_no_text_is_logged_with_marks(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write_line("half \ud800 a pair")
    assert capfdbinary.readouterr().out == b"half ? a pair\n"


def test_lines_have_the_label_of_their_time_and_an_unfinished_one_is_not_lost(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    async def tell() -> None:
        output = WorkerOutput()
        os.write(output.writing, b"loading\nready")
        output.drain()
        output.label = "req-1"
        os.write(output.writing, b"asked\n")
        output.close()
        output.drain()

    asyncio.run(tell())
    assert capfdbinary.readouterr().out == b"init loading\ninit ready\nreq-1 asked\n"


def test_our_end_of_the_pipe_is_closed_once() -> None:
    async def tell() -> None:
        output = WorkerOutput()
        ours = output.writing
        output.close_writing()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(ours)
        output.close_writing()
        output.close()

    asyncio.run(tell())
