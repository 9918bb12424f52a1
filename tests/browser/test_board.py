"""The organizer's screen in a real browser, with sixty teams and twenty models."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from centralized_ml_api.local.machine.listen import serve_application
from centralized_ml_api.local.machine.ports import bind_loopback, url_of
from centralized_ml_api.organizer.board_server import build_board_application
from support.background import start_background
from support.board import build_board
from support.browser import DESKTOP, PHONE, Visit, start_visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.slow

TOKEN = "t0ken"  # noqa: S105  # of nobody


class Source:
    """The board of a large event; nothing can be done with it."""

    async def build(self) -> dict[str, Any]:
        """Everything that the page shows."""
        return build_board(60, 20)

    async def act(self, act: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Is refused."""
        return {"error": f"{act} of {wanted['name']} <b>is</b> impossible", "fix": ""}


@pytest.fixture(scope="module")
def source() -> Source:
    return Source()


@pytest.fixture(scope="module", autouse=True)
def link(source: Source) -> Iterator[str]:
    """The address, from before the browser starts until after it ends: see `browser`."""
    stack, listening = contextlib.AsyncExitStack(), bind_loopback()
    with start_background() as background:
        application = build_board_application(source, TOKEN)
        background.run(serve_application(stack, application, listening, cancels=True))
        yield url_of(listening)
        background.run(stack.aclose())


@pytest.fixture(scope="module")
def board(browser: Browser, link: str) -> Iterator[Visit]:
    visit = start_visit(browser, link)
    visit.page.goto(f"{link}/#token={TOKEN}")
    visit.page.reload()  # of the same address, so that only the fragment is new
    visit.page.get_by_role("heading", name="Models", exact=True).wait_for()
    yield visit
    visit.end()


def test_the_token_leaves_the_address_and_names_are_text(board: Visit) -> None:
    assert board.page.url == board.url
    assert board.page.get_by_role("heading", level=1).inner_text() == "Spring <i>Hack</i> 2027"
    assert "5 h 0 min left · https://192.168.1.20:8080" in board.page.locator("header").first.inner_text()


def test_sixty_teams_and_twenty_models_are_there_what_needs_a_hand_first(board: Visit) -> None:
    page = board.page
    assert page.locator("tbody tr").count() == 60
    assert page.locator("#models-rows li").count() == 20
    first = page.locator("tbody tr").first.inner_text()
    assert (first.split("\t")[0], "4.80 of 5.00 USD" in first) == ("team-0", True)
    assert page.locator("#models-rows li").first.inner_text().split()[:2] == ["model-1", "failed"]
    needs = page.get_by_role("list", name="What needs a hand").inner_text()
    assert "4.80 of 5.00 USD" in needs
    assert "model-1: failed" in needs


def test_the_charts_have_the_last_hour_and_what_is_spent_with_where_that_leads(board: Visit) -> None:
    figures = board.page.locator("#charts figure")
    captions = figures.locator("figcaption").all_inner_texts()
    assert captions == [
        "Requests a minute",
        "Tokens a second",
        "Wait for the first word",
        "Calls that wait",
        "Errors a minute",
        "Spent by all teams",
    ]
    wait = figures.nth(2)
    assert wait.locator("p").first.inner_text().split() == ["0.9", "s", "highest", "0.9"]
    assert wait.locator("path.line").count() == 2, "nothing streamed for a while: the line has a gap"
    spent = figures.nth(5)
    assert "of 30.00 USD" in spent.inner_text()
    assert spent.locator(".axis span").last.inner_text().endswith(": about 20.00")
    assert (spent.locator("path.ahead").count(), spent.locator("path.budget").count()) == (1, 1)
    drawn = spent.locator("path.ahead").get_attribute("d")
    assert drawn is not None
    assert drawn.startswith("M150.0 ")
    assert board.page.locator("tbody svg.spark").count() == 60


def test_an_end_on_another_day_has_its_day(board: Visit) -> None:
    def put_off(route: Route) -> None:
        document = route.fetch().json()
        document["spending"]["expected"]["at"] += 3 * 24 * 60 * 60
        route.fulfill(json=document)

    page = board.page
    page.route("**/board.json", put_off)
    try:
        page.locator(".axis").get_by_text(re.compile(r"^Tue,? \d\d:\d\d: about 20.00$")).wait_for()
    finally:
        page.unroute("**/board.json")


