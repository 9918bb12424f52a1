"""Situations on one machine in which a command is printed: each sets the stage until the command is tried."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from centralized_ml_api.cli.loading import load_and_warn, tell_unknown_models
from centralized_ml_api.cli.progress import Announcement
from centralized_ml_api.local.run.ending import End, render_announcement, word_more_time
from centralized_ml_api.local.run.reload import load_plan
from centralized_ml_api.local.run.specs import build_desired_state
from support.access_log import append, line
from support.file_server import FileServer
from support.hints.stage import AT, ECHO, FILE, READY, SERVED, STATE
from support.local_api import models
from support.verbs import TINY, write_jumpstart_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.hints.stage import Situation, Stage

NOW = datetime.now(UTC)
MODEL = {"name": "chat", "instance": "ml.g5.xlarge", "integration": {"type": "api"}}
ENDS = "2099-06-01T18:00:00Z"


def starting_a_config(stage: Stage) -> None:
    """`init` leads to `check`, `check` to `plan`, `plan` and an example to `up`; no file is replaced.

    Where nothing is to be fetched, `pull` leads to `up`.
    """
    stage.run("init", FILE)
    stage.run("init", FILE)
    stage.run("init", "--empty", "empty.yaml")
    stage.run("init", "--example", "teams", "a lesson.json")
    stage.run("plan", FILE)
    stage.write("plain.json")
    stage.run("check", "plain.json")
    stage.run("pull", "echo", "--config", "plain.json")


def a_config_with_mistakes(stage: Stage) -> None:
    """The page of the first problem, the file that is missing, the end that is over, all of many problems."""
    stage.may_fail = {"check"}
    stage.run("check", "none.json")
    stage.write(event={"ends": "2020-01-01T00:00:00Z"})
    stage.run("check", FILE)
    many = [{"name": f"m{number}"} for number in range(120)]
    stage.write("many.json", endpoints=many)
    stage.run("check", "many.json")
    stage.run("up", "many.json")
    stage.write("unknown.json", models=[{**MODEL, "model_id": "acme-unheard-of"}])
    loaded = load_and_warn(stage.folder / "unknown.json")
    stage.printed(lambda: tell_unknown_models(loaded))


def a_config_with_warnings(stage: Stage) -> None:
    """One line says how to read them."""
    stage.write(
        "warned.json", endpoints=[{**ECHO, "integration": {"type": "api", "headers": ["X-Forwarded-For"]}}]
    )
    function = {"code": ".", "permissions": ["s3:GetObject"], "timeout": 60}
    (stage.folder / "index.py").write_text("def lambda_handler(event, context): ...\n")
    integration = {"type": "lambda", "properties": function}
    stage.write("warned.json", endpoints=[{**ECHO, "integration": integration}])
    stage.run("plan", "warned.json")


def ids_of_problems(stage: Stage) -> None:
    """Every id, one of them, one that is mistyped, one that is none; with and without a config."""
    stage.run("explain")
    stage.run("explain", "C102")
    stage.run("explain", "C1O2")
    stage.run("explain", "nonsense")


def ids_of_problems_beside_a_config(stage: Stage) -> None:
    """The config can be checked."""
    stage.write("config/models.json")
    stage.run("explain", "C102")


def the_catalogue(stage: Stage) -> None:
    """Models are found, shown, added, locked; what is not there leads to the list."""
    stage.run("models", "tiny")
    stage.run("models", "nothing like it")
    stage.run("models", "show", TINY)
    stage.write(models=[])
    stage.run("models", "add", TINY, FILE)
    stage.run("models", "show", "nothing-like-it-at-all")
    stage.run("models", "show", "acme-old")
    stage.run("models", "show", "acme-vulnerable")


def the_catalogue_beside_a_config(stage: Stage) -> None:
    """A model can be added to it."""
    stage.write("config/models.json", models=[])
    stage.run("models", "show", TINY, "--offline", "--region", "us-east-1")


def the_lock(stage: Stage) -> None:
    """A lock is followed by a check; a damaged one, and a model that is added, lead to `lock`."""
    stage.may_fail = {"check"}
    write_jumpstart_config(stage.folder)
    stage.run("lock", "tiny.json")
    stage.run("models", "add", "acme-vlm-gated", "tiny.json")
    (stage.folder / "jumpstart.lock.json").write_text("{}")
    stage.run("check", "tiny.json")


def _weights(url: str, **more: str) -> dict[str, str]:
    return {"engine": "llama.cpp", "weights": f"{url}/model.gguf", **more}


@contextmanager
def weights(stage: Stage) -> Iterator[None]:
    """What is fetched by hand names itself, in `pull` and in its 501; afterwards it is served."""
    with FileServer(b"GGUF") as server:
        config = models(small=_weights(server.url), large=_weights(server.url, fetch="manual"))
        stage.write(FILE, **config, endpoints=[])
        plan = load_plan(stage.folder / FILE)
        for reason in build_desired_state(plan).refused.values():
            stage.show(reason)
        stage.run("pull", "--config", FILE)
        stage.run("pull", FILE, "--config", FILE)
        with stage.running(config="other.json", state=".mlapi"):
            stage.run("pull", "--config", "other.json")
            yield


def nothing_runs(stage: Stage) -> None:
    """A config can be made."""
    stage.run("status", *AT)


def nothing_runs_yet(stage: Stage) -> None:
    """The config that is there can be served."""
    stage.write("config/models.json")
    stage.run("status", *AT)


@contextmanager
def running_well(stage: Stage) -> Iterator[None]:
    """Status, logs, smoke, call, clients, reload, the organizer's screen."""
    with stage.running():
        stage.log("echo")
        stage.run("status", *AT)
        stage.run("status", "--watch", "--json", *AT)
        stage.run("logs", *AT)
        stage.run("smoke", *AT)
        stage.run("smoke", stage.url)
        stage.run("reload", *AT)
        stage.run("board", *AT)
        stage.run("wake", "echo", *AT)
        stage.run("sleep", "echo", *AT)
        stage.run("restart", "echo", *AT)
        stage.run("pause", "echo", *AT)
        stage.run("resume", *AT)
        stage.run("pause", "--team", "red", *AT)
        stage.run("grant", "red", "--usd", "1", *AT)
        stage.run("grant", "red", "--take-back", *AT)
        stage.run("message", "Lunch is here", *AT)
        stage.run("message", "--clear", *AT)
        stage.run("call", "status", "{}", *AT)
        stage.run("clients", *AT)
        yield


