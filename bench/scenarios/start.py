"""How long commands take to start and to finish: `make bench BENCH=start`.

Nothing is pinned. The weights are on the disk and have been read before: starts are warm.
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
"""Between two requests to a server that is starting."""
UP_RATIO = 1.4
VERB_SECONDS = 0.5
CHECK_SECONDS = 0.12
"""Of `mlapi check` with few models, which an editor may run at every save."""
LINEAR = 1.5
"""How many times as long the second 500 models may take as the first 500; 1 is proportional."""
FEW, MANY, TWICE = 2, 500, 1000
"""Models in a config. A stack on AWS has room for 150; the config format has no limit."""

BARE = "the model server alone"
UP = "mlapi up, direct route"
UP_FUNCTION = "mlapi up, through a function"
VERBS = {
    "mlapi check": ("check", "--offline"),
    "mlapi plan": ("plan",),
    "mlapi plan --target aws": ("plan", "--target", "aws"),
}

Seconds = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Start:
    """A command that listens on a port, and the request that is repeated until it answers."""

    command: Sequence[str]
    question: Question
    environment: Mapping[str, str]


def measure(run: Run) -> Measured:
    """Measures every start and every verb in every round, after one round that is not counted."""
    weights, configs = language_model.find_weights(run.say), write_configs(run.folder)
    seconds: Seconds = {}
    for number in range(run.rounds + 1):
        taken = {**time_starts(weights, run.folder), **time_verbs(configs, run.folder)}
        for name, taken_seconds in taken.items() if number else ():
            seconds.setdefault(name, []).append(taken_seconds)
        run.say(f"round {number} of {run.rounds}: up {taken[UP]:.2f} s, the server alone {taken[BARE]:.2f} s")
    return Measured(
        goals=judge(seconds),
        rows=build_rows(seconds),
        versions=language_model.describe_versions(),
        details={
            "seconds": {
                name: [round(taken_seconds, 4) for taken_seconds in all_] for name, all_ in seconds.items()
            }
        },
    )


def time_starts(weights: Path, folder: Path) -> dict[str, float]:
    """Times the model's server alone, the API with a direct route, and the API with the default function."""
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
    """Builds the start of `mlapi up` with the config of that name."""
    port, state = free_port(), folder / f"state-{name}"
    config = folder / f"{name}.json"
    config.write_text(json.dumps(language_model.build_config(function=name == "function")), encoding="utf-8")
    command = [*MLAPI, "up", str(config), "--port", str(port), "--state", str(state)]
    return Start(command, Question(port, path, body), {})


def time_start(what: Start, folder: Path) -> float:
    """Returns the seconds from the execution to the first response.

    Raises:
        TimeoutError: There is no response.
    """
    begun = time.perf_counter()
    with start(what.command, log=folder / "start.log", environment=what.environment):
        while not is_answered(what.question):
            if time.perf_counter() - begun > START_SECONDS:
                raise TimeoutError((folder / "start.log").read_text(encoding="utf-8")[-2000:])
            time.sleep(ASK_SECONDS)
        return time.perf_counter() - begun


def write_configs(folder: Path) -> dict[int, Path]:
    """Writes a config for each number of models: half from JumpStart with a function, half packages without.

    An empty mirror of JumpStart keeps the network out: the entries are found in the shipped snapshot.
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
    """Times each verb with each config."""
    return {
        describe_verb(verb, count): time_verb([*MLAPI, *words, str(config)], folder)
        for verb, words in VERBS.items()
        for count, config in configs.items()
    }


def describe_verb(verb: str, count: int) -> str:
    """Returns a label such as `mlapi check, 2 models`."""
    return f"{verb}, {count} models"


def time_verb(command: Sequence[str], folder: Path) -> float:
    """Returns the seconds from the execution to the exit, without AWS credentials.

    Raises:
        subprocess.CalledProcessError: The command failed.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    none = str(folder / "none")
    aws = {"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true"}
    environment = {**own, **aws, "MLAPI_JUMPSTART_MIRROR": str(folder / "mirror")}
    begun = time.perf_counter()
    subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True)  # noqa: S603  # our own
    return time.perf_counter() - begun


def judge(seconds: Seconds) -> list[Goal]:
    """Builds the goals."""
    goals = [Goal(f"{UP} / {BARE}", round(beside(seconds, UP), 2), UP_RATIO)]
    for verb in VERBS:
        for count in (FEW, MANY):
            name = describe_verb(verb, count)
            limit = CHECK_SECONDS if name == describe_verb("mlapi check", FEW) else VERB_SECONDS
            goals.append(Goal(f"{name}, s", round(statistics.median(seconds[name]), 3), limit))
        more = growth(*(seconds[describe_verb(verb, count)] for count in (FEW, MANY, TWICE)))
        goals.append(Goal(f"{verb}, models 501 to 1000 / the first 500", round(more, 2), LINEAR))
    return goals


def beside(seconds: Seconds, name: str) -> float:
    """Returns how many times as long it takes as the model's server alone; the median of the rounds."""
    pairs = zip(seconds[name], seconds[BARE], strict=True)
    return statistics.median(own / bare for own, bare in pairs)


def growth(few: Sequence[float], many: Sequence[float], twice: Sequence[float]) -> float:
    """Returns the cost of the second half of the models as a multiple of the first half's. Pure.

    It compares the fastest rounds: disturbances only add time, and the differences are small.
    """
    return (min(twice) - min(many)) / (min(many) - min(few))


def build_rows(seconds: Seconds) -> list[Row]:
    """Builds a row for each start and verb."""
    return [
        {
            "command": name,
            "median s": round(statistics.median(all_), 3),
            "fastest s": round(min(all_), 3),
            "times the server alone": round(beside(seconds, name), 2) if name in {UP, UP_FUNCTION} else None,
        }
        for name, all_ in seconds.items()
    ]


