"""The organizer's screen of a deployed stack in a real browser: what it shows, what it can do and cannot."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from centralized_ml_api.aws.cdk.target import AwsTarget
from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.organizer.board import AwsBoard
from centralized_ml_api.local.machine.listen import serve_application
from centralized_ml_api.local.machine.ports import bind_loopback, url_of
from centralized_ml_api.organizer.board_server import build_board_application
from support.aws_wire import healthy_account, serve_aws
from support.background import start_background
from support.browser import start_visit
from support.organized_config import CONFIG
from support.organized_stack import KEYS, REGION, STACK, OrganizedStack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Route

    from support.browser import Visit

pytestmark = pytest.mark.slow

ENDS = datetime(2099, 6, 1, 18, tzinfo=UTC)
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
        organized.end_at(ENDS)
        organized.let_chat_sleep()
        yield organized


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The config of the stack."""
    path = tmp_path_factory.mktemp("organizer") / "models.json"
    path.write_text(json.dumps(CONFIG))
    return path


@pytest.fixture(scope="module", autouse=True)
def link(stack: OrganizedStack, config: Path) -> Iterator[str]:
    """The address, from before the browser starts until after it ends: see `browser`."""
    assert stack.wire.url
    target = AwsTarget(config, STACK, REGION, config.parent / ".mlapi")
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
    assert [words for words in shown if words] == [
        "Join code",
        "Message to all",
        "Extend the end",
        "Pause all",
    ]
    assert page.get_by_role("button", name="Last lines of chat").count() == 0
    unfold(board)
    acts = page.locator("tr.unfolded").get_by_role("button").all_inner_texts()
    assert acts == ["+ 1.00 USD", "+ 2.00 USD", "More…", "New key…", "Pause…", "Revoke…"]
    assert [fault["id"] for fault in Axe().run(page).response["violations"]] == []


def test_an_hour_that_cloudwatch_does_not_tell_has_no_charts_of_what_it_never_counts(board: Visit) -> None:
    def leave_out(route: Route) -> None:
        route.fulfill(json={**route.fetch().json(), "history": []})

    page = board.page
    page.route("**/board.json", leave_out)
    try:
        expect(page.locator("#charts path.line")).to_have_count(0)
        captions = page.locator("#charts figcaption").all_inner_texts()
    finally:
        page.unroute("**/board.json")
    assert captions == ["Requests a minute", "Errors a minute", "Spent by all teams"]


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


def test_everybody_is_told_something_and_that_is_taken_away(board: Visit, stack: OrganizedStack) -> None:
    page = board.page
    page.get_by_role("button", name="Message to all").click()
    page.get_by_label("Empty: no message").fill("Lunch <b>is</b> here")
    page.get_by_role("button", name="Show it").click()
    page.get_by_text("Everybody sees it now.").wait_for()
    assert stack.message["words"] == "Lunch <b>is</b> here"
    page.get_by_text("Everybody reads:").wait_for()
    assert "Lunch <b>is</b> here" in page.locator("#message").inner_text()
    page.get_by_role("button", name="Undo").click()
    page.locator("#message").wait_for(state="hidden")
    assert stack.message == ""


def test_a_model_that_sleeps_is_woken(board: Visit, stack: OrganizedStack) -> None:
    page = board.page
    model = page.locator("#models-rows li").filter(has_text="chat")
    assert "asleep" in model.inner_text()
    page.get_by_role("button", name="Wake chat").click()
    model.get_by_text("waking").wait_for()
    assert stack.copies == 1
    assert page.get_by_role("button", name="Wake chat").count() == 0


def test_the_end_is_moved_on_aws_and_in_the_config_and_back(
    board: Visit, stack: OrganizedStack, config: Path
) -> None:
    page = board.page
    page.get_by_role("button", name="Extend the end").click()
    page.get_by_role("dialog").get_by_role("button", name="+1 h").click()
    page.get_by_text("The event ends at").wait_for()
    assert ends(stack, config) == (ENDS + timedelta(hours=1),) * 2
    page.get_by_role("button", name="Undo").click()
    page.locator("#journal-rows li").nth(1).get_by_text("Moved the end").wait_for()
    assert ends(stack, config) == (ENDS, ENDS)


def ends(stack: OrganizedStack, config: Path) -> tuple[datetime, datetime]:
    """When the stack ends, and when the config says so."""
    written = json.loads(config.read_text())["event"]["ends"]
    return datetime.fromtimestamp(stack.schedules[0]["StartDate"], UTC), datetime.fromisoformat(written)


def test_a_new_key_is_shown_once(board: Visit, stack: OrganizedStack) -> None:
    page = board.page
    unfold(board)
    page.get_by_role("button", name="New key red").click()
    page.get_by_role("dialog").get_by_role("button", name="New key").click()
    shown = page.get_by_role("dialog", name="The new key of red")
    shown.wait_for()
    assert shown.locator("code").inner_text() == stack.keys["red"] != KEYS["red"]
    assert board.find_serious_faults() == []
    shown.get_by_role("button", name="Done").click()
    expect(page.locator("dialog")).to_have_count(0)  # one that is closed has no role, but is there still
    assert stack.keys["red"] not in page.content()


def test_the_keys_of_a_team_are_revoked_once_that_is_meant(board: Visit, stack: OrganizedStack) -> None:
    page = board.page
    unfold(board)
    before = len(stack.keys_changed)
    page.get_by_role("button", name="Revoke red").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert len(stack.keys_changed) == before
    page.get_by_role("button", name="Revoke red").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    page.get_by_role("row", name="red").get_by_text("no key", exact=True).wait_for()
    assert {"op": "replace", "path": "/enabled", "value": "false"} in stack.keys_changed[-1]


def test_joining_is_closed_and_opened(board: Visit) -> None:
    page = board.page
    page.get_by_role("button", name="Join code").click()
    hall = page.get_by_role("dialog", name="How to join")
    hall.get_by_role("button", name="Close joining").click()
    hall.get_by_text("Joining is closed").first.wait_for()
    page.get_by_role("button", name="Undo").click()
    hall.get_by_role("button", name="Close joining").wait_for()
    hall.get_by_role("button", name="Back").click()


def test_a_grant_shows_in_the_limit(board: Visit) -> None:
    page = board.page
    unfold(board)
    page.get_by_role("button", name="+ 1.00 USD red").click()
    page.get_by_text("red may use 1.00 USD more until the event ends.").wait_for()
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
