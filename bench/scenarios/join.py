"""How long a team takes from the link to the first word: `make bench BENCH=join`. Nothing is pinned."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from typing import TYPE_CHECKING

from bench import language_model
from bench.browser import DEADLINE_MILLISECONDS, SCREENS, open_browser
from bench.scenario import Goal, Measured, Row, Run, Scenario
from bench.serving import MLAPI, serve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, Page

GOAL_SECONDS = 20.0
KEY_MILLISECONDS = 100
"""Between two letters: sixty words a minute, a good typist."""

QUESTION = "What is a hackathon?"
STEPS = ("the page is there", "the key is there", "the question is typed", "the first word")

FIRST_WORD = """() => [...document.querySelectorAll("article.turn:not(.mine) .markdown")]
  .some((answer) => answer.textContent.trim())"""


def measure(run: Run) -> Measured:
    """Lets a team join on each screen in every round, after one round that is not counted."""
    language_model.find_weights(run.say)
    config = language_model.build_config(function=False)
    places = {"teams": len(SCREENS) * (run.rounds + 1)}
    config["event"] = {"title": "Measured", "join": places}
    seconds: dict[str, list[list[float]]] = {screen: [] for screen in SCREENS}
    with serve(config, run.folder) as url, open_browser() as browser:
        link = find_link(run.folder)
        run.say(f"the API serves on {url}")
        for number in range(run.rounds + 1):
            for screen in SCREENS:
                taken = time_team(browser, link, screen, f"Team {screen} {number}")
                run.say(f"round {number} of {run.rounds}, {screen}: {taken[-1]:.1f} s")
                if number:
                    seconds[screen].append(taken)
    return Measured(
        goals=judge(seconds),
        rows=build_rows(seconds),
        versions={**language_model.describe_versions(), "chromium": browser.version},
        details={
            "seconds": {
                screen: [[round(at, 3) for at in taken] for taken in all_] for screen, all_ in seconds.items()
            }
        },
    )


def find_link(folder: Path) -> str:
    """Returns the link by which teams join."""
    command = [*MLAPI, "join", "--json", "--state", str(folder / ".mlapi")]
    told = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  # our own
    return str(json.loads(told.stdout)["link"])


def time_team(browser: Browser, link: str, screen: str, team: str) -> list[float]:
    """Returns after how many seconds a team is at each of `STEPS`, from the moment it opens the link.

    Args:
        browser: Where it does.
        link: The link, with the code.
        screen: A name of `SCREENS`.
        team: Its name.
    """
    context = browser.new_context(**SCREENS[screen])
    context.set_default_timeout(DEADLINE_MILLISECONDS)
    page = context.new_page()
    try:
        return _time_steps(page, link, team)
    finally:
        context.close()


def _time_steps(page: Page, link: str, team: str) -> list[float]:
    begun, at = time.perf_counter(), list[float]()

    def note() -> None:
        at.append(time.perf_counter() - begun)

    page.goto(link)
    name = page.get_by_label("Name of your team")
    name.wait_for()
    note()
    name.press_sequentially(team, delay=KEY_MILLISECONDS)
    page.keyboard.press("Enter")
    page.get_by_label("Your key").wait_for()
    note()
    page.get_by_role("link", name="Open the page").click()
    question = page.get_by_label("Your question")
    question.press_sequentially(QUESTION, delay=KEY_MILLISECONDS)
    note()
    page.get_by_role("button", name="Send").click()
    page.wait_for_function(FIRST_WORD)
    note()
    return at


def judge(seconds: Mapping[str, Sequence[Sequence[float]]]) -> list[Goal]:
    """Builds the goals. Pure."""
    return [
        Goal(f"from the link to the first word on a {screen}, s", round(_middle(all_)[-1], 1), GOAL_SECONDS)
        for screen, all_ in seconds.items()
    ]


def build_rows(seconds: Mapping[str, Sequence[Sequence[float]]]) -> list[Row]:
    """Builds a row for each screen: the median second of each step. Pure."""
    return [
        {
            "screen": screen,
            **{step: round(at, 1) for step, at in zip(STEPS, _middle(all_), strict=True)},
            "slowest": round(max(taken[-1] for taken in all_), 1),
        }
        for screen, all_ in seconds.items()
    ]


def _middle(all_: Sequence[Sequence[float]]) -> list[float]:
    return [statistics.median(column) for column in zip(*all_, strict=True)]


SCENARIO = Scenario(
    title="From the link to the first word",
    about=(
        "A team in a real browser opens the link for joining, types its name, gets its key, opens the page, "
        f"types “{QUESTION}” and sends it. The seconds are counted from opening the link, until the first "
        f"word of the answer; each letter takes {KEY_MILLISECONDS / 1000:g} s. "
        "The model is the default config's."
    ),
    rounds=3,
    measure=measure,
    notes=(
        "A person also reads, and decides what the team is called. Most of the time is typing: about four "
        "seconds. Nobody waits for the model to start here, since `mlapi up` has started it."
    ),
)
