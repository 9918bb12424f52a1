"""The page of an event with teams: an empty shell without a key, and what a key may not do is explained."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from support.browser import PHONE
from support.local_api import LocalApi, mlapi, start_local_api
from support.odd_server import OddServer
from support.page_snippets import run_all_snippets
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page, Route

    from support.browser import Visit

pytestmark = pytest.mark.slow

FAR_AWAY = "2099-06-01T18:00:00+02:00"
LONG_AGO = "2020-06-01T09:00:00+02:00"
EVENT = {
    "title": "A <b>spring</b> hack",
    "welcome": "Bring <b>tea</b>.",
    "starts": LONG_AGO,
    "ends": FAR_AWAY,
}
JOIN = {"teams": 2, "code": "HERON-42"}
FEW = 3
"""Calls a day. To look at the page costs none."""

TOKENS = 10_000
"""Tokens a day."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    with OddServer() as odd:
        talks = {"engine": "url", "url": f"http://127.0.0.1:{odd.port}/chat", "speaks": "openai-chat"}
        entries = [entry("open", odd.port), entry("closed", odd.port)]
        entries.append({"name": "talks", "integration": {"type": "api"}, "local": talks})
        few = {"name": "few", "requests_per_day": FEW}
        green = {"name": "green", "tokens_per_day": TOKENS, "models": ["talks"]}
        teams = ["red", "leaves", {"name": "blue", "models": ["open"]}, few, green]
        config = {"models": [], "endpoints": entries, "event": {**EVENT, "teams": teams, "join": JOIN}}
        with start_local_api(tmp_path_factory.mktemp("teams"), config) as started:
            yield started.wait_serving()


def entry(name: str, port: int) -> dict[str, Any]:
    local = {"engine": "url", "url": f"http://127.0.0.1:{port}/same"}
    return {"name": name, "integration": {"type": "api"}, "local": local, "sample": {"text": "Hello."}}


def key_of(api: LocalApi, team: str) -> str:
    return read_key(api.folder, team)


@cache
def read_key(folder: Path, team: str) -> str:
    return mlapi("keys", "--show", team, cwd=folder).out.strip()


def test_without_a_key_the_page_is_a_door(api: LocalApi, visit: Callable[..., Visit]) -> None:
    page = visit(api.url).page
    page.get_by_role("heading", level=1, name="A <b>spring</b> hack").wait_for()
    page.get_by_label("Your team's key").wait_for()
    assert "left, until" in page.locator("#door").inner_text()
    assert page.locator("nav li").count() == 0
    assert "Bring <b>tea</b>" not in page.content()


def test_a_wrong_key_is_explained_and_the_keyboard_enters_another(
    api: LocalApi, visit: Callable[..., Visit]
) -> None:
    visited = visit(api.url)
    visited.enter("mlapi_wrong")
    visited.page.get_by_role("alert").wait_for()
    assert "No team has this key" in visited.page.get_by_role("alert").inner_text()
    visited.page.keyboard.type(key_of(api, "red"))  # the box has the focus
    visited.page.keyboard.press("Enter")
    visited.page.get_by_role("link", name="open").wait_for()
    open_door(visited.page)
    assert visited.page.get_by_role("alert").count() == 0


def open_door(page: Page) -> None:
    page.get_by_role("button", name="Team ").click()
    page.get_by_role("button", name="Change key").click()


def test_with_its_key_a_team_calls_and_its_snippets_run(
    api: LocalApi, visit: Callable[..., Visit], tmp_path: Path
) -> None:
    key = key_of(api, "red")
    visited = visit(api.url)
    visited.enter(key)
    visited.show("open")
    visited.submit()
    visited.answer.wait_for()
    assert visited.answer.inner_text() == "Hello."
    assert "left, until" in visited.page.locator("#time-left").inner_text()
    visited.open_code()
    assert key not in visited.page.content(), "shown in part, copied whole"
    printed = run_all_snippets(visited, tmp_path, {"MLAPI_KEY": key})
    assert [json.loads(text) for text in printed.values()] == [{"text": "Hello."}] * 3


def test_nothing_opens_before_all_of_it_is_loaded(api: LocalApi, visit: Callable[..., Visit]) -> None:
    """Otherwise it would be drawn again a moment later, without what somebody wrote meanwhile."""
    visited = visit(api.url)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    visited.page.route("**/v1/usage", hold)  # playwright marks what it calls, which no method of a list takes
    with visited.page.expect_request("**/v1/usage"):
        visited.enter(key_of(api, "red"))
    visited.page.goto(f"{visited.url}#open")
    assert visited.page.locator("main form").count() == 0
    held.pop().continue_()
    visited.page.get_by_role("heading", level=1, name="open", exact=True).wait_for()
    assert visited.page.locator("main form").count() == 1


