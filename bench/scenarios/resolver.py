"""How long it takes to know what a JumpStart model needs: `make bench BENCH=resolver`.

Our catalogue and AWS's own SDK read the same invented specs from a folder, and must give the same answer.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from bench.environments import PEERS, peer_version, prepare_environment
from bench.scenario import Goal, Measured, Row, Run, Scenario

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OURS, SDK = "our catalogue", "sagemaker-core"
MODELS = 200
"""The number of models in the mirror; a process reports how long each of them took."""

_PEER = PEERS / "sagemaker_core"
_OWN = PEERS.parent / "programs/ask_catalogue.py"


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds in each round: from the start of Python to the first answer, and for each further model."""

    first: list[float] = field(default_factory=list)
    further: list[float] = field(default_factory=list)


def measure(run: Run) -> Measured:
    """Measures both in turn in every round, after filling the caches."""
    programs = prepare_environment("sagemaker_core", run.say)
    mirror = write_mirror(run.folder / "mirror")
    commands = {OURS: (sys.executable, str(_OWN)), SDK: (str(programs / "python"), str(_PEER / "ask.py"))}
    check_answers([_ask(command, mirror, 1)["answer"] for command in commands.values()])
    figures = {name: Figures() for name in commands}
    for number in range(1, run.rounds + 1):
        for name, command in commands.items():
            _measure_once(command, mirror, figures[name])
            run.say(f"round {number} of {run.rounds}: {figures[name].first[-1]:6.2f} s  {name}")
    return Measured(
        goals=judge(figures),
        rows=[_row(name, measured) for name, measured in figures.items()],
        versions={SDK: peer_version(programs, SDK)},
        details={name: asdict(measured) for name, measured in figures.items()},
    )


def write_mirror(folder: Path) -> Path:
    """Writes a folder with the layout of JumpStart's bucket and `MODELS` models."""
    spec = json.loads((_PEER / "spec.json").read_text(encoding="utf-8"))
    rows = []
    for number in range(MODELS):
        model = {**spec, "model_id": f"{spec['model_id']}-{number}"}
        key = f"community_models/{model['model_id']}/specs_v{model['version']}.json"
        named = {"model_id": model["model_id"], "version": model["version"]}
        rows.append({**named, "min_version": model["min_sdk_version"], "spec_key": key})
        file = folder / key
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(model), encoding="utf-8")
    (folder / "models_manifest.json").write_text(json.dumps(rows), encoding="utf-8")
    return folder


def check_answers(answers: Sequence[object]) -> None:
    """Checks that all answers are equal: only then is it interesting which is faster.

    Raises:
        ValueError: The answers differ.
    """
    if any(answer != answers[0] for answer in answers):
        raise ValueError(f"the answers differ: {answers}")


def judge(figures: dict[str, Figures]) -> list[Goal]:
    """Builds the goals: ours takes no longer than the SDK."""
    ours, sdk = figures[OURS], figures[SDK]
    return [
        Goal(f"{OURS} / {SDK}, to the first answer", _ratio(ours.first, sdk.first), 1.0),
        Goal(f"{OURS} / {SDK}, each further model", _ratio(ours.further, sdk.further), 1.0),
    ]


def _measure_once(command: Sequence[str], mirror: Path, figures: Figures) -> None:
    begun = time.perf_counter()
    _ask(command, mirror, 1)
    figures.first.append(time.perf_counter() - begun)
    figures.further.append(statistics.median(_ask(command, mirror, MODELS)["seconds"]))


def _ask(command: Sequence[str], mirror: Path, count: int) -> dict[str, Any]:
    asked = [*command, str(mirror), str(count)]
    answer: dict[str, Any] = json.loads(subprocess.check_output(asked, stderr=subprocess.PIPE))  # noqa: S603  # our own
    return answer


def _ratio(ours: Sequence[float], others: Sequence[float]) -> float:
    return round(statistics.median(a / b for a, b in zip(ours, others, strict=True)), 3)


def _row(name: str, figures: Figures) -> Row:
    return {
        "who": name,
        "first answer s": round(statistics.median(figures.first), 2),
        "each further model ms": round(1000 * statistics.median(figures.further), 2),
    }


SCENARIO = Scenario(
    title="What a JumpStart model needs",
    about=(
        "The time to find a model's image, artifacts, environment and instance from its spec, offline: our "
        "catalogue compared with AWS's own SDK, which other stacks call during a synth. Both read the same "
        "folder and give the same answer. The first answer is timed from the start of Python, including "
        f"imports; each further model is one of {MODELS} in the same process."
    ),
    rounds=5,
    measure=measure,
)
