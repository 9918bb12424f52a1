"""Whether a team that floods a language model slows the others: `make bench BENCH=turns`.

`mlapi up` serves the default language model to 20 teams, and nothing about them is set: no rate, no number of
calls at once. Quiet: 19 teams call at a usual pace, together at a part of the model's capacity, and the 20th
does not call. Flood: the 20th keeps ten calls waiting or under way all the time, and the others call at the
very same moments. Quiet again: at other moments, which shows how much is chance. The same calls go to the
model's own server, past the gateway: its queue serves whoever came first.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench import language_model
from bench.flooding import OK, Phase, Team, find_capacity, p95, run_phase, worst_ratio
from bench.scenario import Goal, Measured, Row, Run, Scenario
from bench.serving import serve, supervisor_of
from centralized_ml_api.local.admission.callers import ABOUT_SECONDS, PAUSES
from centralized_ml_api.local.keys import KeyStore, LocalKeys

TEAMS = 20
USUAL = 0.57
"""The part of the model's capacity that 19 teams together use, in quiet times and beside a flood."""

FLOOD = 1000.0
"""Calls per second that the flooding team would send: each of its connections has a call under way always."""

PHASE_SECONDS = 25.0
OWN_EVERY = 3
"""In which rounds the model's own server gets a flood: the first one, and every third after it."""

ALONE_ROUNDS = 4
OTHER_MOMENTS = 1_000
"""What is added to a round's number, which decides at which moments the others call."""

ANSWER_TOKENS = 2
MEDIAN, WORST = 1.2, 1.5
"""The most that the p95 may grow by a flood: that of all other teams together, that of the worst one."""

ALL_OF_IT = 0.95
"""The least part of the calls that a team alone gets answered, compared with the model's own server."""


@dataclass(slots=True)
class Way:
    """A way to the model, and what was measured on it: ratios and calls per second have one item a round."""

    name: str
    url: str
    teams: Mapping[str, Team]
    quiet: Phase = field(default_factory=lambda: Phase("quiet"))
    flood: Phase = field(default_factory=lambda: Phase("flood"))
    again: Phase = field(default_factory=lambda: Phase("quiet again"))
    ratios: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    alone_after: list[float] = field(default_factory=list)

    def measure_alone(self, seconds: float) -> float:
        """Returns the calls per second that the first team gets answered while nobody else calls."""
        first, team = next(iter(self.teams.items()))
        statuses = run_phase(
            Phase("alone"), self.url, {first: team}, rate=1, first_rate=FLOOD, seconds=seconds
        )
        return statuses[OK] / seconds

    def measure_flood(self, rate: float, seconds: float, number: int) -> None:
        """Measures a quiet phase, a flood and a quiet phase, in every second round the other way round."""
        phases = Phase("quiet"), Phase("flood"), Phase("quiet again")
        for phase in phases[::-1] if number % 2 else phases:
            first_rate = FLOOD if phase.name == "flood" else 0.0
            seed = OTHER_MOMENTS + number if phase.name == "quiet again" else number
            run_phase(
                phase, self.url, self.teams, rate=rate, first_rate=first_rate, seconds=seconds, seed=seed
            )
        quiet, flood, again = phases
        self.ratios.append(p95(flood.all) / p95(quiet.all))
        self.quiet.add(quiet)
        self.flood.add(flood)
        self.again.add(again)

    def build_rows(self) -> list[Row]:
        """Builds the rows of the table."""
        worst = {phase.name: round(worst_ratio(self.quiet, phase), 2) for phase in (self.flood, self.again)}
        return [
            {"way": self.name, **phase.summarize(), "worst team": worst.get(phase.name)}
            for phase in (self.quiet, self.flood, self.again)
        ]


def build_config() -> dict[str, Any]:
    """Builds a config with the default language model and 20 teams, without any limit."""
    config = language_model.build_config(function=False)
    return {**config, "event": {"teams": [f"team-{number}" for number in range(TEAMS)]}}


def build_body(number: int, tokens: int = ANSWER_TOKENS) -> bytes:
    """Returns the body of a team's calls: a question of its own, and an answer of so many tokens."""
    message = {"role": "user", "content": f"Say hello to team {number}."}
    fields = {"max_tokens": tokens, "temperature": 0, "ignore_eos": True}
    return json.dumps({"model": language_model.NAME, "messages": [message], **fields}).encode()


