"""A visit of the page in a real browser, and what must be true of every one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from bench.browser import CHROMIUMS, open_browser
from playwright.sync_api import Page, ViewportSize

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, ConsoleMessage, Locator

DEADLINE_MILLISECONDS = 60_000
FAILED_RESOURCE = "Failed to load resource"
"""What Chromium says of every answer above 399, which no page can keep it from."""

NOTE_NEXT_WORD = """button => {
  window.nextWord = new Promise((done) => {
    const observer = new MutationObserver(() => done(button.textContent));
    observer.observe(button, { childList: true, characterData: true, subtree: true });
  });
}"""
"""What a button says next: for a moment, which a busy machine may let pass before anybody looks."""

FOCUSED = """() => {
  const { ariaLabel, innerText } = document.activeElement;
  return (ariaLabel || innerText || "").trim().split("\\n")[0];
}"""
"""The name of what has the focus."""

MOST_STEPS = 60

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


@contextlib.contextmanager
def run_browser() -> Iterator[Browser]:
    """The Chromium of this machine. Continuous integration has one, so there its absence is a fault."""
    if not any(map(shutil.which, CHROMIUMS)):
        absent = pytest.fail if os.environ.get("CI") else pytest.skip
        absent("there is no Chromium on this machine: apt-get install chromium")
    with open_browser() as browser:
        yield browser


@dataclass
class Visit:
    """One page in a context of its own; `complaints` is what its console said, `hosts` whom it asked."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def show(self, model: str) -> Page:
        """The model's part of the page."""
        self.page.goto(f"{self.url}#{model}")
        self.page.get_by_role("heading", level=1, name=model, exact=True).wait_for()
        return self.page

    def enter(self, key: str) -> None:
        """Enters a key at the door."""
        self.page.get_by_label("Your team's key").fill(key)
        self.page.get_by_role("button", name="Open").click()

    def ask(self, question: str) -> None:
        """Sends a question to the model that is shown."""
        self.page.get_by_label("Your question").fill(question)
        self.page.get_by_role("button", name="Send").click()

    def wait_answered(self) -> None:
        """Waits until no answer is under way."""
        self.page.get_by_role("button", name="Send").wait_for()

    def answered(self, question: str) -> str:
        """Asks, and returns the text of the newest answer."""
        self.ask(question)
        self.wait_answered()
        return self.answers.locator(".markdown").last.inner_text()

    @property
    def answers(self) -> Locator:
        """The answers of a conversation, each with its tools."""
        return self.page.locator("article.turn:not(.mine)")

    def submit(self) -> None:
        """The button that calls the model."""
        self.page.locator("main button.primary:visible").click()

    @property
    def answer(self) -> Locator:
        """Where what the model said is shown, once it is."""
        return self.page.locator("main .answer-text")

    @property
    def problem(self) -> Locator:
        """Where an error is explained."""
        return self.page.locator(".problem")

    def snippet(self, language: str) -> str:
        """What the button copies, read from the clipboard."""
        code = self.open_code()
        code.get_by_role("tab", name=language, exact=True).click()
        button = code.get_by_role("button", name="Copy")
        button.evaluate(NOTE_NEXT_WORD)
        button.click()
        assert self.page.evaluate("nextWord") == "Copied"
        copied: str = self.page.evaluate("navigator.clipboard.readText()")
        return copied

    @property
    def languages(self) -> list[str]:
        """Those in which the request is shown."""
        return self.open_code().get_by_role("tab").all_text_contents()

    def tab_to(self, name: str, *, back: bool = False) -> None:
        """Moves the focus to what has this name, by the keyboard alone."""
        seen: list[str] = []
        while len(seen) < MOST_STEPS:
            self.page.keyboard.press("Shift+Tab" if back else "Tab")
            seen.append(self.page.evaluate(FOCUSED))
            if seen[-1] == name:
                return
        pytest.fail(f"the keyboard does not reach {name}, but {seen}")

    def open_code(self) -> Locator:
        """The request in code, in its drawer."""
        code = self.page.get_by_label("The same request in code")
        if not code.count():
            self.page.get_by_role("button", name="Use it from code").first.click()
        return code

    def save_files(self, folder: Path) -> None:
        """Saves the file that the code reads, if it reads one."""
        self.open_code()
        button = self.page.get_by_role("complementary").get_by_role("button", name="Download")
        if button.count():
            with self.page.expect_download() as download:
                button.click()
            download.value.save_as(folder / download.value.suggested_filename)

    def find_serious_faults(self) -> list[str]:
        """What keeps some people from using what is shown now, as axe finds it."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{fault['id']}: {json.dumps([node['html'][:200] for node in fault['nodes']][:3])}"
            for fault in found
            if fault["impact"] in {"serious", "critical"}
        ]

    def end(self) -> None:
        """Closes it; fails where the page complained or asked another host."""
        self.page.context.close()
        assert not self.complaints, f"the console said: {self.complaints}"
        assert self.hosts <= {urlsplit(self.url).netloc, ""}, f"the page asked {self.hosts}"

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(FAILED_RESOURCE):
            self.complaints.append(message.text)


def start_visit(browser: Browser, url: str, **look: Any) -> Visit:
    """Opens the page; `look` is what playwright's contexts take, such as `viewport`."""
    context = browser.new_context(**{"viewport": DESKTOP, **look})
    context.set_default_timeout(DEADLINE_MILLISECONDS)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit = Visit(context.new_page(), f"{url.rstrip('/')}/")
    visit.page.on("console", visit._hear)  # noqa: SLF001  # its own listener
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    visit.page.on("request", lambda request: visit.hosts.add(urlsplit(request.url).netloc))
    visit.page.goto(visit.url)
    return visit
