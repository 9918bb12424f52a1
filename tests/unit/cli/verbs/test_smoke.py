"""`mlapi smoke`: every model is called with its sample; what it says is enough to act on, and no more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.cli.verbs.smoke import wait_settled
from centralized_ml_api.local.status import EntryState, EntryStatus, LocalStatus
from support.local_api import write_config
from support.odd_server import OddServer
from support.verbs import mlapi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.local_api import Ran

PNG = b"\x89PNG\r\n\x1a\n and more"
KEY = "key-that-nobody-sees"


@pytest.fixture(scope="module")
def server() -> Iterator[OddServer]:
    odd = OddServer()
    try:
        yield odd
    finally:
        odd.close()


def smoke(
    folder: Path,
    port: int,
    *entries: dict[str, Any],
    below: str = "",
    flags: tuple[str, ...] = (),
    **more: str,
) -> Ran:
    """The verb, on an API with these entries at that path of the server."""
    whole = [{"integration": {"type": "api"}, **entry} for entry in entries]
    write_config(folder, {"models": [], "endpoints": whole})
    url = f"http://127.0.0.1:{port}{below}"
    return mlapi("smoke", url, "--config", "models.json", *flags, cwd=folder, environment=more)


def test_each_sample_is_sent_as_what_it_is(server: OddServer, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    ran = smoke(
        tmp_path,
        server.port,
        {"name": "echo", "sample": {"a": 1}},
        {"name": "same", "sample": {"$file": "cat.png"}, "takes": "image/png"},
    )
    assert ran.status == 0, ran.talk
    echo, same = ran.out.splitlines()
    assert echo.split()[:3] == ["echo", "ok", "200"]
    assert same.endswith("image/png: 89 50 4e 47 0d 0a 1a 0a")
    assert "2 ok" in ran.talk


def test_one_failure_is_status_1_and_says_what_the_model_said(server: OddServer, tmp_path: Path) -> None:
    ran = smoke(tmp_path, server.port, {"name": "422", "sample": {}}, below="/refuse")
    assert ran.status == 1
    assert ran.out.split()[:3] == ["422", "failed", "422"]
    assert "it's" in ran.out


def test_what_aws_says_is_explained_once(server: OddServer, tmp_path: Path) -> None:
    entries = ({"name": "400", "sample": {}}, {"name": "424", "sample": {}})
    ran = smoke(tmp_path, server.port, *entries, below="/aws")
    assert ran.status == 1
    counts, meaning, _, page = ran.talk.splitlines()
    assert counts == "2 failed"
    assert meaning.startswith("That means: the model's container refused the request")
    assert page.endswith("troubleshoot-aws.md#model-refused")


def test_a_model_that_is_not_served_there_is_no_failure(server: OddServer, tmp_path: Path) -> None:
    entries = ({"name": "501", "sample": {}}, {"name": "200", "sample": {}}, {"name": "204"})
    ran = smoke(tmp_path, server.port, *entries, below="/status")
    assert ran.status == 0, ran.out
    unserved, _, without = ran.out.splitlines()
    assert unserved.split()[:3] == ["501", "skipped", "501"]
    assert without.startswith("204  skipped")
    assert without.endswith("it has no sample; add `sample` to the config")


def test_where_nothing_was_called_nothing_is_proven(server: OddServer, tmp_path: Path) -> None:
    assert smoke(tmp_path, server.port, {"name": "echo"}).status == 1


def test_a_connection_that_breaks_is_that_models_failure(server: OddServer, tmp_path: Path) -> None:
    ran = smoke(tmp_path, server.port, {"name": "half", "sample": {}}, {"name": "echo", "sample": {}})
    half, echo = ran.out.splitlines()
    assert ran.status == 1
    assert half.startswith("half  failed")
    assert echo.startswith("echo  ok")


def test_an_address_where_nobody_listens_is_said_once(tmp_path: Path) -> None:
    ran = smoke(tmp_path, 9, {"name": "a", "sample": {}}, {"name": "b", "sample": {}})
    assert (ran.status, ran.out) == (1, "")
    assert ran.talk.count("does not answer") == 1


def test_what_a_model_says_does_not_steer_the_terminal(server: OddServer, tmp_path: Path) -> None:
    said = "\x1b[2Jone\r\n\ttwo"
    ran = smoke(tmp_path, server.port, {"name": "same", "sample": said, "takes": "text/plain"})
    assert "one two" in ran.out
    assert "\x1b" not in ran.out


def test_scripts_get_json(server: OddServer, tmp_path: Path) -> None:
    entry = {"name": "same", "sample": {"a": 1}}
    ran = smoke(tmp_path, server.port, entry, flags=("--json",))
    answer = json.loads(ran.out)
    assert (ran.status, answer["ok"]) == (0, True)
    (model,) = answer["models"]
    assert (model["name"], model["verdict"], model["status"]) == ("same", "ok", 200)
    assert (model["content_type"], model["said"]) == ("application/json", '{"a": 1}')


def test_the_key_is_sent_and_never_shown(server: OddServer, tmp_path: Path) -> None:
    ran = smoke(tmp_path, server.port, {"name": "echo", "sample": {}}, MLAPI_KEY=f"{KEY}\n")
    assert ran.status == 0
    assert KEY not in ran.out + ran.talk
    url = f"http://127.0.0.1:{server.port}"
    heard = mlapi("call", "echo", "{}", "--url", url, "--key", KEY, cwd=tmp_path)
    assert KEY in heard.out


@pytest.mark.parametrize("verb", [("smoke",), ("call", "echo", "{}", "--url")])
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(
    verb: tuple[str, ...], tmp_path: Path
) -> None:
    ran = mlapi(*verb, "http://127.0.0.1:9", cwd=tmp_path, environment={"MLAPI_KEY": f"{KEY}\r\nX-Other: 1"})
    assert ran.status == 2
    assert "the key contains characters that no key has" in ran.talk
    assert KEY not in ran.out + ran.talk


@pytest.mark.parametrize("verb", [("smoke", "{url}"), ("call", "echo", "{{}}", "--url", "{url}")])
@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://example.org", ""])
def test_an_address_that_is_none_of_the_web_is_a_mistake_of_use(
    tmp_path: Path, verb: tuple[str, ...], url: str
) -> None:
    ran = mlapi(*(word.format(url=url) for word in verb), cwd=tmp_path)
    assert (ran.status, ran.out) == (2, "")
    assert ran.talk.startswith(f"error: {url!r} is not the address of an API\n")
    assert "http://" in ran.talk


class Starting:
    """An API of which a model is starting for the first looks, and whose clock is the number of looks."""

    def __init__(self, looks: int) -> None:
        self.left = looks
        self.slept = 0.0

    def status(self) -> LocalStatus:
        state: EntryState = "starting" if self.left > 0 else "ready"
        self.left -= 1
        entries = (EntryStatus("chat", "/chat", state, "", "url", "api", ()),)
        return LocalStatus(1, "c", "s", 0.0, "http://127.0.0.1:1", "", "", entries, ())

    def monotonic(self) -> float:
        return self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


def test_what_is_still_starting_is_waited_for_and_said_once() -> None:
    said: list[str] = []
    api = Starting(3)
    wait_settled(api, said.append, clock=api)
    assert (said, api.slept) == (["Waiting for what is still starting: chat"], 1.5)


def test_nothing_is_waited_for_longer_than_that_nor_where_all_is_ready() -> None:
    said: list[str] = []
    slow = Starting(1000)
    wait_settled(slow, said.append, seconds=2, clock=slow)
    assert slow.slept == 2
    ready = Starting(0)
    wait_settled(ready, said.append, clock=ready)
    assert (len(said), ready.slept) == (1, 0)
