from __future__ import annotations

import contextlib
import http.client
import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil
import pytest
import urllib3
from prometheus_client.parser import text_string_to_metric_families

from support.local_api import MLAPI, STOP_SECONDS, LocalApi, mlapi, models, odd_command, start_local_api
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


DASHBOARD = Path(__file__).parents[2] / "docs/grafana/centralized-ml-api.json"
NAME = re.compile(r"\bmlapi_\w+")
LABELS = re.compile(r"(?:by|on) \(([\w, ]+)\)|\{\{(\w+)\}\}|\{(\w+)[=!]")
SCREEN, NO_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"
"""The terminal's other screen, on and off. Source: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html"""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    folder = tmp_path_factory.mktemp("watching")
    talks = odd_command("/chat", speaks="openai-chat")
    served = models(chat=odd_command(), hangs=odd_command("/hang"), talks=talks)
    with start_local_api(folder, served, "--metrics-port", "0", "--for", "2h") as api:
        yield api.wait_serving()


@pytest.fixture(scope="module")
def address(api: LocalApi) -> str:
    """Where Prometheus asks."""
    address: str = api.status()["metrics"]
    return address


@pytest.mark.slow
def test_prometheus_sees_calls_models_and_the_end(api: LocalApi, address: str) -> None:
    before = scrape(address).get(("mlapi_requests_total", "chat", "200"), 0)
    for _ in range(5):
        assert api.call("/chat").status == 200
    wait_until(
        lambda: scrape(address).get(("mlapi_requests_total", "chat", "200"), 0) == before + 5,
        "five calls more are counted",
    )
    found = scrape(address)
    assert found["mlapi_model_ready", "chat", ""] == 1
    assert found["mlapi_replicas_ready", "chat", ""] == 1
    assert 0 < found["mlapi_ends_timestamp_seconds", "", ""] - time.time() <= 7200


@pytest.mark.slow
def test_calls_under_way_are_those_that_nobody_has_answered_yet(api: LocalApi, address: str) -> None:
    url = urllib3.util.parse_url(api.url)
    with contextlib.closing(http.client.HTTPConnection(str(url.host), url.port)) as connection:
        connection.request("POST", "/hangs", b"{}")
        wait_until(lambda: in_flight(address) == {"chat": 0, "hangs": 1, "talks": 0}, "the call is under way")
    wait_until(lambda: in_flight(address) == {"chat": 0, "hangs": 0, "talks": 0}, "its caller has gone away")


@pytest.mark.slow
def test_only_this_machine_reaches_it_and_the_api_does_not_show_it(api: LocalApi, address: str) -> None:
    port = int(urllib3.util.parse_url(address).port or 0)
    connections = psutil.Process(api.process.pid).net_connections()
    listeners = [connection for connection in connections if connection.status == "LISTEN"]
    assert {listener.laddr.ip for listener in listeners if listener.laddr.port == port} == {"127.0.0.1"}
    assert api.http.request("GET", f"{api.url}/metrics").status == 404


@pytest.mark.slow
@pytest.mark.parametrize(
    ("host", "status"), [("localhost:1", 200), ("127.0.0.1", 200), ("evil.example", 403), ("", 403)]
)
def test_a_page_of_another_site_cannot_read_it(address: str, host: str, status: int) -> None:
    assert urllib3.request("GET", address, headers={"Host": host}).status == status


@pytest.mark.slow
def test_every_query_of_the_dashboard_asks_for_what_is_there(api: LocalApi, address: str) -> None:
    api.call("/chat")
    asked = json.dumps({"model": "talks", "messages": [{"role": "user", "content": "Hi"}]})
    assert api.call("/v1/chat/completions", asked.encode()).status == 200
    counted = ("mlapi_tokens_total{", "_bucket{")  # Envoy gives out its histograms every few seconds
    wait_until(lambda: all(word in read_text(address) for word in counted), "tokens and times are counted")
    families = list(text_string_to_metric_families(read_text(address)))
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    names = {f"{family.name}{suffix}" for family in families for suffix in suffixes[family.type]}
    labels = {label for family in families for sample in family.samples for label in sample.labels}
    targets = [target for panel in dashboard()["panels"] for target in panel["targets"]]
    assert targets
    for target in targets:
        assert set(NAME.findall(target["expr"])) <= names, target
        assert used_labels(target) <= labels, target


@pytest.mark.slow
def test_the_dashboard_is_one_that_grafana_imports() -> None:
    board = dashboard()
    panels = board["panels"]
    assert board["uid"]
    assert board["templating"]["list"][0]["query"] == "prometheus"
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert at["x"] + at["w"] <= 24, panel["title"]
        assert not cells & taken, f"{panel['title']} covers another one"
        taken |= cells


@pytest.mark.slow
def test_a_port_that_is_taken_is_said_before_anything_starts(address: str, tmp_path: Path) -> None:
    config = tmp_path / "models.json"
    config.write_text(json.dumps(models(chat=odd_command())))
    port = str(urllib3.util.parse_url(address).port)
    ran = mlapi("up", str(config), "--port", "0", "--metrics-port", port, cwd=tmp_path)
    assert ran.status == 1
    assert f"port {port} is held by" in ran.talk