def test_what_needs_a_hand_beyond_the_first_six_is_one_press_away(board: Visit) -> None:
    page = board.page
    needs = page.get_by_role("list", name="What needs a hand").get_by_role("listitem")
    failed = [f"model-{number}: failed" for number in range(1, 20, 4)]
    assert needs.count() == 6
    more = page.get_by_role("button", name=re.compile(r"^and \d+ more$"))
    assert more.get_attribute("aria-expanded") == "false"
    hidden = int(more.inner_text().split()[1])
    more.click()
    fewer = page.get_by_role("button", name="Show fewer")
    expect(needs).to_have_count(6 + hidden)
    titles = needs.locator("b").all_inner_texts()
    assert [title for title in titles if title.startswith("model-")] == failed
    with page.expect_response("**/board.json"):
        assert fewer.get_attribute("aria-expanded") == "true"
    page.set_viewport_size(PHONE)
    expect(needs).to_have_count(6 + hidden)  # it stays open while new figures come
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    box = fewer.bounding_box()
    assert box
    assert box["height"] >= 44, "a finger must hit it"
    assert board.find_serious_faults() == []
    fewer.click()
    expect(needs).to_have_count(6)
    page.set_viewport_size(DESKTOP)


def test_without_more_than_six_no_button_offers_more(board: Visit) -> None:
    def calm(document: dict[str, Any]) -> None:
        document["models"] = document["models"][:2]
        document["errors"] = []
        document["teams"] = document["teams"][:3]

    with showing(board, calm) as page:
        expect(page.locator("tbody tr")).to_have_count(3)
        assert page.locator("#needs li").count() <= 6
        assert page.locator("#needs-more").is_hidden()


@contextlib.contextmanager
def showing(board: Visit, change: Callable[[dict[str, Any]], None]) -> Iterator[Page]:
    """Shows the board after a change of what it is told."""

    def answer(route: Route) -> None:
        document = route.fetch().json()
        change(document)
        route.fulfill(json=document)

    board.page.route("**/board.json", answer)
    yield board.page
    board.page.unroute_all(behavior="wait")


def test_a_team_whose_limit_is_soon_used_up_needs_a_hand(board: Visit) -> None:
    def hurry(document: dict[str, Any]) -> None:
        document["models"] = document["models"][:4]  # which else leave no room for it
        document["teams"][7]["limits"][0] |= {"used": 2.0, "minutes_left": 6}
        document["teams"][7]["limits"].append(
            {"unit": "tokens", "period": "day", "used": 9, "most": 10, "minutes_left": None}
        )

    with showing(board, hurry) as page:
        needs = page.get_by_role("list", name="What needs a hand")
        needs.get_by_text("2.00 of 5.00 USD, at this pace used up in 6 min").wait_for()
        page.get_by_role("button", name="Grant more: team-7").wait_for()
        row = page.locator("tbody tr", has=page.get_by_role("rowheader", name="team-7", exact=True))
        row.get_by_text("used up in 6 min", exact=True).wait_for()
        assert "2.00 of 5.00 USD" in row.inner_text(), "not the limit of which less is left"
        assert board.find_serious_faults() == []


def test_a_model_says_how_many_of_its_places_are_busy(board: Visit) -> None:
    def fill(document: dict[str, Any]) -> None:
        document["models"][0] |= {"under_way": 5, "places": 8}
        document["models"][4] |= {"under_way": 7, "places": None}

    with showing(board, fill) as page:
        page.locator("#models-rows").get_by_text("5 of 8 places busy").wait_for()
        assert page.locator("#models-rows").inner_text().count("busy") == 1
        assert "ready · 7 under way" in page.locator("#models-rows").inner_text()


