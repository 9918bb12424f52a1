"""Workers: as many as calls at once, up to the limit; none is left behind."""

from __future__ import annotations

import contextlib
import http.client
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil
import pytest

from support.function_host import FunctionHost, Reply
from support.own_ports import own_ports
from support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.lambda_host import FunctionServer

Host = Callable[..., FunctionHost]

MEETING = """
import os, pathlib, time
HERE = pathlib.Path("calls")

def lambda_handler(event, context):
    HERE.mkdir(exist_ok=True)
    (HERE / context.aws_request_id).touch()
    while event["body"] and len(list(HERE.iterdir())) < int(event["body"]):
        time.sleep(0.01)
    return {"body": str(os.getpid())}
"""
BUSY = """
import subprocess, sys, time
def lambda_handler(event, context):
    if event["body"] == "wait":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
        print("child", child.pid)
        time.sleep(3600)
    return {"body": "done"}
"""


def call_together(host: FunctionHost, number: int, body: bytes) -> list[Reply]:
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(lambda _: host.call(body), range(number)))


def workers(host: FunctionHost) -> list[psutil.Process]:
    return psutil.Process(host.process.pid).children()


def in_background(call: Callable[[], object]) -> Future[object]:
    pool = ThreadPoolExecutor(1)
    future = pool.submit(call)
    pool.shutdown(wait=False)
    return future


def is_gone(pid: int) -> bool:
    """Ended, if perhaps not yet buried by init."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def child_of(host: FunctionHost) -> int:
    return int(host.wait_for_line("child ").rpartition(" ")[2])


@pytest.mark.slow
def test_one_worker_is_started_at_once_and_serves_one_call_after_the_other(host: Host) -> None:
    meeting = host(MEETING)
    assert len(workers(meeting)) == 1
    assert len({meeting.call().body for _ in range(3)}) == 1


@pytest.mark.slow
def test_eight_calls_that_wait_for_each_other_run_at_once_in_eight_workers(host: Host) -> None:
    replies = call_together(host(MEETING), 8, b"8")
    assert [reply.status for reply in replies] == [200] * 8
    assert len({reply.body for reply in replies}) == 8


@pytest.mark.slow
def test_more_calls_than_workers_wait_in_line_and_all_are_answered(host: Host) -> None:
    meeting = host(MEETING, max_workers=2)
    replies = call_together(meeting, 9, b"2")
    assert [reply.status for reply in replies] == [200] * 9
    assert len(workers(meeting)) <= 2


@pytest.mark.slow
def test_workers_that_idle_are_ended_but_for_one(host: Host) -> None:
    meeting = host(MEETING, idle_seconds=0.5)
    call_together(meeting, 3, b"3")
    wait_until(lambda: len(workers(meeting)) == 1, "one worker is left")
    assert meeting.call().status == 200


@pytest.mark.slow
def test_a_worker_that_dies_while_idle_is_replaced_by_the_next_call(host: Host) -> None:
    meeting = host(MEETING)
    [worker] = workers(meeting)
    worker.kill()
    wait_until(lambda: not workers(meeting), "the worker is gone")
    assert meeting.call().status == 200


@pytest.mark.slow
def test_a_timeout_ends_what_the_function_started_too(host: Host) -> None:
    busy = host(BUSY, timeout_seconds=1)
    assert busy.call(b"wait").status == 504
    child = child_of(busy)
    wait_until(lambda: is_gone(child), "the child is gone")


@pytest.mark.slow
def test_a_caller_that_leaves_does_not_leave_a_worker_behind(host: Host) -> None:
    busy = host(BUSY, timeout_seconds=2, max_workers=1)
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", busy.port)) as caller:
        caller.request("POST", "/echo", body=b"wait")
        child = child_of(busy)
    assert busy.call().body == b"done"
    assert is_gone(child)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_however_a_host_ends_its_workers_end(host: Host, number: signal.Signals) -> None:
    busy = host(BUSY)
    in_background(lambda: busy.call(b"wait"))
    child = child_of(busy)
    left = workers(busy)
    busy.process.send_signal(number)
    busy.wait()
    gone, alive = psutil.wait_procs(left, timeout=30)
    assert (len(gone), alive) == (1, [])
    # What the function itself started outlives a host that was killed; the supervisor kills such orphans.
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(child).kill()


@pytest.mark.slow
def test_a_stopped_host_leaves_no_process_and_no_file(host: Host, tmp_path: Path) -> None:
    busy = host(BUSY)
    in_background(lambda: busy.call(b"wait"))
    child = child_of(busy)
    assert busy.end() == 0
    assert is_gone(child)
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.slow
def test_a_running_call_may_end_before_the_host_does(host: Host, tmp_path: Path) -> None:
    meeting = host(MEETING)
    running = in_background(lambda: meeting.call(b"2"))
    calls = tmp_path / "my function" / "calls"
    wait_until(lambda: calls.exists() and list(calls.iterdir()), "the call runs")
    meeting.process.terminate()
    (calls / "let go").touch()
    reply = running.result(30)
    assert isinstance(reply, Reply)
    assert reply.status == 200
    assert meeting.wait() == 0


@pytest.mark.slow
def test_a_function_that_does_not_load_ends_the_host_with_the_reason(unready_host: Host) -> None:
    host = unready_host("import no_such_module")
    assert host.wait() == 1
    assert host.lines[-1] == (
        "the function could not be loaded: Runtime.ImportModuleError: Unable to import module 'index': "
        "No module named 'no_such_module'"
    )


@pytest.mark.slow
def test_a_handler_that_is_not_there_ends_the_host_with_the_reason(unready_host: Host) -> None:
    host = unready_host("x = 1")
    assert host.wait() == 1
    assert "Handler 'lambda_handler' missing on module 'index'" in host.lines[-1]


@pytest.mark.slow
def test_a_function_that_exits_while_it_loads_ends_the_host_with_the_reason(unready_host: Host) -> None:
    host = unready_host("import os\nprint('almost', flush=True)\nos._exit(7)")
    assert host.wait() == 1
    assert host.lines[-2:] == [
        "init almost",
        "the function could not be loaded: its process ended (exit status 7)",
    ]


@pytest.mark.slow
def test_a_function_that_loads_only_once_answers_502_with_the_reason_from_then_on(host: Host) -> None:
    once = """
