from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.local.servers.llama_cpp import LlamaCppServer
from centralized_ml_api.local.servers.llama_cpp_main import usable_cores
from centralized_ml_api.plan.engines import LlamaCppServing
from support.fetching import Fetcher
from support.tiny_projector import write_tiny_projector
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.local.launch import Server

CONTEXT = 512
QUESTION = {"messages": [{"role": "user", "content": "What is AWS?"}], "max_tokens": 8}
ENDLESS = {**QUESTION, "max_tokens": 400, "ignore_eos": True}
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
PICTURE_TOKENS = 4
"""Of the tiny projector."""

LONG = {"messages": [{"role": "user", "content": "word " * 400}], "max_tokens": 1}


def build_server(model_path: Path, folder: Path, answer_tokens: int = 512) -> LlamaCppServer:
    return LlamaCppServer(
        serving(model_path, CONTEXT), (model_path,), "my-model", answer_tokens, dict(os.environ), folder
    )


def serving(model_path: Path, context: int) -> LlamaCppServing:
    return LlamaCppServing(parse_weights(str(model_path)), context, "auto")


@dataclass
class Running:
    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def get(self, path: str) -> urllib3.BaseHTTPResponse:
        """Over a new connection: one that is kept alive would have its thread already."""
        with urllib3.PoolManager(timeout=20, retries=False) as pool:
            return pool.request("GET", f"{self.url}{path}")

    def ask(self, question: dict[str, Any], seconds: float = 60) -> urllib3.BaseHTTPResponse:
        path = "/v1/chat/completions"
        return urllib3.request("POST", f"{self.url}{path}", json=question, timeout=seconds, retries=False)

    def is_ready(self) -> bool:
        try:
            return self.get("/health").status == 200
        except urllib3.exceptions.HTTPError:
            return self.process.poll() is not None  # ends the wait; the test then shows the log

    def send_endless(self) -> socket.socket:
        """A call whose answer takes long; closing the socket is a client that leaves."""
        return self.send(ENDLESS)

    def send(self, question: dict[str, Any]) -> socket.socket:
        body = json.dumps(question).encode()
        client = socket.create_connection(("127.0.0.1", int(self.url.rpartition(":")[2])))
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        return client

    def count(self, words: str) -> int:
        """How often it has logged these words."""
        return self.log.read_text(errors="replace").count(words)

    def wait_for(self, words: str, *, more_than: int = 0) -> None:
        wait_until(lambda: self.count(words) > more_than, f"llama.cpp logs {words!r}")


@contextmanager
def running(server: Server, log: Path) -> Iterator[Running]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launch = server.launch(port)
    with (
        log.open("wb") as output,
        subprocess.Popen(
            launch.argv, env=dict(launch.environment), cwd=launch.cwd, stdout=output, stderr=output
        ) as process,
    ):
        model = Running(process, f"http://127.0.0.1:{port}", log)
        try:
            yield model
        finally:
            process.kill()


@pytest.fixture(scope="module")
def weights() -> Path:
    """The weights of the default config, in the user's own cache: fetched once for all runs."""
    config = json.loads(Path("config/models.json").read_text(encoding="utf-8"))
    return Fetcher(None).fetch(config["models"][0]["local"]["weights"])


