"""Counts the instructions that a server needs for a call, with Valgrind's callgrind.

Such a count repeats within a percent, whatever else the machine does; a time does not. Debian's package is
`valgrind`.

Source: https://valgrind.org/docs/manual/cl-manual.html
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench.load import require_program
from bench.processes import start, wait_for_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bench.load import Call

WARM_CALLS = 3_000
"""LuaJIT compiles what runs often: after 40 calls, counts of the same program differed by two percent."""
COUNTED_CALLS = 150
_OK = 200
_TOTAL = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)


def require_valgrind(say: Callable[[str], None]) -> None:
    """Installs Valgrind if it is missing, which requires root.

    Raises:
        RuntimeError: It is missing and cannot be installed.
    """
    require_program("valgrind", say)


def valgrind_version() -> str:
    """Returns its version, such as 3.19.0."""
    said = subprocess.run(["valgrind", "--version"], check=True, capture_output=True, text=True)  # noqa: S607  # as users start it
    return said.stdout.strip().removeprefix("valgrind-")


@contextlib.contextmanager
def start_counted(command: Sequence[str], port: int, folder: Path) -> Iterator[int]:
    """Runs a server under callgrind, which counts nothing yet; yields the process id.

    Raises:
        RuntimeError: It does not listen on that port of loopback.
    """
    log = folder / "said.log"
    flags = ["--instr-atstart=no", "--separate-threads=yes", f"--callgrind-out-file={folder / 'count'}"]
    with start(["valgrind", "--tool=callgrind", *flags, *command], log=log, folder=folder) as process:
        wait_for_port(port, process, log)
        yield process.pid


def count_instructions(pid: int, call: Call, folder: Path) -> float:
    """Returns the instructions of a call, of the thread that does most, once the calls before it are served.

    Args:
        pid: The server, which `start_counted` runs.
        call: The call, made again and again on one connection.
        folder: The folder that `start_counted` got.

    Raises:
        RuntimeError: A call was not answered with 200.
    """
    address = urlsplit(call.url)
    request = render_request(call)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:

        def repeat(count: int) -> None:
            for _ in range(count):
                connection.sendall(request)
                with http.client.HTTPResponse(connection, method=call.method) as answer:
                    answer.begin()
                    text = answer.read()
                if answer.status != _OK:
                    raise RuntimeError(f"{call.url} answers {answer.status}: {text[:500]!r}")

        repeat(WARM_CALLS)
        _control(pid, "--instr=on")
        repeat(1)  # what is compiled anew for counting is no part of a call
        _control(pid, "--zero")
        repeat(COUNTED_CALLS)
        _control(pid, "--dump")
        _control(pid, "--instr=off")
    return max(read_totals(folder)) / COUNTED_CALLS


def render_request(call: Call) -> bytes:
    """Renders a call, to be sent at once: in two pieces, it costs a server one or two looks, by chance."""
    address, body = urlsplit(call.url), call.body.encode()
    headers = {"Host": address.netloc, "Content-Length": str(len(body)), **(call.headers or {})}
    lines = [
        f"{call.method} {address.path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def read_totals(folder: Path) -> list[int]:
    """Returns the instructions of each thread in the last dump."""
    dumps = [re.fullmatch(r"count\.(\d+)-\d+", file.name) for file in folder.iterdir()]
    last = max(int(dump[1]) for dump in dumps if dump)
    files = folder.glob(f"count.{last}-*")
    return [int(found[1]) for file in files if (found := _TOTAL.search(file.read_text(encoding="utf-8")))]


def _control(pid: int, act: str) -> None:
    """Tells callgrind something, and waits until it has obeyed."""
    subprocess.run(["callgrind_control", act, str(pid)], check=True, capture_output=True)  # noqa: S603, S607  # our own


def own_envoy_files(bootstrap: Path, folder: Path, port: int) -> Path:
    """Writes a copy of an Envoy's bootstrap for a second one beside it, and returns the file.

    It listens on another port, logs and is asked elsewhere, and does nothing from time to time.

    Args:
        bootstrap: The file of an Envoy that runs.
        folder: Where the copy is written, with its log and socket.
        port: Where the copy listens, on loopback.
    """
    config = json.loads(bootstrap.read_text(encoding="utf-8"))
    (listener, *_) = config["static_resources"]["listeners"]
    listener["address"] = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    config["admin"] = {"address": {"pipe": {"path": str(folder / "admin.sock")}}}
    config["stats_flush_interval"] = "299s"  # the longest that Envoy takes
    for periodical in ("overload_manager", "memory_allocator_manager"):
        config.pop(periodical, None)
    text = re.sub(r'"[^"]*access\.log"', json.dumps(str(folder / "access.log")), json.dumps(config))
    file = folder / "bootstrap.json"
    file.write_text(text, encoding="utf-8")
    return file
