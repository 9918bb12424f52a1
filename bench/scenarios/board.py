"""How long the organizer's screen holds up its browser: `make bench BENCH=board`. Nothing is pinned."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3

from bench.browser import DEADLINE_MILLISECONDS, SCREENS, open_browser
from bench.processes import free_port, start, wait_for_port
from bench.programs import slow_model
from bench.scenario import Goal, Measured, Run, Scenario
from bench.serving import MLAPI, PUBLIC_LIMIT, serve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Page

TEAMS, MODELS = 60, 20
LONG_TASK_MILLISECONDS = 50
"""What a page does longer than this at once, browsers call a long task; people begin to notice."""

WATCH_SECONDS = 30
DRAWS = 20

WATCH = """() => {
  window.longTasks = [];
  new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((task) => task.duration)))
    .observe({ type: "longtask" });
}"""
TIME_DRAW = """() => {
  const sort = document.querySelector("thead th:not([aria-sort]) button"), begun = performance.now();
  sort.click(); // draws the teams anew
  document.body.getBoundingClientRect(); // the layout, too
  return performance.now() - begun;
}"""


def measure(run: Run) -> Measured:
    """Draws the screen of a large event over and over, and watches it draw by itself."""
    port, log = free_port(), run.folder / "model.log"
    command = [sys.executable, str(Path(slow_model.__file__)), str(port), "0"]
    with start(command, log=log) as model:
        wait_for_port(port, model, log)
        with serve(build_config(port), run.folder) as url:
            call_everything(url, run.folder)
            with open_browser() as browser:
                measured = [
                    measure_screen(browser.new_page(**SCREENS["desktop"]), run.folder)
                    for _ in range(run.rounds)
                ]
                version = browser.version
    draws = [milliseconds for draws, _ in measured for milliseconds in draws]
    tasks = [milliseconds for _, tasks in measured for milliseconds in tasks]
    middle, slowest = statistics.median(draws), max(draws)
    return Measured(
        goals=[
            Goal(f"long tasks in {run.rounds * WATCH_SECONDS} s", len(tasks), 0),
            Goal("the teams drawn anew, ms", round(middle, 1), LONG_TASK_MILLISECONDS),
        ],
        rows=[
            {
                "teams": TEAMS,
                "models": MODELS,
                "median draw ms": round(middle, 1),
                "slowest draw ms": round(slowest, 1),
                f"long tasks in {run.rounds * WATCH_SECONDS} s": len(tasks),
                "longest ms": round(max(tasks, default=0), 1),
            }
        ],
        versions={"chromium": version},
        details={
            "draws": [round(each, 2) for each in draws],
            "long_tasks": [round(each, 1) for each in tasks],
        },
    )


def build_config(port: int) -> dict[str, Any]:
    """Builds an event of many teams and models, all of them the same server."""
    local = {"engine": "url", "url": f"http://127.0.0.1:{port}/invocations"}
    models = [
        {"name": f"model-{number}", "integration": {"type": "api"}, "local": local}
        for number in range(MODELS)
    ]
    teams = [{"name": f"team {number}", "requests_per_day": 1000} for number in range(TEAMS)]
    return {
        "models": [],
        "endpoints": models,
        "event": {**PUBLIC_LIMIT, "teams": teams},
    }


def call_everything(url: str, folder: Path) -> None:
    """Lets each team call each model once, so that every number is there."""
    written: Mapping[str, Any] = json.loads((folder / ".mlapi/keys.json").read_text(encoding="utf-8"))
    http = urllib3.PoolManager(maxsize=8)

    def call(key: str) -> None:
        for number in range(MODELS):
            http.request("POST", f"{url}/model-{number}", body=b"{}", headers={"x-api-key": key})

    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(call, [team["key"] for team in written["teams"]]))


def measure_screen(page: Page, folder: Path) -> tuple[list[float], list[float]]:
    """Returns the milliseconds of each draw that was asked for, then those of the long tasks of a while."""
    page.set_default_timeout(DEADLINE_MILLISECONDS)
    told = subprocess.run(  # noqa: S603  # our own
        [*MLAPI, "board", "--state", str(folder / ".mlapi")], check=True, capture_output=True, text=True
    )
    page.goto(told.stdout.strip())
    page.locator("tbody tr").nth(TEAMS - 1).wait_for()
    draws = [float(page.evaluate(TIME_DRAW)) for _ in range(DRAWS)]
    page.evaluate(WATCH)
    page.wait_for_timeout(WATCH_SECONDS * 1000)
    tasks = [float(each) for each in page.evaluate("longTasks")]
    page.close()
    return draws, tasks


SCENARIO = Scenario(
    title="The organizer's screen of a large event",
    about=(
        f"[The organizer's screen](../how-to/board.md) of {TEAMS} teams and {MODELS} models, each called by "
        "each, in a real browser: how long it takes to draw the teams anew with their layout, "
        f"{DRAWS} times a round, and whether there is a long task, {LONG_TASK_MILLISECONDS} ms or more, "
        f"while it draws by itself for {WATCH_SECONDS} s. It looks every 3 s, and draws what has changed."
    ),
    rounds=3,
    measure=measure,
)