@pytest.mark.slow
def test_watching_in_a_terminal_shows_rates_and_leaves_it_as_it_was(api: LocalApi) -> None:
    with Terminal(api.folder, "status", "--watch") as terminal:
        terminal.wait_for(rb"chat +\S*ready\S* +1/1")
        api.call("/chat")
        terminal.wait_for(rb"chat +\S*ready\S* +1/1 +0 +0\.[1-9]")
        terminal.wait_for(rb"Ends in 1 h 5\d min")
        terminal.press(b"q")
        assert terminal.wait_end() == 0
        assert terminal.shown.startswith(SCREEN)
        assert NO_SCREEN in terminal.shown


@pytest.mark.slow
def test_without_colours_none_are_shown(api: LocalApi) -> None:
    with Terminal(api.folder, "status", "--watch", NO_COLOR="1") as terminal:
        terminal.wait_for(rb"chat +ready +1/1")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.wait_end() == 130
        assert NO_SCREEN in terminal.shown


@pytest.mark.slow
def test_watching_and_json_do_not_go_together(api: LocalApi) -> None:
    ran = mlapi("status", "--watch", "--json", cwd=api.folder)
    assert (ran.status, ran.out) == (2, "")


@pytest.mark.slow
def test_teams_are_told_apart_and_their_limits_are_there_without_their_keys(tmp_path: Path) -> None:
    red = {"name": "red", "requests_per_second": 50, "burst": 50, "requests_per_day": 4}
    config = {**models(chat=odd_command()), "event": {"teams": [red, "blue"]}}
    with start_local_api(tmp_path, config, "--metrics-port", "0") as api:
        address: str = api.wait_serving().status()["metrics"]
        values: dict[str, str] = json.loads(mlapi("keys", "--show", "--json", cwd=tmp_path).out)
        for left in (3, 2, 1, 0):
            answer = api.call("/chat", x_api_key=values["red"])
            assert answer.status == 200
            assert answer.headers["x-ratelimit-remaining-requests"] == str(left)
        assert api.call("/chat", x_api_key="wrong").status == 401
        wait_until(
            lambda: read_samples(address).get('mlapi_team_used_today{"team": "red"}') == 4,
            "what the team used is counted",
        )
        usage = json.loads(api.call("/v1/usage", method="GET", x_api_key=values["red"]).data)
        (day,) = usage["limits"]
        assert (day["unit"], day["period"], day["limit"], day["left"]) == ("requests", "day", 4, 0)
        found = read_samples(address)
        assert found['mlapi_requests_total{"model": "chat", "status": "200", "team": "red"}'] == 4
        assert found['mlapi_requests_total{"model": "chat", "status": "401", "team": ""}'] == 1
        assert found['mlapi_team_limit_per_second{"team": "red"}'] == 50
        assert found['mlapi_team_limit_per_day{"team": "red"}'] == 4
        assert 'mlapi_team_limit_per_day{"team": "blue"}' not in found
        text = read_text(address)
        assert not [value for value in values.values() if value in text]
        with Terminal(tmp_path, "status", "--watch") as terminal:
            terminal.wait_for(rb"red +\d\.\d 50 +\d\.\d +4 +4 100%")
            terminal.press(b"q")
            assert terminal.wait_end() == 0


class Terminal:
    """`mlapi` in a terminal of 80 columns; what it `shown` so far, byte for byte."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.shown = b""
        self._terminal, theirs = pty.openpty()
        known = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        self.process = subprocess.Popen(
            [*MLAPI, *arguments],
            cwd=folder,
            env={**known, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", **environment},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._terminal)

    def wait_for(self, pattern: bytes) -> None:
        wait_until(lambda: self._read() and re.search(pattern, self.shown), f"{pattern!r} is shown")

    def press(self, key: bytes) -> None:
        os.write(self._terminal, key)

    def wait_end(self) -> int:
        wait_until(lambda: not self._read(), "it ends")
        return self.process.wait(STOP_SECONDS)

    def _read(self) -> bool:
        """Whether it still runs; a terminal whose program is gone is an error to read from."""
        ready, _, _ = select.select([self._terminal], [], [], 0)
        try:
            self.shown += os.read(self._terminal, 65536) if ready else b""
        except OSError:
            return False
        return True


def dashboard() -> dict[str, Any]:
    board: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return board


def used_labels(target: dict[str, str]) -> set[str]:
    found = LABELS.findall(target["expr"]) + LABELS.findall(target["legendFormat"])
    return {label for groups in found for part in groups for label in part.split(", ") if label}


def scrape(address: str) -> dict[tuple[str, str, str], float]:
    """Name, model and status of every sample, with its value."""
    return {
        (one.name, one.labels.get("model", ""), one.labels.get("status", "")): one.value
        for family in text_string_to_metric_families(read_text(address))
        for one in family.samples
    }


def read_text(address: str) -> str:
    return urllib3.request("GET", address).data.decode()


def in_flight(address: str) -> dict[str, float]:
    found = scrape(address).items()
    return {model: value for (name, model, _), value in found if name == "mlapi_requests_in_flight"}


def read_samples(address: str) -> dict[str, float]:
    """Every sample by its name and labels."""
    text = urllib3.request("GET", address).data.decode()
    return {
        f"{one.name}{json.dumps(one.labels, sort_keys=True)}": one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }
