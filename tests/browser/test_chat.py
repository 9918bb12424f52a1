"""The chat of the page: all that a conversation does, over models that answer what a test has scripted."""

from __future__ import annotations

import base64
import re
import threading
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from centralized_ml_api.api.clients import load_clients, render_lines
from support.chat_page import BRIEF_TOKENS, MARKDOWN, PIXEL, SYSTEM
from support.page_server import Reply, say
from support.page_snippets import run_snippet

if TYPE_CHECKING:
    from pathlib import Path

    from support.browser import Visit
    from support.page_server import PageServer

pytestmark = pytest.mark.slow


def test_the_question_leaves_the_box_when_it_is_sent_and_the_answer_streams(
    chat: Visit, server: PageServer
) -> None:
    gate = threading.Event()
    server.script("One?", say("first **second** last", gate=gate))
    chat.ask("One?")
    expect(chat.page.get_by_label("Your question")).to_have_value("")
    expect(chat.answers.locator("strong")).to_have_text("second")
    chat.page.get_by_role("button", name="Stop").wait_for()
    gate.set()
    chat.wait_answered()
    assert chat.answers.locator(".markdown").inner_text() == "first second last"
    assert re.search(r"3 tokens( · \d+ a second)? · first word after \d", chat.answers.inner_text())
    sent = server.asked[-1]
    assert sent["messages"] == [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "One?"}]
    assert (sent["max_tokens"], sent["stream"], sent["stream_options"]) == (
        640,
        True,
        {"include_usage": True},
    )
    assert "temperature" not in sent


def test_markdown_is_shown_and_code_is_copied(chat: Visit, server: PageServer) -> None:
    server.script("Plan?", Reply((MARKDOWN,)))
    chat.answered("Plan?")
    body = chat.answers.locator(".markdown")
    assert body.locator("ol > li").all_inner_texts() == ["Resample five minutes.", "Split by day."]
    assert body.locator("td").evaluate_all("all => all.map(cell => getComputedStyle(cell).textAlign)") == [
        "start",
        "right",
    ]
    assert body.locator("pre .k, pre .s").count() > 0, "coloured"
    box = body.locator(".codebox")
    box.get_by_role("button", name="Copy").click()
    box.get_by_text("Copied").wait_for()
    assert chat.page.evaluate("navigator.clipboard.readText()") == 'print("à < b")'
    chat.answers.locator(".tools").get_by_role("button", name="Copy").click()
    expect(chat.answers.locator(".tools").get_by_text("Copied")).to_be_visible()
    assert chat.page.evaluate("navigator.clipboard.readText()") == MARKDOWN


