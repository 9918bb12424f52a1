"""The server in a model's own process, over HTTP: most tests share one process."""

from __future__ import annotations

import json
import re
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import urllib3

from support.python_model import serve_model, start_model, write_model
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.python_model import ModelProcess


SOURCE = """
import logging, os, sys, threading, time
from pathlib import Path

def model_fn(model_dir):
    logging.getLogger("mine").info("loading in %s", threading.current_thread().name)
    return threading.get_ident()

def predict_fn(data, model):
    if data == "thread": return model == threading.get_ident()
    if data == "length": return None
    if data == "bug": raise RuntimeError("a detail of the inside")
    if data == "exit": sys.exit(5)
    if data == "interrupt": raise KeyboardInterrupt
    if data == "memory": raise MemoryError("a detail of the inside")
    if data == "recursion": return predict_fn(data, model)
    if data == "leave": os._exit(3)
    if data == "print": print("x" * 5_000_000)
    if data == "cwd": return os.getcwd()
    if data == "variables": return [os.environ["SM_MODEL_DIR"], os.environ.get("MLAPI_STATE_FOLDER")]
    if isinstance(data, dict) and "wait" in data:
        print("waiting", flush=True)
        while not Path(data["wait"]).exists(): time.sleep(0.01)
    return data

def output_fn(prediction, accept):
    from json import dumps
    return dumps(prediction)
"""
STREAM = """
import threading, time
ended = threading.Event()

def model_fn(model_dir): return None

def transform_fn(model, body, content_type, accept):
    def pieces():
        try:
            if body == "fails first": raise RuntimeError("first")
            yield "data: 1\\n\\n"
            if body == "fails later": raise RuntimeError("later")
            if body == "fails half way": yield "data: tw"; raise RuntimeError("later")
            while body == "forever":
                yield "data: more\\n\\n"
                time.sleep(0.01)
            yield "data: 2\\n\\n"
        finally:
            print("ended", flush=True)
    return pieces(), accept
"""
LIMIT_BYTES = 6 * 1024 * 1024


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelProcess]:
    with serve_model(write_model(tmp_path_factory.mktemp("served") / "model", SOURCE)) as model:
        yield model


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelProcess]:
    with serve_model(write_model(tmp_path_factory.mktemp("streamed") / "model", STREAM)) as model:
        yield model


def error_of(answer: urllib3.BaseHTTPResponse) -> dict[str, str]:
    error: dict[str, str] = json.loads(answer.data)["error"]
    return error


def test_ping_is_answered_with_nothing(model: ModelProcess) -> None:
    for method in ("GET", "HEAD"):
        answer = model.call(None, method, "/ping")
        assert (answer.status, answer.data) == (200, b"")


def test_a_call_is_answered_on_a_connection_that_stays(model: ModelProcess) -> None:
    pool = urllib3.HTTPConnectionPool("127.0.0.1", model.port, maxsize=1, retries=False)
    for number in range(5):
        answer = pool.request("POST", "/invocations", body=str(number).encode())
        assert (answer.status, answer.data) == (200, str(number).encode())
    assert pool.num_connections == 1


def test_a_body_as_large_as_the_api_allows_passes_whole_and_in_chunks(model: ModelProcess) -> None:
    body = json.dumps("x" * (LIMIT_BYTES - 2)).encode()
    assert model.call(body).data == body
    url = f"http://127.0.0.1:{model.port}/invocations"
    pieces = (body[start : start + 100_000] for start in range(0, len(body), 100_000))
    assert model.http.request("POST", url, body=pieces, chunked=True).data == body


@pytest.mark.parametrize(("path", "method"), [("/invocations", "GET"), ("/ping", "POST")])
def test_other_methods_are_405(model: ModelProcess, path: str, method: str) -> None:
    answer = model.call(None, method, path)
    assert (answer.status, error_of(answer)["code"]) == (405, "method_not_allowed")


def test_other_paths_are_404(model: ModelProcess) -> None:
    assert error_of(model.call(b"1", path="/else"))["code"] == "unknown_path"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("bug", "RuntimeError: a detail of the inside"),
        ("exit", "SystemExit: 5"),
        ("interrupt", "KeyboardInterrupt"),
        ("memory", "MemoryError: a detail of the inside"),
        ("recursion", "RecursionError: maximum recursion depth exceeded"),
    ],
)
def test_a_bug_is_500_with_a_reference_that_the_log_has_with_the_traceback(
    model: ModelProcess, body: str, reason: str
) -> None:
    answer = model.call(json.dumps(body).encode())
    error = error_of(answer)
    assert (answer.status, error["type"], error["code"]) == (500, "model_error", "model_failed")
    assert error["request_id"] in error["message"]
    assert "a detail of the inside" not in answer.data.decode()
    assert "Traceback" not in answer.data.decode()
    model.wait_output(f"reference {error['request_id']}: 500")
    model.wait_output(reason)
    assert model.call(b"1").status == 200