@contextmanager
def running_badly(stage: Stage) -> Iterator[None]:
    """The log of what failed; where there is none, the status; where nobody listens, what runs."""
    stage.may_fail = {"status"}
    failed = replace(READY, state="failed")
    with stage.running(failed) as target:
        stage.log("echo")
        stage.run("status", *AT)
        stage.server.catalogue = {"models": [{**SERVED, "path": "/status/500"}]}
        stage.run("smoke", *AT)
        stage.run("call", "refuse/422", "{}", *AT)
        stage.run("wake", "echo", *AT)
        target.current = replace(target.current, address="http://127.0.0.1:9")
        stage.run("call", "echo", "{}", *AT)
        target.current = replace(
            target.current, address=stage.url, entries=(replace(READY, state="starting"),)
        )
        stage.run("status", *AT)
        yield


@contextmanager
def an_end_that_moves_here(stage: Stage) -> Iterator[None]:
    """Where it runs, where another config runs, where nothing does; an instant that is past."""
    stage.write("idle.json")
    stage.run("extend", "+1h", "idle.json", *AT)
    with stage.running(ends=ENDS):
        stage.write("other.json")
        stage.run("extend", ENDS, FILE, *AT)
        stage.run("extend", ENDS, "other.json", *AT)
        stage.run("extend", "2020-01-01T00:00:00Z", FILE, *AT)
        more = word_more_time(stage.folder / FILE, stage.folder / STATE)
        stage.show(render_announcement(End(NOW, is_events=True), timedelta(minutes=1), more))
        yield


@contextmanager
def keys_while_it_runs(stage: Stage) -> Iterator[None]:
    """They are handed out."""
    stage.write(event={"teams": ["red", "blue"]})
    with stage.running():
        stage.make_keys("red", "blue")
        stage.run("keys", *AT)
        stage.run("keys", "rotate", "red", *AT)
        stage.run("keys", "export", *AT)
        yield


@contextmanager
def teams_that_join(stage: Stage) -> Iterator[None]:
    """The link leads to closing, the closed door to opening it."""
    stage.write(event={"join": {"teams": 2}})
    with stage.running() as target:
        stage.make_keys("red")
        plan = load_plan(stage.folder / FILE)
        stage.printed(lambda: Announcement(plan, "127.0.0.1").show(target.current))
        stage.run("join", *AT)
        stage.run("join", "--close", *AT)
        stage.run("join", "--open", *AT)
        (stage.folder / "roster.csv").write_text("team\nred\nblue\n")
        stage.run("keys", "import", "roster.csv", "--config", FILE, *AT)
        stage.run("keys", "import", "roster.csv", "--config", FILE, "--state", "none")
        stage.run("keys", "export", "--csv", *AT)
        yield


@contextmanager
def the_end_of_joining(stage: Stage) -> Iterator[None]:
    """It leads to the keys, also where the door was closed before."""
    stage.write(event={"join": {"teams": 2, "until": "2020-01-01T00:00:00Z"}})
    with stage.running():
        stage.make_keys("red")
        stage.run("join", *AT)
        stage.run("join", "--close", *AT)
        yield


def keys_while_nothing_runs(stage: Stage) -> None:
    """They are shown; a revoked team gets a new one."""
    stage.make_keys("red", "blue")
    stage.run("keys", *AT)
    stage.run("keys", "rotate", "red", *AT)
    stage.run("keys", "revoke", "red", "--former", *AT)
    stage.run("keys", "revoke", "blue", "--yes", *AT)
    stage.run("keys", "--show", "blue", *AT)


def calls_of_the_past(stage: Stage) -> None:
    """A report can be written."""
    append(stage.folder / STATE / "logs/access.log", line("red", "echo", at=NOW))
    stage.run("usage", *AT)


@contextmanager
def a_folder_that_is_held(stage: Stage) -> Iterator[None]:
    """What runs with it can be stopped."""
    with stage.running():
        stage.run("up", FILE, "--port", "0", *AT)
        yield


SITUATIONS: tuple[Situation, ...] = (
    starting_a_config,
    a_config_with_mistakes,
    a_config_with_warnings,
    ids_of_problems,
    ids_of_problems_beside_a_config,
    the_catalogue,
    the_catalogue_beside_a_config,
    the_lock,
    weights,
    nothing_runs,
    nothing_runs_yet,
    running_well,
    running_badly,
    an_end_that_moves_here,
    keys_while_it_runs,
    teams_that_join,
    the_end_of_joining,
    keys_while_nothing_runs,
    calls_of_the_past,
    a_folder_that_is_held,
)
