"""How long it takes until something is there: `make bench BENCH=start`.

Nothing is pinned. The weights are on the disk and have been read before: a start is warm.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench import language_model
from bench.chat_calls import Question, is_answered
from bench.processes import START_SECONDS, free_port, start
from bench.scenario import Goal, Measured, Row, Run, Scenario
from bench.serving import MLAPI

if TYPE_CHECKING:
    from pathlib import Path

ASK_SECONDS = 0.005
"""Between two questions to something that is starting."""
UP_RATIO = 1.5
VERB_SECONDS = 0.5
LINEAR = 1.5
"""How many times as long as the first 500 models the next 500 may take: about once is in proportion."""
FEW, MANY, TWICE = 2, 500, 1000
"""Models in a config. AWS has room for 150 in a stack; the form of a config has no limit."""

BARE = "the model server alone"
UP = "mlapi up, its chat"
UP_FUNCTION = "mlapi up, its function"
VERBS = {
    "mlapi check": ("check", "--offline"),
    "mlapi plan": ("plan",),
    "mlapi plan --target aws": ("plan", "--target", "aws"),
}

Seconds = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Start:
    """A command that listens on a port, and what it is asked until it answers."""

    command: Sequence[str]
    question: Question
    environment: Mapping[str, str]


def measure(run: Run) -> Measured:
    """Every start and every verb in every round, after a round that is not counted."""
    weights, configs = language_model.find_weights(run.say), write_configs(run.folder)
    seconds: Seconds = {}
    for number in range(run.rounds + 1):
        taken = {**time_starts(weights, run.folder), **time_verbs(configs, run.folder)}
        for name, one in taken.items() if number else ():
            seconds.setdefault(name, []).append(one)
        run.say(f"round {number} of {run.rounds}: up {taken[UP]:.2f} s, the server alone {taken[BARE]:.2f} s")
    return Measured(
        goals=judge(seconds),
        rows=build_rows(seconds),
        versions=language_model.describe_versions(),
        details={"seconds": {name: [round(one, 4) for one in all_] for name, all_ in seconds.items()}},
    )


def time_starts(weights: Path, folder: Path) -> dict[str, float]:
    """Of the model's server alone, and of the API: with a direct route, and as the default config has it."""
    launch = language_model.build_launch(weights, free_port(), folder)
    chat = {"model": language_model.NAME, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    text = {"text_inputs": "Hi", "max_new_tokens": 1}
    bare = Question(int(launch.argv[-1]), language_model.CHAT_PATH, chat)
    return {
        BARE: time_start(Start(launch.argv, bare, launch.environment), folder),
        UP: time_start(build_up(folder, "chat", language_model.CHAT_PATH, chat), folder),
        UP_FUNCTION: time_start(build_up(folder, "function", f"/{language_model.NAME}", text), folder),
    }


def build_up(folder: Path, name: str, path: str, body: Mapping[str, Any]) -> Start:
    """An `mlapi up` of the config of that name."""
    port, state = free_port(), folder / f"state-{name}"
    config = folder / f"{name}.json"
    config.write_text(json.dumps(language_model.build_config(function=name == "function")), encoding="utf-8")
    command = [*MLAPI, "up", str(config), "--port", str(port), "--state", str(state)]
    return Start(command, Question(port, path, body), {})


def time_start(what: Start, folder: Path) -> float:
    """Seconds from the execution to the first answer.

    Raises:
        TimeoutError: there is none.
    """
    begun = time.perf_counter()
    with start(what.command, log=folder / "start.log", environment=what.environment):
        while not is_answered(what.question):
            if time.perf_counter() - begun > START_SECONDS:
                raise TimeoutError((folder / "start.log").read_text(encoding="utf-8")[-2000:])
            time.sleep(ASK_SECONDS)
        return time.perf_counter() - begun


def write_configs(folder: Path) -> dict[int, Path]:
    """Configs of so many models: half of JumpStart behind a function, half packages that are called directly.

    A mirror of JumpStart that lists nothing keeps the network out: the entries are found in what is shipped.
    """
    (folder / "mirror").mkdir()
    (folder / "mirror/models_manifest.json").write_text("[]", encoding="utf-8")
    entry = language_model.load_entry()
    package = {
        "model_package_arn": "arn:aws:sagemaker:us-east-1:865070037744:model-package/a-package",
        "instance": "ml.g5.2xlarge",
        "integration": {"type": "api"},
        "local": {"engine": "url", "url": "http://127.0.0.1:9000/invocations"},
    }
    configs = {}
    for count in (FEW, MANY, TWICE):
        models = [{**(package if number % 2 else entry), "name": f"m-{number}"} for number in range(count)]
        configs[count] = folder / f"{count}.json"
        configs[count].write_text(json.dumps({"models": models}, indent=2), encoding="utf-8")
    return configs


def time_verbs(configs: Mapping[int, Path], folder: Path) -> dict[str, float]:
    """Each verb with each config."""
    return {
        describe_verb(verb, count): time_verb([*MLAPI, *words, str(config)], folder)
        for verb, words in VERBS.items()
        for count, config in configs.items()
    }


def describe_verb(verb: str, count: int) -> str:
    """Such as `mlapi check, 2 models`."""
    return f"{verb}, {count} models"


def time_verb(command: Sequence[str], folder: Path) -> float:
    """Seconds from the execution to the end, on a machine without credentials for AWS.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    none = str(folder / "none")
    aws = {"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true"}
    environment = {**own, **aws, "MLAPI_JUMPSTART_MIRROR": str(folder / "mirror")}
    begun = time.perf_counter()
    subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True)  # noqa: S603  # our own
    return time.perf_counter() - begun


def judge(seconds: Seconds) -> list[Goal]:
    """What is promised, and whether it holds."""
    goals = [Goal(f"{UP} / {BARE}", round(beside(seconds, UP), 2), UP_RATIO)]
    for verb in VERBS:
        for count in (FEW, MANY):
            name = describe_verb(verb, count)
            goals.append(Goal(f"{name}, s", round(statistics.median(seconds[name]), 3), VERB_SECONDS))
        more = growth(*(seconds[describe_verb(verb, count)] for count in (FEW, MANY, TWICE)))
        goals.append(Goal(f"{verb}, models 501 to 1000 / the first 500", round(more, 2), LINEAR))
    return goals


def beside(seconds: Seconds, name: str) -> float:
    """How many times as long as the model's server alone; the median of the rounds."""
    pairs = zip(seconds[name], seconds[BARE], strict=True)
    return statistics.median(one / bare for one, bare in pairs)


def growth(few: Sequence[float], many: Sequence[float], twice: Sequence[float]) -> float:
    """What the second half of the models costs, as a multiple of what the first half does. Pure.

    Of the fastest: what disturbs only adds, and the differences are small.
    """
    return (min(twice) - min(many)) / (min(many) - min(few))


def build_rows(seconds: Seconds) -> list[Row]:
    """A line for each start and verb."""
    return [
        {
            "from exec to": name if name in {BARE, UP, UP_FUNCTION} else f"the end of {name}",
            "median s": round(statistics.median(all_), 3),
            "fastest s": round(min(all_), 3),
            "times the server alone": round(beside(seconds, name), 2) if name in {UP, UP_FUNCTION} else None,
        }
        for name, all_ in seconds.items()
    ]


SCENARIO = Scenario(
    title="How long a start takes",
    about=(
        "From the execution to the first answer, with weights on the disk: llama.cpp's server alone, "
        "`mlapi up` with that model called directly, and with it behind the default config's function. Then "
        f"`check` and `plan` of {FEW}, {MANY} and {TWICE} models, from execution to end, without a network."
    ),
    rounds=5,
    measure=measure,
    quoted={f"{UP} / {BARE}": "`mlapi up` to its first answer, over the model's server alone"},
    notes=(
        "Before `mlapi up` knows which server to start, Python imports it and checks the config. That is"
        " what `check` takes, and half of what `mlapi up` takes more than the server alone. In the other"
        " half what else it needs is imported, and Envoy started, on the cores that load the model. With"
        " a function, its host and its worker start beside them: two cores are then what a start waits "
        "for. Much less would take a config that is checked without pydantic, or servers that are "
        "started before the config is read. `--target aws` imports botocore to look for credentials."
    ),
)
