from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.child_environment import build_environment
from centralized_ml_api.local.servers.parts import (
    fetch,
    in_thread,
    render_progress,
)
from centralized_ml_api.local.weights import Progress
from support.fake_target import soon
from support.story import story

if TYPE_CHECKING:
    from collections.abc import Callable


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
