from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import TypeAdapter

from centralized_ml_api.config.schema import Local
from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.servers.model import (
    build_environment,
    fetch,
    in_thread,
    render_progress,
    why_not_served,
)
from centralized_ml_api.local.weights import Progress
from centralized_ml_api.plan.engines import (
    CommandServing,
    LlamaCppServing,
    PythonServing,
    SageMakerServing,
    Serving,
    UrlServing,
)
from centralized_ml_api.plan.types import JumpStartModel, LocalPlan, ModelDeployment, PackageModel
from support.fake_target import soon
from support.file_server import FileServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def story(tell: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await asyncio.wait_for(tell(), 60)

    asyncio.run(main())


COMMAND = CommandServing(("serve",), ping="/ping", invocations="/run")


def deployment(serving: Serving | None, *, name: str = "sd-1-0", model_id: str = "") -> ModelDeployment:
    return ModelDeployment(
        name=name,
        endpoint_name=f"{name}-endpoint",
        origin=JumpStartModel(model_id, "*", None, accept_eula=False) if model_id else PackageModel("arn:x"),
        instances=("ml.g5.2xlarge",),
        autoscaling=None,
        environment={},
        integration="api",
        headers=(),
        function=None,
        description="",
        sample=None,
        local=None if serving is None else LocalPlan(serving, 1, {}),
    )


def llama(written: str, fetch: str = "manual") -> LlamaCppServing:
    return LlamaCppServing(parse_weights(written), 2048, "manual" if fetch == "manual" else "auto")


@pytest.mark.parametrize(
    "serving",
    [COMMAND, UrlServing("http://gpu/x", None), llama("hf://a/b/c", "auto"), SageMakerServing(None)],
)
def test_what_is_served_has_no_message(serving: Serving) -> None:
    assert why_not_served(deployment(serving), ()) is None


@pytest.mark.parametrize(
    ("model_id", "engine"),
    [("", "url"), ("huggingface-textgeneration-open-llama", "llama.cpp")],
)
def test_an_entry_without_a_local_block_is_told_one_that_suits_it(model_id: str, engine: str) -> None:
    message = why_not_served(deployment(None, model_id=model_id), ()) or ""
    assert message.startswith("sd-1-0 is not served on this machine")
    example = json.loads(message.partition('"local": ')[2])
    assert example["engine"] == engine
    TypeAdapter(Local).validate_python(example)


def test_an_address_that_is_none_is_said_to_be_none() -> None:
    assert "is not an http:// or https:// address" in (
        why_not_served(deployment(UrlServing("gpu:8000", None)), ()) or ""
    )


def test_weights_that_are_fetched_by_hand_are_asked_for_with_their_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLAPI_CACHE", str(tmp_path))
    with FileServer(bytes(98_000_000)) as server:
        message = why_not_served(deployment(llama(f"{server.url}/model.gguf")), ())
    assert message == (
        "The weights of sd-1-0 (98 MB) are not on this machine yet. Fetch them: mlapi pull sd-1-0"
    )
    assert "sd-1-0 (size unknown) are not on" in (
        why_not_served(deployment(llama("pypi://a==1/m.gguf")), ()) or ""
    )


def test_a_python_model_waits_for_its_weights_only_where_it_has_some(tmp_path: Path) -> None:
    without = PythonServing(tmp_path, None, "manual")
    assert why_not_served(deployment(without), ()) is None
    waiting = PythonServing(tmp_path, parse_weights("pypi://a==1/m.onnx"), "manual")
    assert "mlapi pull sd-1-0" in (why_not_served(deployment(waiting), ()) or "")


def test_weights_that_are_there_are_served(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").touch()
    assert why_not_served(deployment(llama("model.gguf")), (tmp_path,)) is None


def test_the_environment_is_the_users_without_our_own() -> None:
    ours = {"PATH": "/bin", "HOME": "/home/me", "MLAPI_KEY": "secret", "A": "inherited"}
    assert build_environment(ours, {"A": "configured"}) == {
        "PATH": "/bin",
        "HOME": "/home/me",
        "A": "configured",
    }


def test_weights_are_fetched_from_the_folders_and_progress_is_said(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    said: list[str] = []

    async def tell() -> None:
        found = await fetch(parse_weights("m.gguf"), (Path("/nowhere"), tmp_path), said.append)
        assert found == tmp_path / "m.gguf"

    story(tell)


def test_work_in_a_thread_says_its_words_in_the_event_loop() -> None:
    async def tell() -> None:
        said: list[tuple[str, bool]] = []
        here = threading.get_ident()

        def work(say: Callable[[str], None], cancelled: threading.Event) -> str:
            assert threading.get_ident() != here
            say("half")
            assert not cancelled.is_set()
            return "done"

        def say(words: str) -> None:
            said.append((words, threading.get_ident() == here))

        assert await in_thread(work, say) == "done"
        await asyncio.sleep(0)
        assert said == [("half", True)]

    story(tell)


def test_work_that_is_cancelled_hears_of_it_and_its_thread_ends_first() -> None:
    async def tell() -> None:
        began, ended = threading.Event(), threading.Event()

        def work(_: Callable[[str], None], cancelled: threading.Event) -> None:
            began.set()
            assert cancelled.wait(30)
            ended.set()
            raise StartError("cancelled")

        working = asyncio.create_task(in_thread(work, lambda _: None))
        await soon(began.is_set)
        working.cancel()
        await asyncio.wait({working})
        assert ended.is_set()
        assert working.cancelled()

    story(tell)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (Progress("waiting", 0, None), "waiting for another process that fetches the same weights"),
        (Progress("downloading", 0, None), "downloading weights"),
        (Progress("downloading", 12_300_000, None), "downloading weights: 12 MB"),
        (Progress("downloading", 12_300_000, 93_800_000), "downloading weights: 12 MB of 94 MB (13%)"),
        (Progress("unpacking", 0, 1_000_000), "unpacking weights: 0 bytes of 1 MB (0%)"),
        (Progress("verifying", 1_000_000, 1_000_000), "verifying weights: 1 MB of 1 MB (100%)"),
    ],
)
def test_progress_is_worded_with_what_is_known(now: Progress, words: str) -> None:
    assert render_progress(now) == words