def test_idle_models_are_one_row_that_opens(board: Visit) -> None:
    def calm(document: dict[str, Any]) -> None:
        for model in document["models"]:
            model["last"] = "2027-03-06T12:37:59Z"
        document["models"][0]["under_way"] = 1

    with showing(board, calm) as page:
        rows, button = page.locator("#models-rows"), page.get_by_role("button", name="Idle models")
        rows.get_by_text("4 models idle").wait_for()
        expect(rows.locator("li")).to_have_count(17)
        assert "model-4, model-8, model-12, model-16" in page.locator("#idle").inner_text()
        button.press("Enter")
        expect(rows.locator("li")).to_have_count(21)
        expect(button).to_be_focused()
        expect(button).to_have_attribute("aria-expanded", "true")
        page.get_by_role("button", name="Last lines of model-4", exact=True).click()
        rows.get_by_text("model-4 <b>says</b> this").wait_for()
        assert board.find_serious_faults() == []
        page.get_by_role("button", name="Last lines of model-4", exact=True).click()
        button.click()
        expect(rows.locator("li")).to_have_count(17)


def test_a_few_idle_models_and_those_that_somebody_calls_have_a_row_each(board: Visit) -> None:
    def calm(document: dict[str, Any]) -> None:
        for number in (0, 4, 8, 12, 16):
            document["models"][number]["last"] = None
        document["models"][0]["requests_per_minute"] = 0.5
        document["models"][4]["paused"] = ""
        document["models"][8]["waiting"] = 1
        document["models"][12]["under_way"] = 1

    with showing(board, calm) as page:
        page.locator("#models-rows").get_by_text("1 waiting").wait_for()
        expect(page.locator("#models-rows li")).to_have_count(20)


def test_a_message_says_since_when_everybody_reads_it(board: Visit) -> None:
    def tell(document: dict[str, Any]) -> None:
        document |= {"message": "Lunch", "message_at": "2027-03-06T12:40:00Z"}

    with showing(board, tell) as page:
        page.get_by_text("Lunch", exact=True).wait_for()
        assert re.search(r"since \d\d:40", page.locator("#message").inner_text())


def test_the_keyboard_sorts_finds_and_unfolds(board: Visit) -> None:
    page = board.page
    page.get_by_role("button", name="Sort by Team").press("Enter")
    assert page.get_by_role("columnheader", name="Team").get_attribute("aria-sort") == "ascending"
    assert page.locator("tbody tr").nth(1).inner_text().startswith("team-1\t")
    page.get_by_label("Find a team").fill("TEAM-59")
    assert page.locator("tbody tr").count() == 1
    page.get_by_label("Find a team").fill("")
    page.get_by_role("button", name="Last lines of model-1", exact=True).press("Enter")
    assert page.locator("#models-rows pre").inner_text() == "model-1 <b>says</b> this"
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Last lines of model-1"


def test_what_is_refused_is_said_as_text(board: Visit) -> None:
    board.page.get_by_role("button", name="Wake model-2", exact=True).click()
    board.page.get_by_text("wake of model-2 <b>is</b> impossible.").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_assistive_technology_finds_no_fault(board: Visit, scheme: Any) -> None:
    board.page.emulate_media(color_scheme=scheme)
    results = Axe().run(board.page)
    assert results.violations_count == 0, results.generate_report()
    board.page.get_by_role("button", name="Join code").click()
    board.page.get_by_text("The fingerprint of its authority is AB:CD").wait_for()
    assert board.find_serious_faults() == []
    board.page.get_by_role("button", name="Back").click()


def test_a_phone_shows_it_without_scrolling_sideways(board: Visit) -> None:
    board.page.set_viewport_size(PHONE)
    page = board.page
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.get_by_role("navigation").get_by_role("link", name="Teams").click()
    top = page.get_by_role("heading", name="Teams", exact=True).evaluate(
        "it => it.getBoundingClientRect().top"
    )
    assert 0 < top < PHONE["height"] / 3
    box = page.get_by_role("button", name="Pause all").bounding_box()
    assert box is not None
    assert box["y"] > PHONE["height"] * 0.8, "in reach of a thumb"
    assert board.find_serious_faults() == []


def test_without_the_link_it_shows_nothing(browser: Browser, link: str) -> None:
    visit = start_visit(browser, link)
    visit.page.get_by_role("alert").wait_for()
    assert "Run mlapi board" in visit.page.get_by_role("alert").inner_text()
    assert visit.page.locator("tbody tr").count() == 0
    visit.end()
