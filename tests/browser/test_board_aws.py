"""The organizer's screen of a deployed stack in a real browser: what it shows, what it can do and cannot."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from centralized_ml_api.aws.board import AwsBoard
from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.target import AwsTarget
from centralized_ml_api.local.machine.listen import serve_application
from centralized_ml_api.local.machine.ports import bind_loopback, url_of
from centralized_ml_api.organizer.board_server import build_board_application
from support.aws_wire import healthy_account, serve_aws
from support.background import start_background
from support.browser import start_visit
from support.organized_config import CONFIG
from support.organized_stack import REGION, STACK, OrganizedStack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from support.browser import Visit

pytestmark = pytest.mark.slow

TOKEN = "t0ken"  # noqa: S105  # of nobody
AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "1",
}


@pytest.fixture(scope="module")
def stack() -> Iterator[OrganizedStack]:
    with serve_aws(healthy_account()) as wire, pytest.MonkeyPatch.context() as environment:
        for name, value in {**AWS, "AWS_ENDPOINT_URL": wire.url}.items():
            environment.setenv(name, value)
        organized = OrganizedStack(wire)
        organized.answer()
        yield organized


@pytest.fixture(scope="module", autouse=True)
def link(stack: OrganizedStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address, from before the browser starts until after it ends: see `browser`."""
    assert stack.wire.url
    folder = tmp_path_factory.mktemp("organizer")
    (folder / "models.json").write_text(json.dumps(CONFIG))
    target = AwsTarget(folder / "models.json", STACK, REGION, folder / ".mlapi")
    running, listening = contextlib.AsyncExitStack(), bind_loopback()
    with start_background() as background:
        application = build_board_application(AwsBoard(target, AwsClients(REGION)), TOKEN)
        background.run(serve_application(running, application, listening, cancels=True))
        yield url_of(listening)
        background.run(running.aclose())


@pytest.fixture(scope="module")
def board(browser: Browser, link: str) -> Iterator[Visit]:
    visit = start_visit(browser, link)
    visit.page.goto(f"{link}/#token={TOKEN}")
    visit.page.reload()  # of the same address, so that only the fragment is new
    visit.page.get_by_role("row", name="Owls").wait_for()
    yield visit
    visit.end()


def unfold(board: Visit) -> None:
    """Shows what can be done with the team red."""
    button = board.page.get_by_role("button", name="Actions for red")
    if button.get_attribute("aria-expanded") == "false":
        button.click()


def test_it_shows_the_stack_and_only_what_can_be_done_there(board: Visit) -> None:
    page = board.page
    assert page.get_by_role("heading", level=1).inner_text() == "Spring <i>Hack</i>"
    assert page.locator("tbody tr").count() == 3
    assert "A minute" not in page.locator("thead").inner_text()
    captions = page.locator("#charts figcaption").all_inner_texts()
    assert captions == ["Requests a minute", "Errors a minute", "Spent by all teams"]
    header = page.locator("header.top")
    shown = [button.inner_text() for button in header.get_by_role("button").all() if button.is_visible()]
    assert [words for words in shown if words] == ["Join code", "Pause all"]
    assert page.get_by_role("button", name="Last lines of chat").count() == 0
    unfold(board)
    acts = page.locator("tr.unfolded").get_by_role("button").all_inner_texts()
    assert acts == ["+ 1.00 USD", "+ 2.00 USD", "More…", "New key…", "Pause…", "Revoke…"]
    assert [fault["id"] for fault in Axe().run(page).response["violations"]] == []


def test_a_pause_of_everything_is_told_begun_and_undone(board: Visit, stack: OrganizedStack) -> None:
    page = board.page
    page.get_by_role("button", name="Pause all").click()
    page.get_by_label("What callers are told (optional)").fill("Back at 14:00")
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    page.get_by_text("The API is paused.").wait_for()
    assert stack.paused == {"models": {"": "Back at 14:00"}}
    assert "Back at 14:00" in page.get_by_role("list", name="What needs a hand").inner_text()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Pause all").wait_for()
    assert stack.paused == {}
    journal = page.locator("#journal-rows").inner_text()
    assert ("Paused" in journal, "Resumed" in journal) == (True, True)


def test_a_grant_shows_in_the_limit(board: Visit) -> None:
    page = board.page
    unfold(board)
    page.get_by_role("button", name="+ 1.00 USD red").click()
    page.get_by_text("red may use 1.00 USD more until you take it back.").wait_for()
    page.get_by_role("row", name="red").get_by_text("limit raised").wait_for()
    limits = page.get_by_role("row", name="red").locator(".share").get_attribute("title")
    assert limits == "0 of 100 tokens a minute\n0.00 of 3.00 USD"


def test_the_code_for_joining_is_large_enough_for_a_hall(board: Visit) -> None:
    page = board.page
    page.get_by_role("button", name="Join code").click()
    hall = page.get_by_role("dialog", name="How to join")
    assert "the-code" in hall.inner_text()
    hall.get_by_role("img", name="QR code for joining").wait_for()
    hall.get_by_role("button", name="Back").click()