import os, pathlib
mark = pathlib.Path("mark")
if mark.exists():
    raise RuntimeError("only once")
mark.touch()
def lambda_handler(event, context):
    os._exit(1)
"""
    broken = host(once)
    assert broken.call().status == 502
    reply = broken.call()
    assert (reply.status, reply.error["message"]) == (
        502,
        "echo: the function could not be loaded: RuntimeError: only once",
    )


@pytest.mark.slow
def test_a_taken_port_ends_the_host_saying_so(host: Host, make_server: Callable[..., FunctionServer]) -> None:
    running = host(MEETING)
    launch = make_server(MEETING).launch(running.port)
    second = subprocess.run(
        launch.argv,
        env=dict(launch.environment),
        cwd=launch.cwd,
        input=launch.stdin,
        capture_output=True,
        check=False,
    )
    assert second.returncode == 1
    assert f"cannot listen on port {running.port}" in second.stdout.decode()


@pytest.mark.slow
def test_a_host_ends_when_its_parent_does(make_server: Callable[..., FunctionServer], tmp_path: Path) -> None:
    launch = make_server(MEETING).launch(own_ports())
    (tmp_path / "stdin").write_bytes(launch.stdin)
    start = (
        "import subprocess, sys\n"
        "print(subprocess.Popen(sys.argv[2:], stdin=open(sys.argv[1])).pid, flush=True)\n"
        "sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            start,
            str(tmp_path / "stdin"),
            *launch.argv,
        ],
        cwd=launch.cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout is not None
        host = int(parent.stdout.readline())
        wait_until(lambda: psutil.Process(host).children(), "the host has started a worker")
        parent.kill()
    wait_until(lambda: is_gone(host), "the host is gone")


@pytest.mark.slow
def test_layers_are_warned_about(host: Host) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:pandas:1"
    assert host(MEETING, layers=(arn,)).wait_for_line(arn).startswith("WARNING: the layer")
