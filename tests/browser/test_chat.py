"""The chat of the page: all that a conversation does, over models that answer what a test has scripted."""

from __future__ import annotations

import base64
import re
import threading
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from centralized_ml_api.api.clients import load_clients, render_lines
from support.browser import start_visit
from support.chat_page import MARKDOWN, PIXEL, SYSTEM
from support.page_server import Reply, say
from support.page_snippets import run_snippet

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

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


def test_a_message_to_all_is_hidden_once_it_is_read_and_the_next_one_is_there(
    chat: Visit, server: PageServer
) -> None:
    page, banner = chat.page, chat.page.locator("#banner")
    server.message = "<b>Lunch</b> is in the foyer. \u2615"
    page.reload()
    banner.get_by_text(server.message).wait_for()
    assert chat.find_serious_faults() == []
    page.get_by_role("button", name="Hide this message").click()
    assert banner.is_hidden()
    assert page.evaluate("document.activeElement.id") == "ask"
    page.reload()
    page.locator("a[data-model=chat] .dot.ready").wait_for()  # drawn after the banner
    assert banner.is_hidden()
    server.message = "Demos start."
    page.reload()
    banner.get_by_text("Demos start.").wait_for()
    server.message = ""
    page.reload()
    page.locator("a[data-model=chat] .dot.ready").wait_for()
    assert banner.is_hidden()


def test_a_message_to_all_has_its_time_in_the_time_zone_of_its_reader(
    browser: Browser, server: PageServer
) -> None:
    server.message, server.message_at = "Lunch.", "2030-06-01T12:05:00Z"
    visited = start_visit(browser, server.url, timezone_id="Asia/Kolkata", locale="en-GB")
    time = visited.page.locator("#banner time")
    time.wait_for()
    assert time.inner_text() == "at 1 Jun 2030, 17:35"
    visited.page.clock.set_fixed_time("2030-06-01T20:00:00Z")  # the next day there
    visited.page.reload()
    expect(time).to_have_text("at 1 Jun 2030, 17:35")
    visited.page.clock.set_fixed_time("2030-06-01T15:00:00Z")
    visited.page.reload()
    expect(time).to_have_text("at 17:35")
    visited.page.get_by_role("button", name="Hide this message").click()
    server.message_at = "2030-06-01T12:10:00Z"
    visited.page.reload()
    expect(time).to_have_text("at 17:40")
    visited.end()
    server.message = server.message_at = ""


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

ERRORS = (
    (Reply(status=400, message="Not like this."), ("400", "Not like this.", "Compare it with the sample")),
    (Reply(status=401, message="No key."), ("401", "Enter a key")),
    (Reply(status=403, message="Not you."), ("403", "Your team may be allowed")),
    (Reply(status=404, message="Nobody."), ("404", "no longer exists")),
    (Reply(status=413, message="Too much."), ("413", "Send a smaller request")),
    (Reply(status=429, message="Spent.", headers={"Retry-After": "7200"}), ("429", "Try again in 2 h")),
    (
        Reply(status=429, message="Spent.", headers={"Retry-After": "90", "x-should-retry": "false"}),
        ("429", "Try again in 1 min"),
    ),
    (Reply(status=500, message="Bug."), ("500", "tell whoever runs the API", "Try again")),
    (Reply(status=501, message="Not here."), ("501", "not served here")),
    (Reply(status=502, message="Gone."), ("502", "Try once more", "req-1")),
    (Reply(status=504, message="Slow."), ("504", "Ask for less")),
)


def test_every_error_is_explained_and_the_question_stays(chat: Visit, server: PageServer) -> None:
    for index, (reply, words) in enumerate(ERRORS):
        server.script(f"Error {index}?", reply)
        chat.ask(f"Error {index}?")
        problem = chat.answers.last.get_by_role("alert")
        problem.wait_for()
        assert all(part in problem.inner_text() for part in words), (words, problem.inner_text())
        assert chat.page.locator(".you").last.inner_text() == f"Error {index}?"
        chat.page.goto(f"{chat.url}#other")
        chat.show("chat")