@pytest.fixture(scope="module")
def model(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("llama")
    with running(build_server(weights, folder), folder / "log") as model:
        wait_until(model.is_ready, "llama.cpp is ready")
        yield model


def test_the_process_gets_what_it_needs_and_no_more(tmp_path: Path) -> None:
    path = Path("/m.gguf")
    server = LlamaCppServer(serving(path, 2048), (path,), "my-model", 700, {"A": "b"}, tmp_path)
    launch = server.launch(9000)
    arguments = " ".join(launch.argv)
    limits = "--context 2048 --parallel 4 --answer-tokens 700"
    assert arguments.endswith(f"--model /m.gguf --alias my-model {limits} --port 9000")
    assert (launch.environment, launch.cwd) == ({"A": "b"}, tmp_path)
    assert server.ping_path == "/health"
    apart = replace(server, serving=replace(server.serving, share_prompts=False))
    assert apart.launch(9000).argv == (*launch.argv, "--keep-prompts-apart")


@pytest.mark.parametrize(
    ("quota", "cores"), [("100000 100000", 1), ("50000 100000", 1), ("max 100000", None)]
)
def test_the_quota_of_a_container_counts(tmp_path: Path, quota: str, cores: int | None) -> None:
    unlimited = usable_cores(tmp_path / "no such file")
    (tmp_path / "cpu.max").write_text(f"{quota}\n")
    assert usable_cores(tmp_path / "cpu.max") == (cores or unlimited)


@pytest.mark.slow
def test_an_answer_names_the_entry_and_nothing_of_this_machine(model: Running, weights: Path) -> None:
    answer = model.ask(QUESTION)
    assert answer.status == 200
    said = answer.json()
    assert said["model"] == "my-model"
    assert said["choices"][0]["message"]["content"]
    assert str(weights.parent) not in answer.data.decode()


@pytest.mark.slow
def test_an_answer_has_so_many_tokens_at_most_unless_the_request_asks_for_more(
    weights: Path, tmp_path: Path
) -> None:
    with running(build_server(weights, tmp_path, answer_tokens=6), tmp_path / "log") as model:
        model.wait_for("serving my-model on")
        endless = {"messages": QUESTION["messages"], "ignore_eos": True}
        for asked, tokens in (({}, 6), ({"max_tokens": 3}, 3), ({"max_tokens": -1}, 6)):
            assert model.ask({**endless, **asked}).json()["usage"]["completion_tokens"] == tokens


@pytest.mark.slow
def test_cors_is_left_to_the_gateway(model: Running) -> None:
    headers = urllib3.request("GET", f"{model.url}/health", headers={"Origin": "http://page"}).headers
    assert [name for name in headers if name.lower().startswith("access-control")] == []


@pytest.mark.slow
def test_four_conversations_at_once_have_the_whole_context_each(model: Running) -> None:
    long = {**QUESTION, "messages": [{"role": "user", "content": "word " * (CONTEXT - 100)}]}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda question: model.ask(question, seconds=240), [long] * 4))
    assert [answer.status for answer in answers] == [200] * 4
    too_long = model.ask({**QUESTION, "messages": [{"role": "user", "content": "word " * (CONTEXT + 10)}]})
    assert too_long.status == 400
    assert f"({CONTEXT} tokens)" in too_long.json()["error"]["message"]


@pytest.mark.slow
def test_it_says_that_it_lives_while_many_calls_wait(weights: Path, tmp_path: Path) -> None:
    with running(build_server(weights, tmp_path), tmp_path / "log") as model, ExitStack() as clients:
        model.wait_for("serving my-model on")
        for _ in range(20):
            clients.enter_context(model.send_endless())
        model.wait_for("processing task", more_than=3)
        assert model.get("/health").status == 200
        assert model.count("stop processing") == 0, "it must not wait for a call to end"


@pytest.mark.slow
def test_a_short_prompt_is_read_while_a_long_one_in_the_last_slot_is(weights: Path, tmp_path: Path) -> None:
    ended: list[str] = []
    with running(build_server(weights, tmp_path), tmp_path / "log") as model, ThreadPoolExecutor(1) as pool:
        wait_until(model.is_ready, "llama.cpp is ready")
        reading = pool.submit(model.ask, {**LONG, "id_slot": 3})
        reading.add_done_callback(lambda _: ended.append("long"))
        wait_until(lambda: b"requests_processing 1" in model.get("/metrics").data, "the long one is read")
        short = model.ask({**QUESTION, "max_tokens": 1, "id_slot": 0})
        ended.append("short")
        assert (short.status, reading.result(60).status) == (200, 200)
    assert ended == ["short", "long"]


@pytest.mark.slow
def test_a_slot_that_calls_name_keeps_their_prompt(model: Running) -> None:
    """Left to itself, the server would take the one whose prompt begins most alike for all of them."""

    def count_cached(question: str, slot: int) -> int:
        messages = [{"role": "user", "content": f"Here is what to do first of all: {question}"}]
        answer = model.ask({"messages": messages, "max_tokens": 1, "id_slot": slot}).json()
        cached: int = answer["timings"]["cache_n"]
        return cached

    count_cached("say hello to everybody who has come", 0)
    count_cached("write about the sea and the clouds above it", 1)
    assert count_cached("say hello to everybody who has come", 0) > count_cached("say hello to all", 1)