def test_bad_input_is_400_and_says_why(model: ModelProcess) -> None:
    answer = model.call(b"{")
    assert (answer.status, error_of(answer)["code"]) == (400, "model_refused")
    assert "it is not application/json" in error_of(answer)["message"]


def test_one_thread_loads_and_runs_the_model(model: ModelProcess) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda _: model.call(b'"thread"').data, range(16))
    assert set(answers) == {b"true"}


def test_it_runs_in_its_own_folder_and_what_it_logs_is_in_its_log(model: ModelProcess) -> None:
    folder = json.loads(model.call(b'"cwd"').data)
    assert folder.endswith("/model")
    assert json.loads(model.call(b'"variables"').data) == [folder, None]
    assert re.search(r"INFO mine: loading in model", model.output)


def test_a_model_that_prints_without_measure_answers_all_the_same(model: ModelProcess) -> None:
    assert model.call(b'"print"').data == b'"print"'


def test_calls_wait_for_their_turn_and_pings_do_not(model: ModelProcess, tmp_path: Path) -> None:
    go = tmp_path / "go"
    with ThreadPoolExecutor(16) as threads:
        waiting = [threads.submit(model.call, json.dumps({"wait": str(go)}).encode()) for _ in range(16)]
        model.wait_output("waiting")
        assert model.call(None, "GET", "/ping").status == 200
        go.touch()
        assert {call.result().status for call in waiting} == {200}


def test_more_calls_than_may_wait_are_503_with_retry_after(model: ModelProcess, tmp_path: Path) -> None:
    go = tmp_path / "go"
    body = json.dumps({"wait": str(go)}).encode()
    with ThreadPoolExecutor(80) as threads:
        calls = [threads.submit(model.call, body) for _ in range(80)]
        wait_until(lambda: any(call.done() for call in calls), "a call is refused")
        refused = next(call.result() for call in calls if call.done())
        go.touch()
        statuses = sorted(call.result().status for call in calls)
    assert (refused.status, error_of(refused)["code"]) == (503, "overloaded")
    assert refused.headers["Retry-After"]
    assert statuses.count(200) >= 64
    assert set(statuses) == {200, 503}


def test_a_stream_comes_in_pieces(stream: ModelProcess) -> None:
    answer = stream.call(b"plain", Content_Type="text/plain", Accept="text/event-stream")
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.data == b"data: 1\n\ndata: 2\n\n"


def test_a_stream_that_fails_before_its_first_piece_is_500(stream: ModelProcess) -> None:
    assert stream.call(b"fails first", Content_Type="text/plain", Accept="a/b").status == 500


@pytest.mark.parametrize("body", [b"fails later", b"fails half way"])
def test_an_event_stream_that_fails_later_ends_with_an_event_that_says_so(
    stream: ModelProcess, body: bytes
) -> None:
    answer = stream.call(body, Content_Type="text/plain", Accept="text/event-stream")
    first, last, rest = answer.data.decode().split("\n\n")
    assert (answer.status, first, rest) == (200, "data: 1", "")
    error = json.loads(last.removeprefix("data: "))["error"]
    assert error["code"] == "model_failed"
    stream.wait_output(f"reference {error['request_id']}")


def test_json_lines_that_fail_later_end_with_a_line_that_says_so(stream: ModelProcess) -> None:
    answer = stream.call(b"fails half way", Content_Type="text/plain", Accept="application/jsonlines")
    first, _, last, rest = answer.data.decode().split("\n")
    assert (answer.status, first, rest) == (200, "data: 1", "")
    assert json.loads(last)["error"]["code"] == "model_failed"


def test_another_stream_that_fails_later_is_cut_so_that_nobody_takes_it_for_whole(
    stream: ModelProcess,
) -> None:
    before = stream.output.count("Traceback")
    with pytest.raises(urllib3.exceptions.ProtocolError):
        stream.call(b"fails later", Content_Type="text/plain", Accept="a/b")
    assert stream.call(b"plain", Content_Type="text/plain", Accept="a/b").status == 200
    assert stream.output.count("Traceback") == before + 1


