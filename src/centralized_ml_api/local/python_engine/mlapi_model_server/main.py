"""Reads arguments, sets up logging, starts and ends a model's process.

It exits with 0 on SIGTERM or SIGINT, once the calls under way are answered; with 1, and a last line that says
why, if the model cannot be loaded.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import waitress

from .application import Application
from .handler import Handler, UnusableModuleError, load_functions
from .memory import find_spare_bytes, limit_memory
from .model_threads import BrokenAnswerError, ModelThreads
from .openai_api import OpenAiApi

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waitress.channel import HTTPChannel
    from waitress.server import BaseWSGIServer

TIMEOUT_VARIABLE = "MODEL_SERVER_TIMEOUT"

DEFAULT_LIMIT_SECONDS = 60.0
"""SageMaker waits no longer for an answer.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

WAITING_CALLS = 64
SPARE_THREADS = 8
"""For pings and for refusals, when every other thread of HTTP holds a call."""

DRAIN_SECONDS = 4.0
"""The supervisor waits 5 seconds before it kills."""

LARGEST_BODY_BYTES = 64 * 1024 * 1024
"""Far above the API's own limit, which the gateway enforces."""

KEPT_ALIVE_SECONDS = 24 * 60 * 60
"""The gateway decides when a connection ends: one that is closed here may be the one that it uses next."""


def main(arguments: Sequence[str]) -> int:
    """Serves until told to stop; returns the exit status."""
    options = _parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # calls may wait
    logging.getLogger("waitress").addFilter(_is_news)
    try:
        spare_bytes = find_spare_bytes(os.environ)
        functions = load_functions(options.code)
        threads = ModelThreads(
            lambda: OpenAiApi(Handler(functions, options.model_dir, options.name)),
            threads=options.threads,
            waiting=WAITING_CALLS,
            limit_seconds=float(os.environ.get(TIMEOUT_VARIABLE, DEFAULT_LIMIT_SECONDS)),
        )
        threads.start()
    except BaseException as error:  # noqa: BLE001  whatever the model raises, sys.exit() too
        return _fail(options.code, error)
    return _serve(threads, options, spare_bytes)


def _is_news(record: logging.LogRecord) -> bool:
    """Returns whether a record is not about a broken answer, of which the log has the model's traceback."""
    return not (record.exc_info and isinstance(record.exc_info[1], BrokenAnswerError))


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Serve one inference.py on 127.0.0.1:$PORT.")
    parser.add_argument("--code", type=Path, required=True, help="the folder with inference.py")
    parser.add_argument("--model-dir", type=Path, required=True, help="what model_fn gets")
    parser.add_argument("--name", required=True, help="the entry's name")
    parser.add_argument("--threads", type=int, required=True, help="requests that run at once")
    return parser.parse_args(arguments)


def _serve(threads: ModelThreads, options: argparse.Namespace, spare_bytes: int | None) -> int:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server = _build_server(threads, options.threads + WAITING_CALLS + SPARE_THREADS)
    limit_memory(spare_bytes)  # only now: the model, and the stacks of all threads, are there
    threading.Thread(target=server.run, name="http", daemon=True).start()
    logging.getLogger("model server").info("serving %s on 127.0.0.1:%s", options.name, server.effective_port)
    stop.wait()
    threads.drain(DRAIN_SECONDS)
    _flush(server)
    return 0


def _build_server(threads: ModelThreads, http_threads: int) -> BaseWSGIServer:
    return waitress.create_server(
        Application(threads),
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        threads=http_threads,
        ident=None,
        backlog=1024,
        connection_limit=1024,
        asyncore_use_poll=True,
        channel_timeout=KEPT_ALIVE_SECONDS,
        channel_request_lookahead=1,  # without it, nobody notices that a caller has gone
        max_request_body_size=LARGEST_BODY_BYTES,
    )


def _flush(server: BaseWSGIServer) -> None:
    """Returns when every answer is on its way, after half a second at the latest."""
    deadline = time.monotonic() + DRAIN_SECONDS / 8
    while time.monotonic() < deadline:
        channels: list[HTTPChannel] = list(server.active_channels.values())
        if not any(channel.requests or channel.total_outbufs_len for channel in channels):
            return
        time.sleep(0.01)


def _fail(code: Path, error: BaseException) -> int:
    """Prints the traceback, then the reason in one line."""
    reason = str(error)
    if not isinstance(error, UnusableModuleError):
        traceback.print_exception(error)
        reason = traceback.format_exception_only(error)[-1].strip()
    print(f"error: {code / 'inference.py'} cannot be served: {reason}", file=sys.stderr, flush=True)  # noqa: T201
    return 1
