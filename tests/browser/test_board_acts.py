"""What the organizer does on the screen, clicked through in a real browser on a real `mlapi up`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.journal import Journal
from centralized_ml_api.local.keys import JoinBook, KeyStore, LocalKeys
from support.browser import Visit, start_visit
from support.local_api import LocalApi, mlapi, models, odd_command, start_local_api
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

CONFIG = {**models(echo=odd_command()), "event": {"title": "Hack", "teams": ["red"], "join": {"teams": 3}}}


@pytest.fixture(scope="module", autouse=True)
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    """From before the browser starts until after it ends: see `browser`."""
    with start_local_api(tmp_path_factory.mktemp("acts"), CONFIG) as api:
        yield api.wait_serving()


@pytest.fixture(scope="module")
def board(browser: Browser, api: LocalApi) -> Iterator[Visit]:
    link = mlapi("board", cwd=api.folder).out.strip()
    visit = start_visit(browser, link.partition("#")[0])
    visit.page.goto(link)
    visit.page.reload()  # of the same address, so that only the fragment is new
    visit.page.get_by_role("heading", name="Models", exact=True).wait_for()
    yield visit
    visit.end()


def journal_of(api: LocalApi) -> list[tuple[str, str, str]]:
    """What was done, the first first."""
    deeds = Journal(api.folder / ".mlapi").load(99)
    return [(deed.by, deed.act, deed.subject) for deed in reversed(deeds)]


def press(board: Visit, *names: str) -> None:
    """Clicks these buttons, one after the other."""
    for name in names:
        board.page.get_by_role("button", name=name, exact=True).click()


def test_a_model_restarts_and_goes_on_answering(board: Visit, api: LocalApi) -> None:
    before = pids(api)
    press(board, "Actions for echo", "Restart echo", "Restart")
    board.page.get_by_text("echo was restarted.").wait_for()
    assert pids(api).isdisjoint(before)
    key = LocalKeys(KeyStore(api.folder / ".mlapi")).show("red")
    assert api.call("/echo", x_api_key=key).status == 200
    assert journal_of(api) == [("screen", "restart", "echo")]


def pids(api: LocalApi) -> set[int]:
    return {pid for part in api.status()["entries"][0]["parts"] for pid in part["pids"]}


def test_a_team_gets_a_new_key_shown_once_and_loses_it(board: Visit, api: LocalApi) -> None:
    keys = LocalKeys(KeyStore(api.folder / ".mlapi"))
    press(board, "Actions for red", "New key…", "New key")
    shown = board.page.get_by_role("dialog").locator("code").inner_text()
    assert shown == keys.show("red")
    press(board, "Done")
    wait_until(lambda: api.call("/echo", x_api_key=shown).status == 200, "the new key works")
    press(board, "Revoke…", "Cancel")
    assert keys.teams()[0].state == "active"
    press(board, "Revoke…", "Revoke")
    board.page.get_by_text("It has no key").wait_for()
    wait_until(lambda: api.call("/echo", x_api_key=shown).status == 401, "the key is refused")
    assert shown not in board.page.content()
    assert journal_of(api)[-2:] == [("screen", "new key", "red"), ("screen", "revoke", "red")]


def test_the_hall_sees_how_to_join_and_the_door_closes_and_opens(board: Visit, api: LocalApi) -> None:
    book, page = JoinBook(api.folder / ".mlapi"), board.page
    code = book.load().code
    press(board, "Join code")
    hall = page.get_by_role("dialog", name="How to join")
    assert code in hall.inner_text()
    assert "0 of 3 places are taken." in hall.inner_text()
    hall.get_by_role("img", name="QR code for joining").wait_for()
    press(board, "Close joining")
    hall.get_by_text("Joining is closed: an organizer closed it.").wait_for()
    refused = api.call("/join", json.dumps({"code": code, "name": "late"}).encode())
    assert json.loads(refused.data)["error"]["code"] == "join_closed"
    press(board, "Open joining", "New code")
    page.get_by_role("dialog", name="Make a new code?").get_by_role("button", name="New code").click()
    wait_until(lambda: book.load().code != code, "there is another code")
    hall.get_by_text(book.load().code).wait_for()
    press(board, "Back")
    assert [act for _, act, _ in journal_of(api)[-3:]] == ["close joining", "open joining", "new code"]


def test_what_a_verb_does_is_in_the_journal_on_the_screen_too(board: Visit, api: LocalApi) -> None:
    assert mlapi("restart", "echo", cwd=api.folder).out == "echo was restarted.\n"
    assert journal_of(api)[-1] == ("command line", "restart", "echo")
    first = board.page.locator("#journal-rows li").first
    first.get_by_text("by mlapi").wait_for()
    assert "Restarted echo" in first.inner_text()
