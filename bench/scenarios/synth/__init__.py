"""How long a synth takes, compared with one bucket and with the original: `make bench BENCH=synth`.

Every round runs each app once, in turn, so other load on the machine slows all of them. A ratio is the
median over the rounds of the ratios within one round. All apps use the Node beside this interpreter, and
jsii's cache.
"""

from __future__ import annotations

import json
import statistics
import subprocess
from dataclasses import asdict
from importlib.metadata import version
from itertools import product
from typing import TYPE_CHECKING

from bench.scenario import Goal, Measured, Row, Run, Scenario, WrongOptionError
from bench.scenarios.synth.apps import FLOOR, ORIGINAL, OURS_OF_ORIGINAL, ROOT, write_apps, write_original
from bench.scenarios.synth.rounds import ALONE, WAYS, Timing, find_node, run_rounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Known = Mapping[tuple[str, str], Timing]
    """Timings by app and way."""

LIMITS = {"default": 1.15, "150 models": 3.0}
"""How many times as long as one bucket an app may take. With the validator, there is no goal."""

LINEAR = 2.0
"""How many times as long as 75 models 150 may take: more would be worse than proportional."""

FASTER = 4.0
"""How many times as long as ours the original must take, at least."""


def measure(run: Run) -> Measured:
    """Measures all apps; `--option way=WAY` in one way only, `--option original=FOLDER` with the original."""
    way = run.options.get("way")
    if way and way not in WAYS:
        raise WrongOptionError(f"there is no way {way!r}; choose from {', '.join(WAYS)}")
    ways = [way] if way else list(WAYS)
    cases = [(app, way) for way, app in product(ways, write_apps(run.folder))]
    cases += [(app, ALONE) for app in write_original(run) if ALONE in ways]
    timings = run_rounds(cases, run)
    known = {(timing.app, timing.way): timing for timing in timings}
    return Measured(
        goals=[*judge(known)],
        rows=[_row(timing, known[FLOOR, timing.way]) for timing in timings],
        versions=describe_tools(),
        details={"timings": [asdict(timing) for timing in timings]},
    )


def judge(known: Known) -> Iterable[Goal]:
    """Builds the goals of what was measured."""
    for (app, way), timing in known.items():
        if app in LIMITS and not WAYS[way]["validator"]:
            yield Goal(f"{app} / {FLOOR}, {way}", round(timing.times(known[FLOOR, way]), 2), LIMITS[app])
    if ("150 models", ALONE) in known:
        growth = known["150 models", ALONE].times(known["75 models", ALONE])
        yield Goal(f"150 models / 75 models, {ALONE}", round(growth, 2), LINEAR)
    if (ORIGINAL, ALONE) in known:
        times = known[ORIGINAL, ALONE].times(known[OURS_OF_ORIGINAL, ALONE])
        yield Goal(f"{ORIGINAL} / ours, {ALONE}", round(times, 2), FASTER, at_least=True)


def describe_tools() -> dict[str, str]:
    """Returns the versions that the numbers depend on."""
    node = subprocess.run([find_node(), "--version"], capture_output=True, text=True, check=True)  # noqa: S603  # our own
    cdk = json.loads((ROOT / "node_modules/aws-cdk/package.json").read_text(encoding="utf-8"))
    return {"node": node.stdout.strip(), "aws-cdk-lib": version("aws-cdk-lib"), "aws-cdk": cdk["version"]}


def _row(timing: Timing, floor: Timing) -> Row:
    return {
        "app": timing.app,
        "run as": timing.way,
        "median s": round(timing.median, 2),
        "fastest s": round(min(timing.seconds), 2),
        "processor s": round(statistics.median(timing.processor_seconds), 2),
        "times the bucket": round(timing.times(floor), 2),
    }


SCENARIO = Scenario(
    title="How long a synth takes",
    about=(
        "Compared with an app that has one bucket, in the same run with the same Python, Node and settings. "
        "Our times include reading and checking the config, and looking JumpStart models up in the shipped "
        "snapshot. The CDK's template validator is off where we set a goal: its time depends on the size of "
        "the template, and a bucket's has one resource."
    ),
    notes=(
        "The original is [what this project reimplements](../how-to/come-from-the-original.md), with its "
        "pinned packages and those models of its own config that it can synthesize without a network. It is "
        'in no package registry: clone it, then run `make bench BENCH=synth FLAGS="--option '
        'original=FOLDER"`.'
    ),
    rounds=7,
    quoted={
        f"default / {FLOOR}, npx cdk synth -q": (
            "time of `npx cdk synth` for the default config, compared with one bucket"
        ),
        f"{ORIGINAL} / ours, {ALONE}": "synth time of the original, compared with ours for the same config",
    },
    measure=measure,
)
