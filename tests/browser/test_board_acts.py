"""What the organizer does on the screen, clicked through in a real browser on a real `mlapi up`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.keys import JoinBook, KeyStore, LocalKeys
from centralized_ml_api.organizer.journal import Journal
from support.browser import Visit, start_visit
from support.local_api import LocalApi, mlapi, models, odd_command, start_local_api
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser
    from urllib3._collections import HTTPHeaderDict

pytestmark = pytest.mark.slow

TALKS = odd_command("/chat", speaks="openai-chat")
EVENT = {
    "title": "Hack",
    "ends": "2099-06-01T18:00:00Z",
    "teams": ["red", {"name": "blue", "requests_per_day": 4000}],
    "join": {"teams": 3},
}
CONFIG = {**models(echo=odd_command(), talks=TALKS), "event": EVENT}
ASKED = json.dumps({"model": "talks", "messages": [{"role": "user", "content": "Hi"}]}).encode()
CHAT = "/v1/chat/completions"
SAID = "<b>Käse</b>, 100 %"


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


def wait_noted(api: LocalApi, *acts: str) -> None:
    """Waits until these acts are the last in the journal: calls see what one did before it is noted."""
    wait_until(lambda: [act for _, act, _ in journal_of(api)[-len(acts) :]] == [*acts], f"{acts} are noted")


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
    press(board, "Actions for red", "New key red", "New key")
    shown = board.page.get_by_role("dialog").locator("code").inner_text()
    assert shown == keys.show("red")
    press(board, "Done")
    wait_until(lambda: api.call("/echo", x_api_key=shown).status == 200, "the new key works")
    press(board, "Revoke red", "Cancel")
    assert board.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Revoke red"
    assert keys.teams()[0].state == "active"
    press(board, "Revoke red", "Revoke")
    board.page.get_by_text("It has no key").wait_for()
    wait_until(lambda: api.call("/echo", x_api_key=shown).status == 401, "the key is refused")
    assert shown not in board.page.content()
    wait_noted(api, "new key", "revoke")
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
    hall.get_by_text("Joining is closed.", exact=True).wait_for()
    refused = api.call("/join", json.dumps({"code": code, "name": "late"}).encode())
    assert json.loads(refused.data)["error"]["code"] == "join_closed"
    press(board, "Open joining", "New code")
    page.get_by_role("dialog", name="Make a new code?").get_by_role("button", name="New code").click()
    wait_until(lambda: book.load().code != code, "there is another code")
    hall.get_by_text(book.load().code).wait_for()
    press(board, "Back")
    wait_noted(api, "close joining", "open joining", "new code")


def key_of_blue(api: LocalApi) -> str:
    return LocalKeys(KeyStore(api.folder / ".mlapi")).show("blue")


def statuses(api: LocalApi, *paths: str) -> list[int]:
    """What calls of a team are answered there."""
    return [api.call(path, ASKED, x_api_key=key_of_blue(api)).status for path in paths]


def test_a_model_is_paused_at_all_its_paths_and_resumed(board: Visit, api: LocalApi) -> None:
    page, paths = board.page, ("/talks", CHAT, f"/talks{CHAT}", "/echo")
    assert statuses(api, *paths) == [200, 200, 200, 200]
    press(board, "Actions for talks", "Pause talks")
    page.get_by_label("What callers are told").fill("Back <soon>")
    press(board, "Pause")
    page.get_by_text("talks is paused.").wait_for()
    wait_until(lambda: statuses(api, *paths) == [503, 503, 503, 200], "talks alone is paused")
    told = json.loads(api.call(CHAT, ASKED, x_api_key=key_of_blue(api)).data)["error"]
    said = "The organizers have paused this for now: Back <soon>"
    assert (told["code"], told["message"]) == ("paused", said)
    assert "paused: Back <soon>" in page.locator("#models-rows").inner_text()
    press(board, "Resume talks")
    page.get_by_text("talks is no longer paused.").wait_for()
    wait_until(lambda: statuses(api, *paths) == [200, 200, 200, 200], "it is resumed")
    press(board, "Undo")
    wait_until(lambda: statuses(api, "/talks") == [503], "that is undone")
    assert mlapi("resume", "talks", cwd=api.folder).status == 0
    wait_noted(api, "pause", "resume", "pause", "resume")


def unfold(board: Visit, name: str) -> None:
    """Shows what can be done with a team or a model."""
    button = board.page.get_by_role("button", name=f"Actions for {name}", exact=True)
    if button.get_attribute("aria-expanded") == "false":
        button.click()


def test_one_team_is_paused_at_every_path_and_resumed(board: Visit, api: LocalApi) -> None:
    page, paths = board.page, ("/talks", CHAT, f"/talks{CHAT}", "/echo")
    unfold(board, "blue")
    press(board, "Pause blue")
    page.get_by_label("What callers are told").fill("See us")
    press(board, "Pause")
    page.get_by_text("blue is paused.").wait_for()
    wait_until(lambda: statuses(api, *paths) == [503, 503, 503, 503], "blue is paused")
    key = key_of_blue(api)
    asked = [("authorization", f"bearer {key}"), ("authorization", f"Bearer  {key}"), ("x-api-key", key)]
    assert {api.call(CHAT, ASKED, **{name.replace("-", "_"): value}).status for name, value in asked} == {503}
    assert json.loads(api.call(CHAT, ASKED, x_api_key=key).data)["error"]["code"] == "paused"
    assert api.call("/models", method="GET", x_api_key=key).status == 200
    assert "the team blue is paused: See us" in mlapi("status", cwd=api.folder).out
    press(board, "Resume blue")
    wait_until(lambda: statuses(api, *paths) == [200, 200, 200, 200], "it is resumed")
    wait_noted(api, "pause team", "resume team")


def test_a_team_gets_more_until_the_end_and_back(board: Visit, api: LocalApi) -> None:
    def left() -> int:
        answer = api.call("/echo", x_api_key=key_of_blue(api))
        return int(answer.headers["x-ratelimit-limit-requests"].partition(",")[0])

    row = board.page.locator("tbody tr", has=board.page.get_by_role("rowheader", name="blue"))
    assert left() == 4000
    unfold(board, "blue")
    press(board, "+ 2,000 requests blue")
    board.page.get_by_text("blue may use 2,000 requests more until the event ends.").wait_for()
    wait_until(lambda: left() == 6000, "it has more")
    row.get_by_text("limit raised").wait_for()
    press(board, "Undo")
    wait_until(lambda: left() == 4000, "that is undone")
    press(board, "More blue")
    board.page.get_by_label("requests", exact=True).fill("1.5")
    press(board, "Grant")  # refused: half a request is none
    board.page.get_by_label("requests", exact=True).fill("10")
    press(board, "Grant")
    wait_until(lambda: left() == 4010, "it has ten more")
    assert mlapi("grant", "blue", "--take-back", cwd=api.folder).status == 0
    wait_until(lambda: left() == 4000, "it is taken back")
    wait_noted(api, "grant", "take back", "grant", "take back")


def test_everything_is_paused_and_resumed(board: Visit, api: LocalApi) -> None:
    press(board, "Pause all", "Pause")
    board.page.get_by_text("Every model is paused", exact=True).wait_for()
    wait_until(lambda: statuses(api, "/echo", CHAT) == [503, 503], "all is paused")
    press(board, "Resume all")
    wait_until(lambda: statuses(api, "/echo", CHAT) == [200, 200], "all is resumed")


def test_a_message_is_a_banner_on_the_page_and_a_header(
    board: Visit, browser: Browser, api: LocalApi
) -> None:
    def headers() -> HTTPHeaderDict:
        return api.call("/echo", x_api_key=key_of_blue(api)).headers

    press(board, "Message to all")
    board.page.get_by_label("Empty: no message").fill(SAID)
    press(board, "Show it")
    board.page.get_by_text("Everybody sees it now.").wait_for()
    participant = start_visit(browser, api.url)
    participant.enter(key_of_blue(api))
    participant.page.locator("#banner").get_by_text(SAID).wait_for()
    participant.end()
    wait_until(lambda: headers().get("x-event-message") == "%3Cb%3EK%C3%A4se%3C/b%3E, 100 %25", "it is there")
    assert f"the message to all is: {SAID}" in mlapi("status", cwd=api.folder).out
    press(board, "Undo")
    wait_until(lambda: "x-event-message" not in headers(), "it is taken back")


def test_the_end_is_moved_and_moved_back(board: Visit, api: LocalApi) -> None:
    press(board, "Extend the end", "+1 h")
    wait_until(lambda: api.status()["ends"] == "2099-06-01T19:00:00Z", "it ends later")
    board.page.get_by_text("The event ends at").wait_for()
    press(board, "Undo")
    wait_until(lambda: api.status()["ends"] == "2099-06-01T18:00:00Z", "it ends as before")
    assert "2099-06-01T18:00:00Z" in (api.folder / "models.json").read_text()
    wait_noted(api, "extend", "extend")


def test_what_a_verb_does_is_in_the_journal_on_the_screen_too(board: Visit, api: LocalApi) -> None:
    assert mlapi("restart", "echo", cwd=api.folder).out == "echo was restarted.\n"
    assert journal_of(api)[-1] == ("command line", "restart", "echo")
    first = board.page.locator("#journal-rows li").first
    first.get_by_text("by mlapi").wait_for()
    assert "Restarted echo" in first.inner_text()