NOTES = """\
A start with the config of the last one [begins with its servers](../decisions/0043-servers-start-first.md):
the model loads on one core, while Python imports the program on the other, checks the config, and starts
Envoy and the admission service. With a function, its host and its worker start as well, and two cores become
the bottleneck. `--target aws` imports botocore to look for credentials.

What was tried to start sooner, in November 2026. The old and the new program ran in turn; a ratio is the
median of the rounds. Other work kept both cores busy: milliseconds are processor time, and longer than on a
quiet machine.

| tried | effect | |
| --- | --- | --- |
| [reading a config without pydantic](../decisions/0039-the-schema-is-plain-python.md) | `check` takes 0.56 of the time; `up` has read its config after 131 ms instead of 236 | kept |
| looking JumpStart ids up in the shipped list before the catalogue | 28 -> 7 ms before the first server starts | kept |
| both, `up` / the server alone, 10 rounds | 2.29 -> 1.89 | |
| starting Envoy and the admission service before aiohttp is imported, and that in a thread | 1.89 -> 1.70; the admission service starts after 255 ms instead of 471 | kept |
| a cache of checked configs | none: reading, checking and planning the default config takes 7 ms now | not built |
| importing Envoy's 40 modules only after the first server has started | less than 10 of 80 ms: these modules are small | not built |
| importing difflib only for a misspelt word | 2 ms at most, within the noise | not built |
| starting processes without a hook between fork and exec | less than 1 ms instead of 10 on the clock for each, but a server would outlive an `up` that is killed | not built |
| Python without `site` for the servers | 3 ms for each, but it would not find the packages of its environment | not built |

What was tried since then, with ten to twenty other programs on the two cores. Ratios of such rounds are
higher than on a quiet machine, and no core is idle that an early start could use.

| tried | effect | |
| --- | --- | --- |
| dividing callers by address only where other machines can call: each of nine groups had all filters of Envoy | Envoy starts in 0.15 s of a processor instead of 0.34, and keeps 41 MB of its own instead of 101 | kept |
| asking servers by hand whether they are ready, and importing aiohttp once the API serves | 0.2 s of a processor less before the first response, if that comes within two seconds | kept |
| [starting the servers of the last start first](../decisions/0043-servers-start-first.md) | the model's process starts when `up` has used 97 ms of a processor instead of 257 | kept |
| the first two, `up` / the server alone, 4 and 6 rounds | 2.00 -> 1.52, 2.04 -> 1.73 | |
| all three, twice 7 rounds | 1.87 -> 1.61, 1.81 -> 1.60 | |
| all three, 6 rounds with fewer other programs | 2.12 -> 1.43, at best 1.62 -> 1.06; with the stop, 1.51 s of a processor instead of 1.88 | |
| a process that imports llama.cpp early and waits for its arguments | would gain the 50 ms of that import, not the load of the model | not built |
| starting the admission service early, too | would gain some 100 ms where it comes last; two `up` of one folder would then have one each for a moment, on the same sockets and accounts | not built |

Then the same with fresh eyes, by a time line of a start, with more than twenty other programs on the two
cores. Milliseconds are of a busy processor.

| tried | effect | |
| --- | --- | --- |
| [listeners of the translator and of jobs](gateway.md#how-it-is-used) only when something calls on them | Envoy alone starts in 105 ms instead of 157, and keeps 27 MB of its own instead of 41 | kept |
| saying where a server listens before the tables of routes are built | calls pass 27 ms sooner | kept |
| importing what answers `mlapi status` half a second after the API serves, or when somebody asks | 116 ms less during the first call | kept |
| starting the model's server before click and psutil are imported | it starts after 69 ms instead of 90 | kept |
| looking every 5 ms instead of 20 whether Envoy and the admission service answer | up to 15 ms for each, on the clock | kept |
| looking for no garbage while the admission service imports | 150 ms from its start to its end instead of 156 | kept |
| the first three and the looks, `up` / the server alone, 9 rounds | 1.64 -> 1.51; until the first response, 1.30 s of a processor instead of 1.46 | |
| all of it, 14 rounds with fewer other programs | 1.71 -> 1.35; 1.16 s of a processor instead of 1.31 | |
| scripts for the answers of providers and of endpoints in AWS only where an entry needs them | would take 13 of Envoy's 105 ms; each listener would have to read them from files | not built |
| a smaller table of routes | all of it takes 22 of Envoy's 105 ms, and most is what callers are promised | not built |
| asyncio without `ssl` for the admission service | 4 ms, by hiding a module of Python | not built |

**What is left.** Of these 1.16 s, the model's server has 0.52, as it has alone. `mlapi up` has 0.37: it imports
355 modules of ours. Envoy has 0.15, with the first calls; 0.045 pass before it has any listener. The admission
service has 0.12, of which half is Python and asyncio. So on two cores, the first response cannot come sooner
than 1.1 times as late as from the server alone. Fewer modules would lower that further, or a third core."""  # noqa: E501  # rows of a table

SCENARIO = Scenario(
    title="How long a start takes",
    about=(
        "The time from execution to the first response, with weights on the disk: for llama.cpp's server "
        "alone, for `mlapi up` with a direct route to that model, and with the default config's function in "
        f"front of it. Then the time from execution to exit for `check` and `plan` with {FEW}, {MANY} and "
        f"{TWICE} models, without a network."
    ),
    rounds=5,
    measure=measure,
    quoted={
        f"{UP} / {BARE}": "time to the first response of `mlapi up`, compared with the model's server alone"
    },
    notes=NOTES,
)
