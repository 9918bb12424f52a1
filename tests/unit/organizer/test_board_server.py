"""Who gets what of the organizer's screen: a browser of this machine with the link, and nobody else."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from centralized_ml_api.local.machine.listen import serve_application
from centralized_ml_api.local.machine.ports import bind_loopback, url_of
from centralized_ml_api.organizer.board_server import build_board_application
from support.background import start_background
from support.board import build_board

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TOKEN = "t0ken"  # noqa: S105  # of nobody
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}
FOREIGN = ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"})


OWN = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}


class Source:
    """A board of two teams; it wakes nothing but `a`."""

    def __init__(self) -> None:
        self.done: list[tuple[str, dict[str, Any]]] = []

    async def build(self) -> dict[str, Any]:
        """Everything that the page shows."""
        return build_board(2, 2)

    async def act(self, act: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Notes what it should do."""
        self.done.append((act, dict(wanted)))
        return (
            {"told": 1} if wanted.get("name") == "a" else {"error": "it never sleeps", "fix": "give it idle"}
        )


@pytest.fixture(scope="module")
def source() -> Source:
    return Source()


@pytest.fixture(scope="module")
def url(source: Source) -> Iterator[str]:
    stack, listening = contextlib.AsyncExitStack(), bind_loopback()
    with start_background() as background:
        application = build_board_application(source, TOKEN)
        background.run(serve_application(stack, application, listening, cancels=True))
        yield url_of(listening)
        background.run(stack.aclose())


def get(url: str, path: str = "/board.json", **headers: str) -> urllib3.BaseHTTPResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return urllib3.request("GET", f"{url}{path}", headers=named, retries=False)


def test_the_page_is_for_any_browser_here_and_knows_nothing(url: str) -> None:
    page = get(url, "/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["x-frame-options"] == "DENY"
    assert b"team-0" not in page.data
    assert TOKEN.encode() not in page.data


def test_what_it_shows_needs_the_token(url: str) -> None:
    assert get(url).status == 401
    assert get(url, Authorization="Bearer other").status == 401
    assert get(url, Authorization="Bearer \xff").status == 401, "no text at all"
    told = get(url, **WITH_TOKEN)
    assert (told.status, told.json()) == (200, build_board(2, 2))
    assert told.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in told.headers


@pytest.mark.parametrize("sent", FOREIGN)
def test_a_page_of_another_origin_is_refused_even_with_the_token(url: str, sent: dict[str, str]) -> None:
    assert get(url, **WITH_TOKEN, **sent).status == 403


def test_its_own_page_may_ask(url: str) -> None:
    own = {"Origin": url, "Sec-Fetch-Site": "same-origin"}
    assert get(url, **WITH_TOKEN, **own).status == 200


@pytest.mark.parametrize("path", ["/", "/board.json"])
def test_a_name_that_resolves_to_this_machine_is_refused(url: str, path: str) -> None:
    assert get(url, path, **WITH_TOKEN, Host="evil.example:80").status == 403
    assert get(url, path, **WITH_TOKEN, Host="localhost").status == 200


def post(url: str, body: str, path: str = "/acts/wake", **headers: str) -> urllib3.BaseHTTPResponse:
    return urllib3.request("POST", f"{url}{path}", body=body.encode(), headers=headers, retries=False)


def test_its_own_page_acts_with_the_token(url: str, source: Source) -> None:
    source.done.clear()
    done = post(url, '{"name": "a"}', **WITH_TOKEN, **OWN, Origin=url)
    assert (done.status, done.json()) == (200, {"told": 1})
    refused = post(url, '{"name": "b"}', **WITH_TOKEN, **OWN, Origin=url)
    assert (refused.status, refused.json()) == (409, {"error": "it never sleeps", "fix": "give it idle"})
    assert source.done == [("wake", {"name": "a"}), ("wake", {"name": "b"})]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({**OWN}, 401),
        ({**OWN, "Authorization": "Bearer other"}, 401),
        ({**OWN, "Cookie": f"token={TOKEN}"}, 401),
        *(({**OWN, **WITH_TOKEN, **foreign}, 403) for foreign in FOREIGN),
        ({**OWN, **WITH_TOKEN, "Host": "evil.example:80"}, 403),
        ({**WITH_TOKEN}, 415),
        ({**WITH_TOKEN, "Content-Type": "text/plain"}, 415),
        ({**WITH_TOKEN, "Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({**WITH_TOKEN, "Content-Type": "multipart/form-data; boundary=x"}, 415),
    ],
)
def test_nobody_else_acts(sent: dict[str, str], status: int, url: str, source: Source) -> None:
    source.done.clear()
    assert post(url, '{"name": "a"}', **sent).status == status
    assert source.done == []


@pytest.mark.parametrize(
    ("body", "status"), [("", 400), ("[]", 400), ("[" * 9999, 400), ("\xff", 400), (f'"{"a" * 20_000}"', 413)]
)
def test_what_is_no_short_object_does_nothing(body: str, status: int, url: str, source: Source) -> None:
    source.done.clear()
    assert post(url, body, **WITH_TOKEN, **OWN).status == status
    assert source.done == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_only_a_post_acts(method: str, url: str, source: Source) -> None:
    source.done.clear()
    sent = {**WITH_TOKEN, **OWN}
    assert urllib3.request(method, f"{url}/acts/wake", headers=sent, retries=False).status == 405
    assert source.done == []