def test_before_the_start_the_page_counts_down(api: LocalApi, visit: Callable[..., Visit]) -> None:
    visited = visit(api.url)
    visited.page.clock.set_fixed_time("2020-06-01T05:00:00Z")
    visited.enter(key_of(api, "red"))
    visited.page.locator("#time-left").get_by_text("Event starts in 2 h").wait_for()


def test_a_key_that_is_revoked_meanwhile_leads_to_the_door(
    api: LocalApi, visit: Callable[..., Visit]
) -> None:
    visited = visit(api.url)
    visited.enter(key_of(api, "leaves"))
    visited.answered("Still here?")
    assert mlapi("keys", "revoke", "leaves", "--yes", cwd=api.folder).status == 0
    wait_until(
        lambda: api.call("/v1/usage", method="GET", x_api_key=key_of(api, "leaves")).status == 401,
        "the key is refused",
    )
    visited.ask("And now?")
    visited.problem.get_by_text("No team has this key any more.").wait_for()
    visited.problem.get_by_role("button", name="Enter a key").click()
    visited.page.get_by_label("Your team's key").wait_for()
    visited.page.get_by_role("button", name="Back").click()
    assert visited.page.locator(".you").all_inner_texts() == ["Still here?", "And now?"]


def test_the_key_stays_in_its_tab(api: LocalApi, visit: Callable[..., Visit]) -> None:
    visited = visit(api.url)
    visited.enter(key_of(api, "red"))
    visited.show("open")
    other = visited.page.context.new_page()
    other.goto(visited.url)
    other.get_by_label("Your team's key").wait_for()
    assert visited.page.evaluate("localStorage.length + document.cookie.length") == 0


def test_a_key_is_kept_where_that_is_asked_for(api: LocalApi, visit: Callable[..., Visit]) -> None:
    visited = visit(api.url)
    visited.page.get_by_label("Keep me signed in").check()
    visited.enter(key_of(api, "red"))
    visited.show("open")
    other = visited.page.context.new_page()
    other.goto(visited.url)
    other.get_by_role("button", name="Team red").click()
    other.get_by_role("button", name="Sign out").click()
    other.get_by_label("Your team's key").wait_for()
    assert other.evaluate("localStorage.length") == 0


def test_a_link_with_a_key_signs_in_and_keeps_it_out_of_the_address(
    api: LocalApi, visit: Callable[..., Visit]
) -> None:
    key = key_of(api, "red")
    page = visit(api.url).page
    page.goto(f"{api.url}/#key={key}")
    page.get_by_role("link", name="open").wait_for()
    assert key not in page.url


def test_a_key_that_was_not_confirmed_is_not_used(api: LocalApi, visit: Callable[..., Visit]) -> None:
    visited = visit(api.url)
    visited.enter(key_of(api, "red"))
    visited.show("open")
    open_door(visited.page)
    visited.page.get_by_label("Your team's key").fill("mlapi_wrong")
    visited.page.get_by_role("button", name="Back").click()
    visited.submit()
    visited.answer.wait_for()


def test_a_team_is_shown_only_the_models_that_it_may_call(api: LocalApi, visit: Callable[..., Visit]) -> None:
    for team, shown in (("blue", ["open"]), ("red", ["open", "closed"])):
        visited = visit(api.url)
        visited.enter(key_of(api, team))
        visited.show("open")
        names = visited.page.get_by_role("navigation", name="Models").get_by_role("link").all_inner_texts()
        assert [name for name in ("open", "closed") if any(name in text for text in names)] == shown


def test_who_calls_sees_what_is_used_and_what_is_left(api: LocalApi, visit: Callable[..., Visit]) -> None:
    visited = visit(api.url)
    visited.enter(key_of(api, "green"))
    me = visited.page.get_by_role("button", name="Team green")
    assert "10,000 tokens left" in me.inner_text()
    visited.ask("Hello?")
    visited.wait_answered()
    me.click()
    limits = visited.page.get_by_role("dialog", name="Key, limits and theme")
    limits.get_by_text(re.compile(r"^9,\d{3} of 10,000 tokens today, until ")).wait_for()
    limits.get_by_text(re.compile(r"^1 call, \d+ tokens$")).wait_for()
    visited.page.locator("#left").get_by_text(re.compile(r"^9,\d{3} tokens left$")).wait_for()


