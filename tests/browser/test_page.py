"""The page over a real API whose config is unkind: errors, names, sizes, words in the code that it copies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from support.browser import PHONE
from support.local_api import LocalApi, start_local_api
from support.odd_server import OddServer
from support.page_snippets import run_all_snippets, run_snippet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.browser import Visit

pytestmark = pytest.mark.slow

HOSTILE = "<script>document.title='taken'</script><img src=x onerror=alert(1)> \"'`${1} שלום العربية 🎉 100%"
WORDS = 'L\'été, "naïve" $HOME `été` 名前 🎉'
MANY = 150
NAME = "a-name-that-is-as-long-as-names-may-be-which-is-sixty-three-ch"


@dataclass(frozen=True)
class Explained:
    """An error, and what of its explanation a participant must be able to read."""

    model: str
    status: int
    says: tuple[str, ...]


ERRORS = (
    Explained("refuses", 422, ('it\'s "wrong"', "Compare it with the sample")),
    Explained("busy", 429, ("request limit has been reached", "Try again in 7 s")),
    Explained("breaks", 502, ("closed the connection", "tell whoever runs the API")),
    Explained("gone", 503, ("starting or being restarted", "Try again in 2 s")),
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    folder = tmp_path_factory.mktemp("unkind")
    with OddServer() as odd, start_local_api(folder, build_config(odd.port)) as started:
        yield started.wait_serving()


def build_config(port: int) -> dict[str, Any]:
    paths = {"hostile": "/same", "refuses": "/refuse/422", "busy": "/status/429", "breaks": "/close"}
    entries = [entry(name, f"http://127.0.0.1:{port}{path}") for name, path in paths.items()]
    sample = {"text": HOSTILE}
    entries[0] |= {"description": HOSTILE, "made_by": HOSTILE, "licence": HOSTILE, "sample": sample}
    many = [{"name": f"m-{number}", "integration": {"type": "api"}} for number in range(MANY)]
    gone = {**entry("gone", "http://127.0.0.1:9/x"), "description": "word " * 60}
    long = {"name": NAME, "integration": {"type": "api"}, "description": "x" * 300}
    return {"models": [], "endpoints": [*entries, gone, long, *build_chats(port), *many]}


def build_chats(port: int) -> list[dict[str, Any]]:
    """Builds one server twice: as a chat, and as a model whose body is JSON."""
    says = entry("says", f"http://127.0.0.1:{port}/chat")
    says["sample"] = {"messages": [{"role": "user", "content": WORDS}]}
    return [{**says, "name": "chats", "local": {**says["local"], "speaks": "openai-chat"}}, says]


def entry(name: str, url: str) -> dict[str, Any]:
    return {"name": name, "integration": {"type": "api"}, "local": {"engine": "url", "url": url}}


def test_what_a_config_says_is_text_and_nothing_else(api: LocalApi, visit: Callable[..., Visit]) -> None:
    visited = visit(api.url)
    page = visited.show("hostile")
    assert HOSTILE in page.locator(".lead").inner_text()
    page.get_by_text("About hostile").click()
    assert page.locator(".about dd", has_text=HOSTILE).count() == 2
    assert page.locator("main img, main script").count() == 0
    assert page.title() == "hostile · Models"
    visited.submit()
    visited.answer.wait_for()
    assert visited.answer.inner_text() == HOSTILE


@pytest.mark.parametrize("error", ERRORS, ids=lambda one: one.model)
def test_an_error_is_explained(api: LocalApi, visit: Callable[..., Visit], error: Explained) -> None:
    visited = visit(api.url)
    visited.show(error.model)
    visited.submit()
    visited.problem.wait_for()
    explained = visited.problem.inner_text()
    for part in (str(error.status), *error.says):
        assert part in explained


def test_an_entry_that_is_not_served_says_so(api: LocalApi, visit: Callable[..., Visit]) -> None:
    page = visit(api.url).show("m-7")
    words = page.locator("main .note").inner_text()
    assert "m-7 is not served here. Ask the organizers" in words
    assert "local" not in words, "how to change that is for the organizers alone"
    assert page.locator("main button.primary").count() == 0


def test_health_is_live(api: LocalApi, visit: Callable[..., Visit]) -> None:
    page = visit(api.url).show("gone")
    page.locator("#status").get_by_text("is not ready", exact=True).wait_for()


def test_a_button_that_copied_twice_copies_again(api: LocalApi, visit: Callable[..., Visit]) -> None:
    visited = visit(api.url)
    page = visited.show("hostile")
    button = visited.open_code().get_by_role("button", name="Cop")
    page.clock.install()
    for _ in range(2):
        button.evaluate("button => button.click()")
        button.get_by_text("Copied").wait_for()
    page.clock.run_for(10_000)
    assert button.inner_text() == "Copy"


def test_a_model_is_found_by_its_name(api: LocalApi, visit: Callable[..., Visit]) -> None:
    page = visit(api.url).show("hostile")
    assert page.locator("#models li").count() == MANY + 8
    page.get_by_role("searchbox").fill("m-149")
    assert page.locator("#models li .cut").all_inner_texts() == ["m-149"]


def test_on_a_phone_names_are_whole_unless_they_are_long(api: LocalApi, visit: Callable[..., Visit]) -> None:
    page = visit(api.url, viewport=PHONE).show("hostile")
    page.get_by_role("button", name="Menu").click()
    cut = "spans => spans.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"
    assert page.locator("#models a .cut").evaluate_all(cut) == [NAME]


def test_the_keyboard_reaches_everything(api: LocalApi, visit: Callable[..., Visit]) -> None:
    visited = visit(api.url)
    page = visited.show("hostile")
    code = visited.open_code()
    code.get_by_role("tab", name="curl").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == "Python"
    assert "import requests" in code.locator("pre").inner_text()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.ariaLabel") == "Use it from code"


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