def measure(run: Run) -> Measured:
    """Measures both ways in every round, by turns in either order."""
    seconds = float(run.options.get("seconds", PHASE_SECONDS))
    tokens = int(run.options.get("tokens", ANSWER_TOKENS))
    with serve(build_config(), run.folder) as address:
        keys = LocalKeys(KeyStore(run.folder / ".mlapi"))
        names = [status.team for status in keys.teams()]
        teams = {name: Team(keys.show(name), build_body(number, tokens)) for number, name in enumerate(names)}
        server = f"http://127.0.0.1:{language_model.find_port(supervisor_of(run.folder))}"
        ours = Way("mlapi", f"{address}{language_model.CHAT_PATH}", teams)
        own = Way(
            "llama.cpp's own queue",
            f"{server}{language_model.CHAT_PATH}",
            {name: Team("", team.body) for name, team in teams.items()},
        )
        ours.measure_alone(seconds / 3)  # what is needed first is loaded
        for number in range(ALONE_ROUNDS):
            for way in (ours, own) if number % 2 else (own, ours):
                way.alone.append(way.measure_alone(seconds / 3))
        # Their prompts are different, so a call of each in turn costs more than the same call again.
        capacity = min(find_capacity(way.url, way.teams, seconds) for way in (ours, own))
        rate = USUAL * capacity / (TEAMS - 1)
        run.say(f"the model answers {capacity:.1f} calls a second of all teams")
        for number in range(run.rounds):
            for way in (ours,) if number % OWN_EVERY else (ours, own):
                way.measure_flood(rate, seconds, number)
                run.say(f"round {number + 1} of {run.rounds}: p95 times {way.name} {way.ratios[-1]:.2f}")
        time.sleep(max(ABOUT_SECONDS, PAUSES / rate))  # by then, nobody counts as being about
        for number in range(ALONE_ROUNDS):
            for way in (ours, own) if number % 2 else (own, ours):
                way.alone_after.append(way.measure_alone(seconds / 3))
    return Measured(
        goals=judge(ours, own),
        rows=[*ours.build_rows(), *own.build_rows()],
        versions=language_model.describe_versions(),
        details={
            "seconds": seconds,
            "calls_per_second_of_all": round(capacity, 2),
            "teams": {"count": TEAMS, "usual_part_of_capacity": USUAL, "answer_tokens": tokens},
            "ratios": {way.name: [round(ratio, 3) for ratio in way.ratios] for way in (ours, own)},
            "worst_team": {way.name: round(worst_ratio(way.quiet, way.flood), 3) for way in (ours, own)},
            "calls_per_second_alone": {
                way.name: [round(calls, 2) for calls in way.alone] for way in (ours, own)
            },
            "calls_per_second_alone_after_the_floods": {
                way.name: [round(calls, 2) for calls in way.alone_after] for way in (ours, own)
            },
        },
    )


def judge(ours: Way, own: Way) -> list[Goal]:
    """Builds the goals."""
    return [
        Goal(
            "other teams' p95, flood / quiet, nothing set, median of the rounds",
            round(statistics.median(ours.ratios), 2),
            MEDIAN,
        ),
        Goal(
            "the same for the worst team, all rounds together",
            round(worst_ratio(ours.quiet, ours.flood), 2),
            WORST,
        ),
        Goal("other teams' calls that failed because of the flood", ours.flood.failed, 0),
        Goal(
            "calls of a team alone, mlapi / the model's own server",
            _compare(ours.alone, own.alone),
            ALL_OF_IT,
            at_least=True,
        ),
        Goal(
            "the same soon after the floods",
            _compare(ours.alone_after, own.alone_after),
            ALL_OF_IT,
            at_least=True,
        ),
    ]


def _compare(ours: list[float], own: list[float]) -> float:
    return round(statistics.median(mine / theirs for mine, theirs in zip(ours, own, strict=True)), 3)


SCENARIO = Scenario(
    title="One team floods a language model",
    about=(
        f"{TEAMS} teams share the default language model, and no limit is set. In quiet times 19 of them\n"
        f"use {USUAL:.0%} of its capacity, and one does not call. Then that one keeps ten calls waiting or\n"
        "under way all the time, while the others call at the same moments as before. Each of them calls\n"
        "once in each period, at a random moment of it. The numbers describe the others.\n"
        "`llama.cpp's own queue` is the same model server, called without the gateway."
    ),
    notes=(
        "The first goal is what teams are promised. The second is that of the one team of 19 whose p95\n"
        "grows most. About five of its calls decide on it, so it is partly a matter of chance: `worst team`\n"
        "in the row `quiet again` is what it is between two quiet phases, when the teams call at other\n"
        "moments. [Decision 0042](../decisions/0042-who-floods-gives-way.md) has both by simulation, where\n"
        "no machine adds noise.\n\n"
        "The last goal is measured once no other team counts as being about any more: after three of their\n"
        "pauses, ten seconds at least."
    ),
    rounds=9,
    measure=measure,
)