def test_a_quota_that_is_used_up_is_explained(api: LocalApi, visit: Callable[..., Visit]) -> None:
    visited = visit(api.url)
    visited.enter(key_of(api, "few"))
    visited.show("open")
    for _ in range(FEW + 1):
        visited.submit()
        visited.page.locator("main .answer-text, .problem").first.wait_for()
    visited.problem.wait_for()
    assert "429" in visited.problem.inner_text()
    assert "Try again in" in visited.problem.inner_text()


def test_the_page_for_joining_says_when_the_event_is_where_its_reader_is(
    api: LocalApi, visit: Callable[..., Visit]
) -> None:
    visited = visit(f"{api.url}/join", locale="en-GB", timezone_id="Europe/London")

    def read() -> str:
        """The line, without what differs between versions of Chromium."""
        return visited.page.locator("#times").inner_text().replace(",", "").replace("\u2013", "-")

    assert read() == "Monday 1 June 2020 at 08:00 - Monday 1 June 2099 at 17:00"

    def forget_the_start(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('"starts": "2020', '"began": "2020'))

    visited.page.route("**/join", forget_the_start)
    visited.page.clock.set_fixed_time("2099-05-31T00:00:00Z")
    visited.page.reload()
    assert read() == "Until Monday 1 June at 17:00"
    visited.page.clock.set_fixed_time("2099-06-02T00:00:00Z")
    visited.page.reload()
    assert read() == "The event ended on Monday 1 June at 17:00"


def test_the_keyboard_alone_joins_asks_copies_code_and_tries_another_model(
    api: LocalApi, visit: Callable[..., Visit]
) -> None:
    visited = visit(f"{api.url}/join")
    page, press = visited.page, visited.page.keyboard.press
    page.keyboard.type("HERON-42")
    press("Tab")
    page.keyboard.type("Keyboard")
    press("Enter")
    page.get_by_role("heading", level=1, name="Keyboard is in").wait_for()
    visited.tab_to("Open the page")
    press("Enter")
    page.get_by_role("heading", level=1, name="talks").wait_for()
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.type("first word")
    press("Enter")
    visited.wait_answered()
    visited.tab_to("Use it from code")
    press("Enter")
    drawer = page.get_by_role("complementary", name="Use talks from code")
    expect(drawer.get_by_role("button", name="Close use talks from code")).to_be_focused()
    visited.tab_to("curl")
    press("ArrowRight")
    expect(drawer.get_by_role("tab", name="Python", exact=True)).to_be_focused()
    visited.tab_to("Copy")
    press("Enter")
    assert "import requests" in page.evaluate("navigator.clipboard.readText()")
    press("Escape")
    expect(drawer).to_be_hidden()
    expect(page.get_by_role("button", name="Use it from code")).to_be_focused()
    visited.tab_to("open", back=True)
    press("Enter")
    page.get_by_role("heading", level=1, name="open", exact=True).wait_for()
    visited.tab_to("Send")
    press("Enter")
    visited.answer.wait_for()


def test_a_team_joins_by_the_link_and_sees_the_first_word(
    api: LocalApi, visit: Callable[..., Visit], tmp_path: Path
) -> None:
    visited = visit(api.url, viewport=PHONE)
    page = visited.page
    page.get_by_role("link", name="No key yet?").click()
    page.get_by_role("heading", level=1, name="Join with your team").wait_for()
    page.goto(f"{api.url}/join#code=HERON-24")
    page.reload()  # only the part behind the # is another
    page.get_by_label("Name of your team").fill("<b>Owls</b>")
    page.get_by_role("button", name="Get our key").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not the code.")
    assert "HERON" not in page.url, "the code is in no history"
    page.get_by_label("Code from the organizers").fill("heron 42")
    page.get_by_role("button", name="Get our key").click()
    expect(page.get_by_role("alert")).to_contain_text("A team's name has up to 32 letters")
    page.get_by_label("Name of your team").fill("Night Owls")
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1, name="Night Owls are in").wait_for()
    key = page.get_by_label("Your key").inner_text()
    assert key == key_of(api, "Night Owls")
    page.get_by_role("img", name="QR code").wait_for()
    assert f"export MLAPI_KEY={key}" in page.locator("#programs").inner_text()
    assert f'base_url="{api.url}/v1"' in page.locator("#programs").inner_text()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as .env").click()
    download.value.save_as(tmp_path / "owls.env")
    assert f"MLAPI_KEY={key}\n" in (tmp_path / "owls.env").read_text()
    page.get_by_role("link", name="Open the page").click()
    page.get_by_role("heading", level=1, name="talks").wait_for()
    assert key not in page.url
    assert visited.answered("first word") == "firstword"
