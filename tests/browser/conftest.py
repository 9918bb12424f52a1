from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.browser import DESKTOP, run_browser, start_visit
from support.chat_page import build_config
from support.page_server import PageServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from support.browser import Visit


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium without a window.

    For one module at a time: as long as playwright runs, this thread can run no other event loop, which tests
    of other rooms and the end of fixtures do.
    """
    with run_browser() as started:
        yield started


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens a page in a context of its own; at the end it must have said nothing and asked no other host."""
    visits: list[Visit] = []

    def open_page(url: str, **look: object) -> Visit:
        visits.append(start_visit(browser, url, **look))
        return visits[-1]

    yield open_page
    for one in visits:
        one.end()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    with PageServer(tmp_path_factory.mktemp("chat"), build_config()) as started:
        yield started


@pytest.fixture(scope="module")
def shared(browser: Browser, server: PageServer) -> Iterator[Visit]:
    """One visit for all tests that need no other screen: each opens a conversation of its own."""
    visited = start_visit(browser, server.url)
    yield visited
    visited.end()


@pytest.fixture
def chat(shared: Visit) -> Visit:
    shared.page.goto("about:blank")
    shared.page.set_viewport_size(DESKTOP)
    shared.show("chat")
    return shared
