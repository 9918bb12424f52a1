"""Budgets hold in a whole `mlapi up`: callers leave, the config changes, every process is killed in turn."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import urllib3
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from centralized_ml_api.local.keys import KeyStore, LocalKeys
from support.background import start_background
from support.counting_model import CountingModel
from support.local_api import LocalApi, mlapi, start_local_api, write_config
from support.model_server import start_model_server
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow
CHAT = "/v1/chat/completions"
ANSWER_TOKENS = 20
BODY: dict[str, Any] = {
    "model": "chat",
    "max_tokens": ANSWER_TOKENS,
    "messages": [{"role": "user", "content": "x" * 50}],
}
NEED = 500
"""Tokens, more than a call reserves and several times what it uses."""

BUDGET = 10 * NEED
USD_PER_MILLION = 1
TOKENS_A_DAY = 10**6
ADMISSION = "centralized_ml_api.local.admission"


@dataclass
class Budgeted:
    """A running API before a model that counts, and what is the same in every run."""

    folder: Path
    model: CountingModel
    url: str
    runs: contextlib.ExitStack
    api: LocalApi = field(init=False)

    def start(self) -> None:
        """Starts it, after the one before was killed."""
        budgets = config(self.url, red=BUDGET, blue=BUDGET, green=BUDGET)
        run = start_local_api(self.folder, budgets, "--metrics-port", "0")
        self.api = self.runs.enter_context(run).wait_serving()

    def key(self, team: str) -> str:
        return LocalKeys(KeyStore(self.folder / ".mlapi")).show(team)

    def call(self, key: str, **more: Any) -> int:
        """The status of a call; 0 where the connection broke."""
        try:
            return self.api.call(CHAT, json.dumps({**BODY, **more}).encode(), x_api_key=key).status
        except (urllib3.exceptions.HTTPError, OSError):
            return 0

    def leave_early(self, key: str) -> None:
        """Asks for a stream and leaves after its first byte."""
        url = urllib3.util.parse_url(self.api.url)
        with (
            contextlib.suppress(OSError, http.client.HTTPException),
            contextlib.closing(http.client.HTTPConnection(str(url.host), url.port, timeout=60)) as caller,
        ):
            caller.request("POST", CHAT, json.dumps({**BODY, "stream": True}), {"x-api-key": key})
            caller.getresponse().read(1)

    def call_at_once(self, key: str, number: int) -> list[int]:
        with ThreadPoolExecutor(50) as pool:
            return list(pool.map(lambda _: self.call(key), range(number)))

    def look(self, key: str) -> dict[str, Any]:
        """What the team sees of itself."""
        document: dict[str, Any] = json.loads(self.api.call("/v1/usage", method="GET", x_api_key=key).data)
        return document


def config(url: str, **budgets: float) -> dict[str, Any]:
    """A config with such an entry, and teams that may use so many tokens, in dollars."""
    price = {"input_per_million": USD_PER_MILLION, "output_per_million": USD_PER_MILLION}
    entry = {
        "name": "chat",
        "provider": {"url": f"{url}/v1", "model": "counts"},
        "price": price,
        "integration": {"type": "api"},
    }
    teams = [
        {"name": team, "usd": tokens * USD_PER_MILLION / 10**6, "tokens_per_day": TOKENS_A_DAY}
        for team, tokens in sorted(budgets.items())
    ]
    return {"endpoints": [entry], "event": {"teams": teams}}


@pytest.fixture(scope="module")
def budgeted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Budgeted]:
    folder, model = tmp_path_factory.mktemp("budgets"), CountingModel()
    with start_background() as background, start_model_server(background) as server:

        async def answer(request: web.Request, body: bytes) -> web.StreamResponse:
            return await model.answer(request, body) if body else web.json_response({})  # a probe

        server.answering = answer
        with contextlib.ExitStack() as runs:
            budgeted = Budgeted(folder, model, server.url, runs)
            budgeted.start()
            yield budgeted


def test_two_hundred_calls_at_once_stay_below_a_budget_for_ten(budgeted: Budgeted) -> None:
    key, before = budgeted.key("blue"), budgeted.model.used
    statuses = budgeted.call_at_once(key, 200)
    assert set(statuses) == {200, 429}
    used = budgeted.model.used - before
    assert used <= BUDGET
    left = (BUDGET - used) * USD_PER_MILLION / 10**6
    wait_until(lambda: budgeted.look(key)["limits"][1]["left"] == pytest.approx(left), "all are settled")
    address = budgeted.api.status()["metrics"]

    def read_metric() -> float:
        families = text_string_to_metric_families(urllib3.request("GET", address).data.decode())
        samples = (sample for family in families for sample in family.samples)
        labels = {"team": "blue", "period": "event"}
        return next(
            each.value for each in samples if (each.name, each.labels) == ("mlapi_team_left_usd", labels)
        )

    wait_until(lambda: read_metric() == pytest.approx(left), "Prometheus sees the same")


def test_what_a_team_is_told_agrees_everywhere(budgeted: Budgeted) -> None:
    key, prompt = budgeted.key("green"), len(BODY["messages"][0]["content"])
    used = prompt + ANSWER_TOKENS
    usd = (used + prompt) * USD_PER_MILLION / 10**6  # what the cache has written counts twice
    assert budgeted.call(key, cache_control={"type": "ephemeral"}) == 200
    wait_until(lambda: budgeted.look(key)["limits"][0]["left"] == TOKENS_A_DAY - used, "it is settled")

    def count() -> list[Any]:
        """Counts what is in the log, and returns the table's rows of the team's calls."""
        rows = json.loads(mlapi("usage", "--json", cwd=budgeted.folder).out)["rows"]
        return [row for row in rows if (row["team"], row["model"]) == ("green", "chat")]

    wait_until(count, "Envoy has written its log")
    (row,), told = count(), budgeted.look(key)
    assert (told["tokens_in"], told["tokens_out"]) == (prompt, ANSWER_TOKENS)
    _, money = told["limits"]
    assert [told["usd"], float(row["usd"]), money["limit"] - money["left"]] == [pytest.approx(usd)] * 3
    body = json.dumps(BODY)
    headers = budgeted.api.call(CHAT, body.encode(), x_api_key=key).headers
    assert headers["x-ratelimit-limit-tokens"] == str(TOKENS_A_DAY)
    assert int(headers["x-ratelimit-remaining-tokens"]) == TOKENS_A_DAY - used - (
        len(body) + 256 + ANSWER_TOKENS
    )


def test_a_budget_holds_whatever_happens_in_between(budgeted: Budgeted) -> None:
    key, before = budgeted.key("red"), budgeted.model.used

    def used() -> int:
        return budgeted.model.used - before

    def kill(process: psutil.Process) -> None:
        process.kill()
        process.wait(30)

    def kill_accountant() -> None:
        kill(next(process for process in budgeted.api.pids() if ADMISSION in process.cmdline()))

    def kill_gateway() -> None:
        kill(next(process for process in budgeted.api.pids() if process.name().startswith("envoy")))

    def edit(tokens: int) -> None:
        write_config(budgeted.folder, config(budgeted.url, red=tokens, blue=BUDGET, green=BUDGET))
        assert mlapi("reload", cwd=budgeted.folder).status == 0

    for happen in (kill_accountant, kill_gateway, lambda: edit(BUDGET // 2), lambda: edit(BUDGET)):
        with ThreadPoolExecutor(3) as callers:
            callers.submit(budgeted.call_at_once, key, 8)
            for _ in range(2):
                callers.submit(budgeted.leave_early, key)
            happen()
        wait_until(lambda: budgeted.call(key, max_tokens=10**6) == 429, "calls are judged again", seconds=60)
        assert used() <= BUDGET

    with ThreadPoolExecutor(1) as callers:
        calling = callers.submit(budgeted.call_at_once, key, 8)
        started = budgeted.api.pids()
        os.kill(budgeted.api.process.pid, signal.SIGKILL)
        assert not psutil.wait_procs(started, timeout=30)[1]
        calling.result(60)
    budgeted.start()
    statuses = budgeted.call_at_once(key, 100)
    assert set(statuses) <= {200, 429}
    assert 429 in statuses, "the budget is used up"
    assert 0 < used() <= BUDGET
    limit = budgeted.look(key)["limits"][1]
    assert limit["left"] <= (BUDGET - used()) * USD_PER_MILLION / 10**6 + 1e-9
