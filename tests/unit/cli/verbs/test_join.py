"""`mlapi join`: the link, its QR code, and the door."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api.keys import new_key
from centralized_ml_api.api.qr import render_qr
from centralized_ml_api.local.keys import JoinBook, KeyStore
from centralized_ml_api.local.keys.record import TeamRecord
from centralized_ml_api.local.status import LocalStatus
from centralized_ml_api.organizer.journal import Journal
from support.control import SilentTarget, serve_control
from support.verbs import mlapi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

URL = "http://127.0.0.1:8080"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Something runs with an event; the file can be changed while it does."""
    config = tmp_path / "c.json"
    status = LocalStatus(7, str(config), str(tmp_path / ".mlapi"), 0.0, URL, "", "", (), ())
    with serve_control(SilentTarget(status), tmp_path / ".mlapi"):

        def write(**event: Any) -> None:
            config.write_text(json.dumps({"models": [], "event": event}))

        yield write


def test_it_prints_the_link_and_its_code(serve: Callable[..., None], tmp_path: Path) -> None:
    serve(teams=["red"], join={"teams": 3, "until": "2099-06-01T11:00:00Z"})
    KeyStore(tmp_path / ".mlapi").change(
        lambda _: (TeamRecord("red", new_key(), joined=True), TeamRecord("Owls", new_key(), joined=True))
    )
    ran = mlapi("join", cwd=tmp_path)
    code = JoinBook(tmp_path / ".mlapi").load().code
    link = f"{URL}/join#code={code}"
    assert ran.out.splitlines()[-1] == link
    plain = render_qr(link).replace("\x1b[97;40m", "").replace("\x1b[0m", "")
    assert ran.out.startswith(plain)
    assert "1 of 3 places are taken; joining ends at 2099-06-01T11:00:00Z." in ran.talk
    assert "The link names this machine's own address." in ran.talk
    assert ran.talk.endswith("Next: mlapi join --close\n")


def test_scripts_get_the_same_as_json(serve: Callable[..., None], tmp_path: Path) -> None:
    serve(join={"teams": 3, "code": "HERON-42"})
    ran = mlapi("join", "--json", "--url", "https://hack.example/", cwd=tmp_path)
    assert json.loads(ran.out) == {
        "link": "https://hack.example/join#code=HERON-42",
        "code": "HERON-42",
        "closed": "",
        "until": "",
        "places": 3,
        "taken": 0,
    }


def test_the_door_closes_and_opens(serve: Callable[..., None], tmp_path: Path) -> None:
    serve(join={"teams": 3})
    closed = mlapi("join", "--close", cwd=tmp_path)
    assert (closed.out, JoinBook(tmp_path / ".mlapi").load().is_closed) == ("", True)
    assert closed.talk == (
        "Joining is closed: an organizer closed it. 0 of 3 places are taken.\nNext: mlapi join --open\n"
    )
    assert mlapi("join", cwd=tmp_path).out == "", "to look opens nothing"
    assert [deed.act for deed in Journal(tmp_path / ".mlapi").load(9)] == ["close joining"]
    assert "/join#code=" in mlapi("join", "--open", cwd=tmp_path).out
    assert not JoinBook(tmp_path / ".mlapi").load().is_closed


def test_after_the_end_of_joining_the_keys_are_what_is_left(
    serve: Callable[..., None], tmp_path: Path
) -> None:
    serve(join={"teams": 3, "until": "2020-06-01T11:00:00+02:00"})
    ran = mlapi("join", cwd=tmp_path)
    assert "Joining is closed: it was open until 2020-06-01T09:00:00Z." in ran.talk
    assert ran.talk.endswith("Next: mlapi keys\n")
    assert mlapi("join", "--close", cwd=tmp_path).talk.endswith("Next: mlapi keys\n")
    ran = mlapi("join", "--open", cwd=tmp_path)
    assert (ran.status, "choose a later `event.join.until`" in ran.talk) == (2, True)


def test_a_new_code_replaces_the_one_that_was_made_and_none_of_the_config(
    serve: Callable[..., None], tmp_path: Path
) -> None:
    serve(join={"teams": 3})
    before = json.loads(mlapi("join", "--json", cwd=tmp_path).out)["code"]
    after = json.loads(mlapi("join", "--json", "--new-code", cwd=tmp_path).out)["code"]
    assert before != after == JoinBook(tmp_path / ".mlapi").load().code
    serve(join={"teams": 3, "code": "HERON-42"})
    ran = mlapi("join", "--new-code", cwd=tmp_path)
    assert (ran.status, "the config names the code" in ran.talk) == (2, True)


def test_the_door_opens_with_a_new_code(serve: Callable[..., None], tmp_path: Path) -> None:
    serve(join={"teams": 3})
    before = json.loads(mlapi("join", "--json", cwd=tmp_path).out)["code"]
    mlapi("join", "--close", cwd=tmp_path)
    after = json.loads(mlapi("join", "--open", "--new-code", "--json", cwd=tmp_path).out)
    assert (after["closed"], after["code"] == before) == ("", False)
    serve(join={"teams": 3, "code": "HERON-42"})
    assert mlapi("join", "--close", "--new-code", cwd=tmp_path).status == 2
    assert not JoinBook(tmp_path / ".mlapi").load().is_closed, "what is refused changes nothing"


def test_without_places_or_without_an_api_it_says_so(serve: Callable[..., None], tmp_path: Path) -> None:
    serve(teams=["red"])
    ran = mlapi("join", cwd=tmp_path)
    assert (ran.status, "nobody can join: the config has no places" in ran.talk) == (2, True)
    assert not (tmp_path / ".mlapi/join.json").exists()
    assert "nothing runs" in mlapi("join", "--state", "other", cwd=tmp_path).talk
