"""The page over a config that is unkind: errors, names, sizes; for everybody, on every screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from support.browser import DESKTOP, PHONE
from support.local_api import LocalApi, start_local_api
from support.odd_server import OddServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

    from support.browser import Visit

pytestmark = pytest.mark.slow

HOSTILE = "<script>document.title='taken'</script><img src=x onerror=alert(1)> \"'`${1} שלום العربية 🎉 100%"
MANY = 150
NAME = "a-name-that-is-as-long-as-names-may-be-which-is-sixty-three-ch"


@dataclass(frozen=True)
class Explained:
    """An error, and what of its explanation a participant must be able to read."""

    model: str
    status: int
    says: tuple[str, ...]


ERRORS = (
    Explained("refuses", 422, ('it\'s "wrong"', "Compare it with the sample")),
    Explained("busy", 429, ("request limit has been reached", "Try again in 7 s")),
    Explained("breaks", 502, ("closed the connection", "tell whoever runs the API")),
    Explained("gone", 503, ("starting or being restarted", "Try again in 2 s")),
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    folder = tmp_path_factory.mktemp("unkind")
    with OddServer() as odd, start_local_api(folder, build_config(odd.port)) as started:
        yield started.wait_serving()


def build_config(port: int) -> dict[str, Any]:
    paths = {"hostile": "/same", "refuses": "/refuse/422", "busy": "/status/429", "breaks": "/close"}
    entries = [entry(name, f"http://127.0.0.1:{port}{path}") for name, path in paths.items()]
    sample = {"text": HOSTILE}
    entries[0] |= {"description": HOSTILE, "made_by": HOSTILE, "licence": HOSTILE, "sample": sample}
    many = [{"name": f"m-{number}", "integration": {"type": "api"}} for number in range(MANY)]
    gone = {**entry("gone", "http://127.0.0.1:9/x"), "description": "word " * 60}
    long = {"name": NAME, "integration": {"type": "api"}, "description": "x" * 300}
    return {"models": [], "endpoints": [*entries, gone, long, *many]}


def entry(name: str, url: str) -> dict[str, Any]:
    return {"name": name, "integration": {"type": "api"}, "local": {"engine": "url", "url": url}}


def overflow(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return width


def test_what_a_config_says_is_text_and_nothing_else(api: LocalApi, visit: Callable[..., Visit]) -> None:
    visited = visit(api.url)
    page = visited.show("hostile")
    assert HOSTILE in page.locator(".lead").inner_text()
    assert page.locator("main img, main script").count() == 0
    assert page.title() == "hostile · Models"
    visited.submit()
    visited.answer.wait_for()
    assert visited.answer.inner_text() == HOSTILE


@pytest.mark.parametrize("error", ERRORS, ids=lambda one: one.model)
def test_an_error_is_explained(api: LocalApi, visit: Callable[..., Visit], error: Explained) -> None:
    visited = visit(api.url)
    visited.show(error.model)
    visited.submit()
    visited.problem.wait_for()
    explained = visited.problem.inner_text()
    for part in (str(error.status), *error.says):
        assert part in explained


def test_an_entry_that_is_not_served_says_why(api: LocalApi, visit: Callable[..., Visit]) -> None:
    page = visit(api.url).show("m-7")
    assert "is not served on this machine" in page.locator("main .notice").inner_text()
    assert page.locator("main button.primary").count() == 0


def test_health_is_live(api: LocalApi, visit: Callable[..., Visit]) -> None:
    page = visit(api.url).show("gone")
    assert page.locator("#status").inner_text() == "is not ready"


def test_a_button_that_copied_twice_copies_again(api: LocalApi, visit: Callable[..., Visit]) -> None:
    page = visit(api.url).show("hostile")
    button = page.get_by_label("The same request in code").get_by_role("button", name="Cop")
    page.clock.install()
    for _ in range(2):
        button.evaluate("button => button.click()")
        button.get_by_text("Copied").wait_for()
    page.clock.run_for(10_000)
    assert button.inner_text() == "Copy"


def test_a_model_is_found_by_its_name(api: LocalApi, visit: Callable[..., Visit]) -> None:
    page = visit(api.url).show("hostile")
    assert page.locator("nav li").count() == MANY + 6
    page.get_by_role("searchbox").fill("m-149")
    assert page.locator("nav li").all_inner_texts() == ["m-149"]


def test_on_a_phone_names_are_whole_unless_they_are_long(api: LocalApi, visit: Callable[..., Visit]) -> None:
    page = visit(api.url, viewport=PHONE).show("hostile")
    cut = "spans => spans.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"
    assert page.locator("nav a span:last-child").evaluate_all(cut) == [NAME]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [DESKTOP, PHONE, {"width": 320, "height": 568}], ids=str)
def test_it_fits_every_screen_and_axe_finds_no_serious_fault(
    api: LocalApi, visit: Callable[..., Visit], screen: dict[str, int], scheme: str
) -> None:
    visited = visit(api.url, viewport=screen, color_scheme=scheme)
    for model in ("hostile", "gone", NAME):
        page = visited.show(model)
        assert overflow(page) <= 0, f"{model} is wider than {screen}"
    visited.show("refuses")
    visited.submit()
    visited.problem.wait_for()
    assert overflow(visited.page) <= 0
    assert serious_faults(visited) == []


def serious_faults(visited: Visit) -> list[str]:
    found = Axe().run(visited.page).response["violations"]
    return [f"{one['id']}: {one['help']}" for one in found if one["impact"] in {"serious", "critical"}]


def test_the_keyboard_reaches_everything(api: LocalApi, visit: Callable[..., Visit]) -> None:
    page = visit(api.url).show("hostile")
    code = page.get_by_label("The same request in code")
    code.get_by_role("tab", name="curl").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == "Python"
    assert "import requests" in code.locator("pre").inner_text()
