"""Every kind of model is called from the page, and what it copies runs as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.local_api import LocalApi, start_local_api
from support.page_snippets import run_all_snippets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.browser import Visit

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FIRST_START_SECONDS = 480
"""On a machine that has none of it yet, packages and weights are fetched first, once."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    with start_local_api(tmp_path_factory.mktemp("browser"), ROOT / "config/showcase.json") as started:
        yield started.wait_serving(FIRST_START_SECONDS)


def test_a_chat_streams_and_its_snippets_say_the_same(
    api: LocalApi, visit: Callable[..., Visit], tmp_path: Path
) -> None:
    visited = visit(api.url)
    visited.show("chat")
    visited.ask("Say yes.")
    visited.answers.get_by_text("first word after").wait_for()
    assert visited.answers.count() == 1
    assert visited.answers.locator(".markdown").inner_text().strip()
    printed = run_all_snippets(visited, tmp_path)
    assert list(printed) == ["curl", "Python", "OpenAI", "JavaScript"]
    assert all(text.strip() and b"data:" not in text for text in printed.values())


def test_embeddings_are_compared_as_a_picture(
    api: LocalApi, visit: Callable[..., Visit], tmp_path: Path
) -> None:
    visited = visit(api.url)
    page = visited.show("embeddings")
    visited.submit()
    page.locator("table.similarity").wait_for()
    rows = page.locator("table.similarity tbody tr")
    similarity = [[float(cell) for cell in row.locator("td").all_text_contents()] for row in rows.all()]
    assert [similarity[index][index] for index in range(3)] == [1, 1, 1]
    assert similarity[0][1] > similarity[0][2], "two sentences about a cat are closer than one about stocks"
    assert b"384" in run_all_snippets(visited, tmp_path)["OpenAI"]


@pytest.mark.parametrize(
    ("model", "said"), [("speech-to-text", "Hello from one machine."), ("ocr", "Total: 42.50 EUR")]
)
def test_a_sample_that_is_a_file_is_one_click_away(
    api: LocalApi, visit: Callable[..., Visit], tmp_path: Path, model: str, said: str
) -> None:
    visited = visit(api.url)
    visited.show(model)
    visited.submit()
    visited.answer.wait_for()
    assert said in visited.answer.inner_text()
    assert all(said.encode() in one for one in run_all_snippets(visited, tmp_path).values())


def test_a_file_of_ones_own_takes_the_place_of_the_sample(
    api: LocalApi, visit: Callable[..., Visit], tmp_path: Path
) -> None:
    visited = visit(api.url)
    page = visited.show("ocr")
    other = tmp_path / "not-an-image.png"
    other.write_bytes(b"no image")
    page.set_input_files("input[type=file]", other)
    assert "not-an-image.png" in visited.open_code().locator("pre").inner_text()
    visited.submit()
    visited.problem.wait_for()
    assert "400" in visited.problem.inner_text()


DURATION = """audio => new Promise((done) => {
  const tell = () => audio.duration > 0 && done(audio.duration);
  audio.addEventListener("durationchange", tell);
  tell();
})"""
"""How long a sound is, in seconds, once the browser has read it."""


def test_spoken_text_is_heard(api: LocalApi, visit: Callable[..., Visit], tmp_path: Path) -> None:
    visited = visit(api.url)
    page = visited.show("text-to-speech")
    visited.submit()
    sound = page.get_by_label("Audio from the model")
    sound.wait_for()
    assert sound.evaluate(DURATION) > 0
    assert all(one.startswith(b"RIFF") for one in run_all_snippets(visited, tmp_path).values())
