"""The chat while something is in the way: errors, limits, models that wake, reloads, other tabs, messages."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from support.browser import start_visit
from support.page_server import Reply, say

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from support.browser import Visit
    from support.page_server import PageServer

pytestmark = pytest.mark.slow


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