def test_a_limit_is_waited_for_and_a_wait_can_be_given_up(chat: Visit, server: PageServer) -> None:
    page = chat.page
    page.clock.install()
    for status in (429, 503):
        wait = Reply(status=status, message="Not yet.", headers={"Retry-After": "40"})
        server.script(f"Wait {status}?", wait, say("at last"))
        chat.ask(f"Wait {status}?")
        card = page.locator(".note.waits")
        card.get_by_text("40 s").wait_for()
        page.clock.run_for(10_000)
        card.get_by_text("30 s").wait_for()
        page.clock.run_for(30_500)
        expect(chat.answers.locator(".markdown").last).to_have_text("at last")
    server.script("Never?", wait)
    chat.ask("Never?")
    page.get_by_role("button", name="Don't send it").click()
    chat.answers.get_by_text("Not sent.").wait_for()


def test_a_model_that_wakes_counts_down_until_it_answers(chat: Visit, server: PageServer) -> None:
    page, gate = chat.page, threading.Event()
    page.clock.install()
    server.asleep = {"other": "asleep"}
    page.reload()
    listed = page.locator("a[data-model=other]")
    expect(listed.locator(".state")).to_have_text("asleep")
    assert listed.locator(".cut").evaluate("name => name.scrollWidth <= name.clientWidth"), (
        "its name is whole"
    )
    chat.show("other")
    server.script("Wake?", say("up", gate=gate))
    chat.ask("Wake?")
    card = page.locator(".note.waits")
    card.get_by_text("Waking takes about 20 s.").wait_for()
    card.get_by_text(re.compile(r"^other is waking: about (20|1\d) s more$")).wait_for()
    assert chat.find_serious_faults() == []
    page.clock.run_for(12_000)
    card.get_by_text(re.compile(r"^other is waking: about \d s more$")).wait_for()
    page.clock.run_for(20_000)
    card.get_by_text("other is waking", exact=True).wait_for()
    server.asleep = {}
    page.clock.run_for(16_000)
    card.get_by_text("other is awake, and answers soon").wait_for()
    gate.set()
    expect(chat.answers.locator(".markdown")).to_have_text("up")
    expect(card).to_have_count(0)


def test_another_model_is_asked_instead_of_one_that_sleeps(chat: Visit, server: PageServer) -> None:
    page, gate = chat.page, threading.Event()
    server.script("Before?", say("said before"))
    server.script("Sleepy?", say("never", gate=gate), say("chat says"))
    chat.show("other")
    chat.answered("Before?")
    server.asleep = {"other": "asleep"}
    page.reload()
    chat.ask("Sleepy?")
    page.get_by_role("button", name="Ask chat instead").click()
    page.get_by_role("heading", level=1, name="chat", exact=True).wait_for()
    expect(chat.answers.locator(".markdown")).to_have_text(["said before", "chat says"])
    assert server.asked[-1]["model"] == "chat"
    assert [message["role"] for message in server.asked[-1]["messages"]][-3:] == ["user", "assistant", "user"]
    gate.set()
    server.asleep = {}


def test_who_waits_for_the_first_word_sees_for_how_long(chat: Visit, server: PageServer) -> None:
    page, gate = chat.page, threading.Event()
    page.clock.install()
    server.script("Patience?", say("now", gate=gate))
    chat.ask("Patience?")
    page.clock.run_for(4000)
    expect(page.locator("#figures")).to_have_text(re.compile(r"^waiting, \d+ s$"))
    gate.set()
    expect(chat.answers.locator(".markdown")).to_have_text("now")
    chat.wait_answered()
    expect(page.locator("#figures")).to_have_text("")


def test_a_reload_in_the_middle_of_an_answer_keeps_what_came(chat: Visit, server: PageServer) -> None:
    page, gate = chat.page, threading.Event()
    page.clock.install()
    server.script("Reload?", say("one two three", gate=gate))
    chat.ask("Reload?")
    expect(chat.answers.locator(".markdown")).to_have_text("one two")
    page.clock.run_for(1100)
    page.wait_for_function(KEPT, arg="one two ")
    page.reload()
    gate.set()
    expect(chat.answers.locator(".markdown")).to_have_text("one two")
    chat.answers.get_by_text("The answer broke off.").wait_for()
    chat.answers.get_by_role("button", name="Continue").wait_for()


