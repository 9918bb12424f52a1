"""What the page copies prints the model's words as they are, whatever letters and quotes they have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.local_api import LocalApi, start_local_api
from support.odd_server import OddServer
from support.page_snippets import run_all_snippets, run_snippet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.browser import Visit

pytestmark = pytest.mark.slow

WORDS = 'L\'été, "naïve" $HOME `été` 名前 🎉'


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    folder = tmp_path_factory.mktemp("snippets")
    with OddServer() as odd, start_local_api(folder, build_config(odd.port)) as started:
        yield started.wait_serving()


def build_config(port: int) -> dict[str, Any]:
    sample = {"messages": [{"role": "user", "content": WORDS}]}
    local = {"engine": "url", "url": f"http://127.0.0.1:{port}/chat"}
    says = {"name": "says", "integration": {"type": "api"}, "sample": sample, "local": local}
    chats = {**says, "name": "chats", "local": {**local, "speaks": "openai-chat"}}
    return {"models": [], "endpoints": [chats, says]}


def test_a_streamed_chat_is_printed_as_its_text(
    api: LocalApi, visit: Callable[..., Visit], tmp_path: Path
) -> None:
    visited = visit(api.url)
    visited.show("chats").get_by_label("Your question").fill(WORDS)
    printed = run_all_snippets(visited, tmp_path)
    assert list(printed) == ["curl", "Python", "OpenAI", "JavaScript"]
    assert {text.decode() for text in printed.values()} == {"".join(WORDS.split()) + "\n"}


def test_a_complete_answer_is_printed_with_its_letters(
    api: LocalApi, visit: Callable[..., Visit], tmp_path: Path
) -> None:
    visited = visit(api.url)
    visited.show("says")
    printed = run_all_snippets(visited, tmp_path)
    assert list(printed) == ["curl", "Python", "JavaScript"]
    answers = [text.decode() for text in printed.values()]
    assert all("été" in answer and "名前" in answer for answer in answers)
    assert [json.loads(answer)["choices"][0]["message"]["content"] for answer in answers] == [WORDS] * 3


@pytest.mark.parametrize("language", ["Python", "JavaScript"])
def test_a_refusal_is_a_failure_with_its_status(
    api: LocalApi, visit: Callable[..., Visit], tmp_path: Path, language: str
) -> None:
    visited = visit(api.url)
    visited.show("chats").get_by_label("Your question").fill(WORDS)
    code = visited.snippet(language).replace('"chats"', '"nobody"')
    with pytest.raises(AssertionError, match=r"404|no such model"):
        run_snippet(language, code, tmp_path)
