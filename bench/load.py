"""Makes HTTP load with wrk, which takes so little processor time that it can run beside the measured server.

Source: https://github.com/wg/wrk, Debian's package `wrk`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.processes import pin

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_TIMEOUT_SECONDS = 30
"""The timeout of one call. A slow server needs more than wrk's default of two seconds for many callers."""
_SCRIPT = """\
wrk.method = {method}
wrk.body = {body}
{headers}
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\\n{{"calls":%d,"microseconds":%d,"bad":%d,"broken":%d,"p50":%d,"p99":%d}}\\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class Call:
    """The call to repeat."""

    url: str
    body: str = ""
    headers: Mapping[str, str] | None = None
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Load:
    """The outcome: `bad` counts statuses from 400 on, `broken` counts calls without a response."""

    calls: int
    seconds: float
    bad: int
    broken: int
    p50_milliseconds: float
    p99_milliseconds: float

    @property
    def calls_a_second(self) -> float:
        """The calls per second."""
        return self.calls / self.seconds


def require_wrk(say: Callable[[str], None]) -> None:
    """Installs wrk if it is missing, which requires root.

    Raises:
        RuntimeError: wrk is missing and cannot be installed.
    """
    require_program("wrk", say)


def require_program(name: str, say: Callable[[str], None]) -> None:
    """Installs a program from Debian's package of its name if it is missing, which requires root.

    Raises:
        RuntimeError: It is missing and cannot be installed.
    """
    if shutil.which(name):
        return
    apt = shutil.which("apt-get")
    if os.geteuid() or not apt:
        raise RuntimeError(f"{name} is not installed: run apt-get install {name}")
    say(f"installing {name}, once")
    subprocess.run([apt, "update", "-qq"], check=True, capture_output=True)  # noqa: S603  # our own
    subprocess.run([apt, "install", "-qq", "-y", name], check=True, capture_output=True)  # noqa: S603  # our own


def run_load(call: Call, *, connections: int, seconds: int, folder: Path, cores: str) -> Load:
    """Repeats a call on `connections` persistent connections, from one thread on these cores.

    Raises:
        subprocess.CalledProcessError: wrk itself failed.
    """
    script = folder / "load.lua"
    script.write_text(_render_script(call), encoding="utf-8")
    often = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", f"{_TIMEOUT_SECONDS}s"]
    command = [*pin(cores), "wrk", *often, "-s", str(script), call.url]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 30).stdout  # noqa: S603  # our own
    numbers = json.loads(said.strip().rpartition("\n")[2])
    return Load(
        calls=numbers["calls"],
        seconds=numbers["microseconds"] / 1e6,
        bad=numbers["bad"],
        broken=numbers["broken"],
        p50_milliseconds=numbers["p50"] / 1000,
        p99_milliseconds=numbers["p99"] / 1000,
    )


def _render_script(call: Call) -> str:
    headers = [
        f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}"
        for name, value in (call.headers or {}).items()
    ]
    return _SCRIPT.format(
        method=json.dumps(call.method), body=json.dumps(call.body), headers="\n".join(headers)
    )