def test_an_answer_is_stopped_and_continued(chat: Visit, server: PageServer) -> None:
    gate = threading.Event()
    server.script("Long?", say("one two three", gate=gate))
    server.script("Continue exactly where you stopped. Repeat nothing.", say("three"))
    chat.ask("Long?")
    expect(chat.answers.locator(".markdown")).to_have_text("one two")
    chat.page.get_by_role("button", name="Stop").click()
    chat.answers.get_by_text("You stopped this answer").wait_for()
    gate.set()
    chat.answers.get_by_role("button", name="Continue").click()
    expect(chat.answers.locator(".markdown")).to_have_text("one two three")
    assert [message["role"] for message in server.asked[-1]["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
    ]


def test_a_cut_answer_says_at_how_many_tokens_it_was_cut(chat: Visit, server: PageServer) -> None:
    server.script("Cut?", say("one two three", finish="length"))
    chat.answered("Cut?")
    assert "Stopped at 3 tokens, the length that you allow." in chat.answers.inner_text()


def test_no_model_is_asked_for_longer_answers_than_it_may_give(chat: Visit, server: PageServer) -> None:
    chat.show("sees")
    server.script("Brief?", say("one two three", finish="length"))
    chat.answered("Brief?")
    assert server.asked[-1]["max_tokens"] == BRIEF_TOKENS
    assert "Stopped at 3 tokens, the longest answer of this model." in chat.answers.inner_text()
    expect(chat.answers.get_by_role("button", name="Allow more")).to_have_count(0)
    expect(chat.answers.get_by_role("button", name="Continue")).to_be_visible()
    chat.page.get_by_role("button", name="Settings", exact=True).click()
    length = chat.page.get_by_label("Longest answer")
    length.press("ArrowLeft")
    length.press("End")
    expect(length).to_have_value(str(BRIEF_TOKENS))
    chat.page.keyboard.press("Escape")


def test_beside_another_model_each_is_asked_for_what_it_may_give(chat: Visit, server: PageServer) -> None:
    chat.page.get_by_role("button", name="Compare two models").click()
    chat.page.get_by_label("Model on the right").select_option("sees")
    chat.answered("Both, briefly?")
    asked = {call["model"]: call["max_tokens"] for call in server.asked[-2:]}
    assert asked == {"chat": 640, "sees": BRIEF_TOKENS}


def test_a_question_is_edited_and_the_old_answer_stays(chat: Visit, server: PageServer) -> None:
    server.script("Wrong?", say("old"))
    server.script("Right?", say("new"))
    chat.answered("Wrong?")
    chat.answered("More?")
    chat.page.locator(".mine").first.hover()
    chat.page.locator(".mine").first.get_by_role("button", name="Edit").click()
    editor = chat.page.get_by_label("Edit your question")
    expect(editor).to_have_value("Wrong?")
    editor.fill("Right?")
    editor.press("Enter")
    expect(chat.answers).to_have_count(1)
    expect(chat.answers.locator(".markdown")).to_have_text("new")
    expect(chat.page.get_by_text("2 of 2")).to_be_visible()
    chat.page.get_by_role("button", name="Earlier version").click()
    expect(chat.answers.locator(".markdown")).to_have_text(["old", "You said: More?"])


def test_an_answer_is_asked_for_again(chat: Visit, server: PageServer) -> None:
    server.script("Again?", say("one"), say("two"))
    chat.answered("Again?")
    chat.answers.get_by_role("button", name="Ask again").click()
    expect(chat.answers.locator(".markdown")).to_have_text("two")
    chat.page.get_by_role("button", name="Earlier version").click()
    expect(chat.answers.locator(".markdown")).to_have_text("one")


def test_conversations_are_kept_listed_and_deleted(chat: Visit) -> None:
    chat.answered("Keep this one.")
    page = chat.page
    page.goto("about:blank")
    page.goto(chat.url)
    page.get_by_role("link", name="Keep this one.").click()
    expect(chat.answers.locator(".markdown")).to_have_text("You said: Keep this one.")
    page.get_by_role("link", name="Keep this one.").hover()
    page.get_by_role("button", name="Delete “Keep this one.”").click()
    expect(page.get_by_role("link", name="Keep this one.")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Keep this one.")).to_have_count(1)


def test_the_settings_are_sent(chat: Visit, server: PageServer) -> None:
    chat.page.get_by_role("button", name="Settings", exact=True).click()
    chat.page.get_by_role("textbox", name="System prompt").fill("Rhyme.")
    for label, value in (("Temperature", "0.2"), ("Longest answer", "64")):
        chat.page.get_by_label(label).fill(value)
    chat.page.keyboard.press("Escape")
    chat.answered("Set?")
    sent = server.asked[-1]
    assert (sent["messages"][0]["content"], sent["temperature"], sent["max_tokens"]) == ("Rhyme.", 0.2, 64)
    chat.page.get_by_role("button", name="Settings", exact=True).click()
    chat.page.get_by_role("button", name="Back to the start values").click()
    expect(chat.page.get_by_role("textbox", name="System prompt")).to_have_value(SYSTEM)
    chat.page.keyboard.press("Escape")


def test_two_models_answer_side_by_side(chat: Visit, server: PageServer) -> None:
    chat.page.get_by_role("button", name="Compare two models").click()
    chat.answered("Both?")
    assert {asked["model"] for asked in server.asked[-2:]} == {"chat", "other"}
    left, right = chat.page.locator(".two section").all()
    assert left.bounding_box()["x"] < right.bounding_box()["x"]  # type: ignore[index]  # both are shown
    right.get_by_role("button", name="Go on with this one").click()
    chat.page.get_by_role("heading", level=1, name="other", exact=True).wait_for()
    assert chat.answers.locator(".markdown").all_inner_texts() == ["You said: Both?"]


def test_an_image_is_attached_where_a_model_sees(chat: Visit, server: PageServer, tmp_path: Path) -> None:
    assert chat.page.get_by_role("button", name="Attach an image").count() == 0
    chat.show("sees")
    picture = tmp_path / "map.png"
    picture.write_bytes(base64.b64decode(PIXEL.partition(",")[2]))
    chat.page.set_input_files("input[type=file]", picture)
    chat.page.get_by_role("button", name="Remove the image").wait_for()
    chat.answered("What is it?")
    text, image = server.asked[-1]["messages"][-1]["content"]
    assert text == {"type": "text", "text": "What is it?"}
    assert image["image_url"]["url"].startswith("data:image/jpeg;base64,")
    assert chat.page.locator(".you img").count() == 1


def test_code_with_a_long_body_runs_with_the_file_beside_it(
    chat: Visit, server: PageServer, tmp_path: Path
) -> None:
    question = "L'été? " + "word " * 1200
    server.script(question.strip(), say("Oui, c'est l'été."))
    chat.page.get_by_label("Your question").fill(question)
    chat.save_files(tmp_path)
    for language in ("curl", "Python", "JavaScript"):
        assert run_snippet(language, chat.snippet(language), tmp_path).decode() == "Oui, c'est l'été.\n"
    assert '**json.load(open("request.json", encoding="utf-8"))' in chat.snippet("OpenAI")
    chat.page.get_by_label("Your question").fill("")
    chat.page.keyboard.press("Escape")


def test_programs_get_the_lines_that_the_command_line_prints(chat: Visit) -> None:
    chat.open_code()
    section = chat.page.get_by_role("region", name="In another program")
    routes = ["/v1/chat/completions"]
    address = chat.url.rstrip("/")
    values = {"url": address, "base": f"{address}/v1", "model": "chat", "key": "none"}
    clients = {client.title: client for client in load_clients()}
    titles = section.get_by_role("option").all_inner_texts()
    expected = [title for title, client in clients.items() if client.lines_for(routes)]
    assert titles == [title for title in expected if title not in {"curl", "OpenAI for Python"}]
    for title in titles:
        section.get_by_label("Program").select_option(title)
        lines = clients[title].lines_for(routes) or ""
        assert section.locator("code").last.inner_text() == render_lines(lines, values)
    chat.page.keyboard.press("Escape")


FORMULAS = r"""Euler: \( e^{i\pi} + 1 = 0 \), money: $5 and $6, $\{a_1 * b_2 * c\}$ and $$x_1$$.

\[
\int_0^1 x^2 \, dx \\ = \frac{1}{3}
\]

Text before
$$
\sum_i a_i * b_i * c_i
$$

`\( code \)` and \(<b>x</b>\)"""


def test_formulas_stay_as_they_were_written(chat: Visit, server: PageServer) -> None:
    server.script("Formulas?", say(FORMULAS))
    chat.answered("Formulas?")
    body = chat.answers.locator(".markdown")
    inline = [r"e^{i\pi} + 1 = 0", r"\{a_1 * b_2 * c\}", "x_1", "<b>x</b>"]
    assert body.locator("code.formula").all_inner_texts() == inline
    blocks = [r"\int_0^1 x^2 \, dx \\ = \frac{1}{3}", r"\sum_i a_i * b_i * c_i"]
    assert body.locator(".codebox code").all_inner_texts() == blocks
    assert body.locator("em, b").count() == 0
    assert "money: $5 and $6," in body.inner_text()
    assert body.locator("code:not(.formula):not(pre code)").all_inner_texts() == [r"\( code \)"]


def test_a_screen_reader_hears_an_answer_block_by_block(chat: Visit, server: PageServer) -> None:
    gate, heard = threading.Event(), chat.page.get_by_role("log", name="Answers")
    server.script("Read?", say("First **one**.\n\nSecond.\n\n```python\na\nb\n```\n\nThe end", gate=gate))
    chat.page.clock.install()
    chat.ask("Read?")
    blocks = ["First one.", "Second.", "Code: python, 2 lines."]
    expect(heard.locator("p")).to_have_text(blocks)
    gate.set()
    chat.wait_answered()
    expect(heard.locator("p")).to_have_text([*blocks, "The end"])
    expect(chat.page.locator("#said")).to_have_text("chat has answered.")
    chat.page.clock.run_for(61_000)
    expect(heard.locator("p")).to_have_count(0)


def test_the_end_of_a_conversation_stays_in_sight_beside_a_drawer(chat: Visit, server: PageServer) -> None:
    server.script("Long?", say("Words that fill a line and break in another place once it is shorter. " * 60))
    chat.answered("Long?")
    newest = chat.page.get_by_role("button", name="Newest")
    for label in ("Use it from code", "Settings"):
        chat.page.get_by_role("button", name=label, exact=True).click()
        chat.page.get_by_role("complementary").get_by_role("button", name="Close").wait_for()
        assert newest.is_hidden()
        assert chat.answers.last.locator(".tools").evaluate(IN_SIGHT)
        chat.page.keyboard.press("Escape")
        assert newest.is_hidden()


IN_SIGHT = """tools => {
  const box = document.querySelector('.composer').getBoundingClientRect();
  return tools.getBoundingClientRect().bottom <= box.top;
}"""
"""Whether it is above the box."""


def test_thoughts_are_a_fold(chat: Visit, server: PageServer) -> None:
    server.script("Think?", say("done", thoughts="first this"))
    chat.answered("Think?")
    assert chat.answers.locator("details").inner_text() == "Thoughts"
    assert chat.answers.locator(".markdown").inner_text() == "done"


def test_a_long_answer_is_followed_until_its_reader_scrolls_away(chat: Visit, server: PageServer) -> None:
    gate = threading.Event()
    lines = [f"Line {number} with `code`.\n\n" for number in range(2000)]
    pieces = ["".join(lines[start : start + 20]) for start in range(0, 2000, 20)]
    server.script("2,000?", Reply((*pieces, "The end."), gate=gate))
    chat.ask("2,000?")
    chat.page.get_by_text("Line 1999").wait_for()
    end = "node => node.scrollHeight - node.scrollTop - node.clientHeight"
    scroller = chat.page.locator("#view .scroll")
    expect(chat.page.get_by_role("button", name="Newest")).to_be_hidden()
    assert scroller.evaluate(end) < 48
    scroller.evaluate("node => node.scrollTo(0, 0)")
    chat.page.get_by_role("button", name="Newest").wait_for()
    gate.set()
    chat.wait_answered()
    assert scroller.evaluate("node => node.scrollTop") == 0
    chat.page.get_by_role("button", name="Newest").click()
    assert scroller.evaluate(end) < 48
    assert chat.answers.locator(".block").count() == 2001


def test_right_to_left_and_emoji(chat: Visit, server: PageServer) -> None:
    server.script("שלום?", say("שלום עולם 👩‍👩‍👧\n\nHello 🎉"))
    chat.answered("שלום?")
    blocks = chat.answers.locator(".markdown p")
    assert blocks.evaluate_all("all => all.map(one => getComputedStyle(one).direction)") == ["rtl", "ltr"]
    assert chat.page.locator(".you").evaluate("one => getComputedStyle(one).direction") == "rtl"
    assert blocks.all_inner_texts() == ["שלום עולם 👩‍👩‍👧", "Hello 🎉"]
    server.script("עוד?", Reply(("1. ראשון\n2. שני\n\n| א | ב |\n|---|---|\n| אחת | 1 |\n",)))
    chat.answered("עוד?")
    for part in chat.answers.last.locator("ol, table").all():
        assert part.evaluate("one => getComputedStyle(one).direction") == "rtl"


def test_a_conversation_needs_no_mouse(chat: Visit) -> None:
    page = chat.page
    page.get_by_label("Your question").focus()
    page.keyboard.type("Line one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("line two")
    page.keyboard.press("Enter")
    chat.wait_answered()
    assert page.locator(".you").inner_text() == "Line one\nline two"
    assert page.evaluate("document.activeElement.id") == "ask"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.closest('.tools') !== null")


def test_what_changes_by_itself_leaves_the_focus_where_it_is(chat: Visit, server: PageServer) -> None:
    page = chat.page
    page.clock.install()
    link = page.get_by_role("link", name="other")
    link.focus()
    server.unready = {"other": "is starting"}
    page.clock.run_for(16_000)
    expect(link).to_contain_text("starting")
    expect(link).to_be_focused()
    server.unready = {}


def test_the_page_shrinks_with_what_is_seen_of_it(chat: Visit) -> None:
    chat.page.set_viewport_size({"width": 390, "height": 420})
    expect(chat.page.locator("html")).to_have_attribute("style", "--height: 420px;")
    assert chat.page.locator("#send").evaluate("node => node.getBoundingClientRect().bottom") <= 420