def test_a_stream_ends_when_its_caller_goes(stream: ModelProcess) -> None:
    before = stream.output.count("ended")
    url = f"http://127.0.0.1:{stream.port}/invocations"
    headers = {"Content-Type": "text/plain", "Accept": "a/b"}
    answer = stream.http.request("POST", url, body=b"forever", headers=headers, preload_content=False)
    assert next(answer.stream(9)) == b"data: 1\n\n"
    answer.close()
    wait_until(lambda: stream.output.count("ended") > before, "the generator is closed")


@pytest.mark.slow
def test_a_stop_answers_the_call_under_way_and_takes_no_more(tmp_path: Path) -> None:
    go = tmp_path / "go"
    with serve_model(write_model(tmp_path / "model", SOURCE)) as model, ThreadPoolExecutor(1) as threads:
        call = threads.submit(model.call, json.dumps({"wait": str(go)}).encode())
        model.wait_output("waiting")
        model.process.send_signal(signal.SIGTERM)
        model.wait_output("new calls are refused")  # a call before that would wait for the one under way
        assert model.call(b"1").status == 503
        go.touch()
        assert call.result().status == 200
        assert model.wait_end() == 0


@pytest.mark.slow
def test_a_model_that_hangs_longer_than_the_limit_is_ended_and_shown(tmp_path: Path) -> None:
    with serve_model(write_model(tmp_path / "model", SOURCE), {"MODEL_SERVER_TIMEOUT": "0.5"}) as model:
        with pytest.raises(urllib3.exceptions.ProtocolError):
            model.call(json.dumps({"wait": str(tmp_path / "never")}).encode())
        assert model.wait_end() == 1
    assert "no answer after 0.5 seconds" in model.output
    assert "in predict_fn" in model.output


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what is mapped")
def test_a_request_for_more_memory_than_the_config_says_fails_alone(tmp_path: Path) -> None:
    source = """
def model_fn(model_dir): return bytearray(200 * 2**20)
def predict_fn(data, model): return len(bytearray(data * 2**20))
"""
    with serve_model(write_model(tmp_path / "model", source), {"MODEL_SERVER_MEMORY_MIB": "100"}) as model:
        assert [model.call(body).status for body in (b"120", b"1000000", b"20")] == [500, 500, 200]
    assert "MemoryError" in model.output


@pytest.mark.slow
@pytest.mark.skipif(
    sys.platform != "linux", reason="only glibc gives back what is free between pieces in use"
)
def test_what_a_call_has_freed_is_given_back_after_it(tmp_path: Path) -> None:
    """Between the freed pieces, each too small to be mapped alone, small ones stay in use."""
    source = """
from pathlib import Path

kept = []

def count_mib():
    resident, shared = map(int, Path("/proc/self/statm").read_text().split()[1:3])
    return (resident - shared) * 4096 // 2**20

def model_fn(model_dir): return None

def predict_fn(count, model):
    before, pieces = count_mib(), []
    for _ in range(count):
        pieces.append(bytearray(2**20))
        kept.append(bytearray(1_000))
    return [before, count_mib()]
"""
    with serve_model(write_model(tmp_path / "model", source)) as model:
        (first, most), (after, _) = (json.loads(model.call(body).data) for body in (b"300", b"0"))
    assert most > first + 250
    assert after < first + 64


@pytest.mark.slow
def test_threads_may_share_a_model(tmp_path: Path) -> None:
    source = """
import threading
together = threading.Barrier(2)
def model_fn(model_dir): return None
def predict_fn(data, model): return together.wait(10) >= 0
"""
    with (
        serve_model(write_model(tmp_path / "model", source), {"MODEL_SERVER_THREADS": "2"}) as model,
        ThreadPoolExecutor(2) as threads,
    ):
        assert [answer.status for answer in threads.map(model.call, [b"1", b"2"])] == [200, 200]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "last_line"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        (
            "def model_fn(model_dir): raise RuntimeError('no file')\ndef predict_fn(a, b): 0",
            "RuntimeError: no file",
        ),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("def model_fn(model_dir): 1", "it defines neither predict_fn(input_data, model) nor transform_fn"),
    ],
)
def test_a_model_that_cannot_be_loaded_ends_with_a_last_line_that_says_why(
    tmp_path: Path, source: str, last_line: str
) -> None:
    with start_model(write_model(tmp_path / "model", source)) as model:
        assert model.wait_end() == 1
    assert model.output.splitlines()[-1].endswith(f"inference.py cannot be served: {last_line}")