KEPT = """async (text) => {
  const database = await new Promise((done) => {
    indexedDB.open("mlapi").onsuccess = (event) => done(event.target.result);
  });
  const all = database.transaction("conversations").objectStore("conversations").getAll();
  await new Promise((done) => { all.onsuccess = done; });
  database.close();
  return all.result.some(({ turns }) => turns.at(-1)?.answers[0]?.text === text);
}"""
"""Whether this browser keeps a conversation that ends with a text."""


def test_what_is_for_programs_is_not_told_to_people(chat: Visit, server: PageServer) -> None:
    rate = "Your team exceeded its request rate; try again after the time given in Retry-After."
    server.script("Rate?", Reply(status=429, message=rate, headers={"Retry-After": "40"}))
    chat.ask("Rate?")
    card = chat.page.locator(".note.waits")
    card.get_by_text("Your team exceeded its request rate. Your question is kept").wait_for()
    chat.page.get_by_role("button", name="Don't send it").click()


def test_who_asks_after_the_end_is_not_sent_to_look_for_a_fault(browser: Browser, server: PageServer) -> None:
    visited = start_visit(browser, server.url)
    visited.page.get_by_label("Your question").wait_for()
    visited.page.context.set_offline(True)
    fault, end = "Check that this device is online", "The event has ended"
    for instant, words in (("2099-05-01", fault), ("2099-07-01", end)):
        visited.page.clock.set_fixed_time(f"{instant}T00:00:00Z")
        visited.ask(f"On {instant}?")
        visited.answers.last.get_by_role("alert").get_by_text(words).wait_for()
    visited.end()


def test_an_answer_that_breaks_off_says_so(chat: Visit, server: PageServer) -> None:
    gate = threading.Event()
    server.script("Break?", say("one two", gate=gate, breaks=True))
    chat.ask("Break?")
    expect(chat.answers.locator(".markdown")).to_have_text("one")
    gate.set()
    chat.wait_answered()
    assert "The answer broke off." in chat.answers.inner_text()
    assert chat.answers.locator(".markdown").inner_text() == "one"


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


def test_the_focus_is_in_the_box_once_the_button_that_had_it_is_gone(chat: Visit, server: PageServer) -> None:
    page, box = chat.page, chat.page.get_by_label("Your question")
    gates = [threading.Event(), threading.Event()]
    server.script("Focus?", say("one two three", gate=gates[0]))
    server.script("Continue exactly where you stopped. Repeat nothing.", say("a three", gate=gates[1]))
    chat.ask("Focus?")  # by a click on the button
    expect(box).to_be_focused()
    page.get_by_role("button", name="Stop").press("Enter")
    chat.answers.get_by_text("You stopped this answer").wait_for()
    expect(box).to_be_focused()
    page.get_by_role("button", name="Continue").press("Enter")
    expect(box).to_be_focused()
    gates[1].set()
    chat.wait_answered()
    server.script("Later?", Reply(status=429, message="Not yet.", headers={"Retry-After": "40"}))
    chat.ask("Later?")
    page.get_by_role("button", name="Don't send it").press("Enter")
    chat.answers.get_by_text("Not sent.").wait_for()
    expect(box).to_be_focused()
    gates[0].set()


def test_two_tabs_have_the_same_conversation(chat: Visit, server: PageServer) -> None:
    page = chat.page
    chat.answered("In the first?")
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_label("Your question").fill("In the second?")
    other.keyboard.press("Enter")
    other.locator(".markdown").get_by_text("You said: In the second?").wait_for()
    other.get_by_role("button", name="Send", exact=True).wait_for()
    other.wait_for_function(KEPT, arg="You said: In the second?")
    other.close()
    page.get_by_label("Your question").fill("Half written")
    page.evaluate("dispatchEvent(new Event('focus'))")
    texts = ["You said: In the first?", "You said: In the second?"]
    expect(chat.answers.locator(".markdown")).to_have_text(texts)
    expect(page.get_by_label("Your question")).to_have_value("Half written")
    chat.answered("And here?")
    questions = [message["content"] for message in server.asked[-1]["messages"] if message["role"] == "user"]
    assert questions == ["In the first?", "In the second?", "And here?"]
    expect(page.get_by_role("link", name="In the first?")).to_have_count(1)


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