@pytest.mark.slow
def test_a_client_that_leaves_stops_its_answer(weights: Path, tmp_path: Path) -> None:
    with running(build_server(weights, tmp_path), tmp_path / "log") as model:
        model.wait_for("serving my-model on")
        with model.send_endless():
            model.wait_for("processing task")
        model.wait_for("cancel task")


@pytest.mark.slow
def test_a_client_that_leaves_stops_the_reading_of_its_prompt(weights: Path, tmp_path: Path) -> None:
    with running(build_server(weights, tmp_path), tmp_path / "log") as model:
        model.wait_for("serving my-model on")
        with model.send(LONG):
            model.wait_for("processing task")
        model.wait_for("stop processing")
        assert model.count("cancel task") == 1
        assert model.count("prompt eval time") == 0, "it was not read to its end"


@pytest.mark.slow
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "answering"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_when_told_to(
    weights: Path, tmp_path: Path, number: signal.Signals, *, busy: bool
) -> None:
    with running(build_server(weights, tmp_path), tmp_path / "log") as model, ExitStack() as clients:
        model.wait_for("serving my-model on")
        if busy:
            clients.enter_context(model.send_endless())
            model.wait_for("processing task")
        model.process.send_signal(number)
        assert model.process.wait(10) == 0
        assert model.count("stopped") == 1


def failure_line(server: Server, log: Path) -> str:
    """Returns our own line about why it failed; the thread of llama.cpp's lines may add one after it."""
    with running(server, log) as model:
        assert model.process.wait(30) == 1
    (line,) = (line for line in log.read_text(errors="replace").splitlines() if line.startswith("error: "))
    return line


@pytest.mark.slow
def test_a_damaged_model_is_said_to_be_one(weights: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.gguf"
    with weights.open("rb") as whole:
        damaged.write_bytes(whole.read(100_000))
    line = failure_line(build_server(damaged, tmp_path), tmp_path / "log")
    assert line.startswith(f"error: llama.cpp cannot serve {damaged}: ")
    assert "damaged" in line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file"), (b"<html>", "it is not a GGUF file")]
)
def test_what_is_no_model_is_said_to_be_none(tmp_path: Path, content: bytes | None, reason: str) -> None:
    file = tmp_path / "model.gguf"
    if content:
        file.write_bytes(content)
    assert reason in failure_line(build_server(file, tmp_path), tmp_path / "log")


@pytest.mark.slow
def test_a_model_with_a_projector_sees_pictures(weights: Path, tmp_path: Path) -> None:
    """The projector is noise of the right form: the model gets four tokens more, none of which it knows."""
    projector = write_tiny_projector(tmp_path / "mmproj.gguf", model_width=576)
    seen = replace(
        serving(weights, CONTEXT),
        projector=parse_weights(str(projector)),
        parallel=1,
        flags=("--temp", "0", "--cache-type-k", "q8_0"),
    )
    ffprobe, called = tmp_path / "bin/ffprobe", tmp_path / "called"
    ffprobe.parent.mkdir()
    ffprobe.write_text(f"#!/bin/sh\ntouch {called}\n")
    ffprobe.chmod(0o755)
    environment = {**os.environ, "PATH": f"{ffprobe.parent}:{os.environ['PATH']}"}
    server = LlamaCppServer(seen, (weights, projector), "m", 8, environment, tmp_path)
    with running(server, tmp_path / "log") as model:
        wait_until(model.is_ready, "llama.cpp is ready")
        tokens = [count_prompt(model, parts) for parts in ([], [picture(PIXEL)])]
        refused = model.ask({"messages": [{"role": "user", "content": [picture(b"\x89PNG no picture")]}]})
    assert tokens[1] - tokens[0] == PICTURE_TOKENS
    assert refused.status == 400
    assert not called.exists()


def picture(content: bytes) -> dict[str, Any]:
    """Returns a part of a message."""
    data = base64.b64encode(content).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}


def count_prompt(model: Running, parts: list[dict[str, Any]]) -> int:
    """Returns the tokens of a short prompt with these parts."""
    content = [{"type": "text", "text": "Hi"}, *parts]
    answer = model.ask({"messages": [{"role": "user", "content": content}], "max_tokens": 1})
    assert answer.status == 200, answer.data
    return int(answer.json()["usage"]["prompt_tokens"])
