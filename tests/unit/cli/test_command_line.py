"""Every verb can be found, explains itself, and a wrong command line ends with status 2."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from centralized_ml_api import cli
from centralized_ml_api.cli import SECTIONS, VERBS
from centralized_ml_api.errors import INTERRUPTED
from support.local_api import MLAPI
from support.verbs import mlapi
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_VERBS = {"watch"}
"""What is beside the verbs and is none: `mlapi status --watch`."""


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_explains_itself(verb: str, tmp_path: Path) -> None:
    ran = mlapi(verb, "--help", cwd=tmp_path)
    assert ran.status == 0, ran.talk
    assert ran.out.startswith(f"Usage: mlapi {verb}")


def test_help_lists_every_verb_in_its_section(tmp_path: Path) -> None:
    verbs = Path(cli.__file__).parent / "verbs"
    modules = {path.stem for path in verbs.glob("[a-z]*") if path.suffix == ".py" or path.is_dir()}
    assert set(VERBS) == modules - NO_VERBS
    assert len(VERBS) == len(set(VERBS))
    shown = mlapi("--help", cwd=tmp_path).out
    for title, section in SECTIONS.items():
        lines = shown.partition(f"\n{title}:\n")[2].partition("\n\n")[0].splitlines()
        assert [line.split()[0] for line in lines] == list(section)


def test_help_shows_a_whole_sentence_of_every_verb_at_80_columns(tmp_path: Path) -> None:
    shown = mlapi("--help", cwd=tmp_path, environment={"COLUMNS": "80"}).out
    summaries = [line for line in shown.splitlines() if line.startswith("  ") and line.split()[0] in VERBS]
    assert len(summaries) == len(VERBS)
    assert [
        line for line in summaries if not line.endswith(".") or line.endswith("..") or len(line) > 80
    ] == []


def test_help_shows_whole_sentences_below_a_verb_too(tmp_path: Path) -> None:
    shown = mlapi("keys", "--help", cwd=tmp_path, environment={"COLUMNS": "80"}).out
    commands = shown.partition("\nCommands:\n")[2].splitlines()
    assert [line.split()[0] for line in commands] == ["export", "import", "revoke", "rotate"]
    assert [line for line in commands if not line.endswith(".") or line.endswith("..")] == []


def list_commands(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    """Every command of a group and of those below, by its name."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", inner) for below, inner in list_commands(command))


@pytest.mark.parametrize(
    "arguments", [(), ("--help",), ("init",), ("up",), ("up", "--help"), ("check", "a.json")]
)
def test_in_a_folder_that_was_removed_nothing_runs_and_it_is_said_why(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    remove_and_run = 'rmdir "$PWD" && exec "$@"'
    ran = subprocess.run(
        ["sh", "-c", remove_and_run, "sh", *MLAPI, *arguments],
        cwd=gone,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.splitlines() == [
        "error: the folder that you are in was removed",
        "  fix: go to another one; if it was made anew, cd to its path again",
    ]


SAID = [
    *((name, str(command.help)) for name, command in list_commands(cli.mlapi)),
    *(
        (f"{name} {option.opts[-1]}", str(option.help))
        for name, command in list_commands(cli.mlapi)
        for option in command.params
        if isinstance(option, click.Option)
    ),
]
NO_SENTENCE = re.compile(r"(The|A|An|What|Where|Whose|Which|How|For|Exit) ")
"""How a help begins that names a thing and does not say what the verb or the flag does."""


@pytest.mark.parametrize(("name", "said"), SAID, ids=[name for name, _ in SAID])
def test_help_says_what_a_verb_or_a_flag_does_in_whole_sentences(name: str, said: str) -> None:
    first = said.partition("\n\n")[0]
    assert re.fullmatch(r"[A-Z].*\.", " ".join(first.split())), name
    assert not NO_SENTENCE.match(first), name
    assert "Exit status" not in said


@pytest.mark.parametrize(
    "arguments", [["nope"], ["up", "--port", "x"], ["up", "--for", "soon"], ["status", "--nope"], ["call"]]
)
def test_a_wrong_command_line_ends_with_status_2_and_no_traceback(
    arguments: list[str], tmp_path: Path
) -> None:
    ran = mlapi(*arguments, cwd=tmp_path)
    assert ran.status == 2
    assert "Error:" in ran.talk
    assert "Traceback" not in ran.talk


@pytest.mark.parametrize(
    ("mistyped", "said"),
    [
        ("statsu", "Error: No such command 'statsu'. Did you mean 'status'?\n"),
        ("Deploy", "Error: No such command 'Deploy'. Did you mean 'deploy'?\n"),
        ("hlep", "Error: No such command 'hlep'. Did you mean '--help'?\n"),
        ("quux", "Error: No such command 'quux'.\n"),
    ],
)
def test_a_mistyped_verb_gets_the_nearest_one(mistyped: str, said: str, tmp_path: Path) -> None:
    ran = mlapi(mistyped, cwd=tmp_path)
    assert (ran.status, ran.out) == (2, "")
    assert ran.talk.endswith(said)


@pytest.mark.parametrize("verb", ["status", "down", "reload", "call", "smoke"])
def test_where_nothing_runs_verbs_say_how_to_start_it(verb: str, tmp_path: Path) -> None:
    ran = mlapi(verb, *(["name"] if verb == "call" else []), cwd=tmp_path)
    assert ran.status == 1
    assert "nothing runs with the state folder" in ran.talk
    began = ran.talk.splitlines()[-1]
    if verb == "down":
        assert began.endswith("name its state folder with --state")
        return
    assert began == "  fix: name another one with --state, or begin with: mlapi init"
    (tmp_path / "config").mkdir()
    (tmp_path / "config/models.json").write_text("{}")
    ran = mlapi(verb, *(["name"] if verb == "call" else []), "--state", "my state", cwd=tmp_path)
    assert ran.talk.endswith("or begin with: mlapi up --state 'my state'\n")


def test_the_version_is_printed_as_a_program_of_its_own_too(tmp_path: Path) -> None:
    version = r"mlapi, version \d+\.\d+\.\d+\n"
    assert re.fullmatch(version, mlapi("--version", cwd=tmp_path).out)
    ran = subprocess.run([*MLAPI, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert re.fullmatch(version, ran.stdout)


@pytest.mark.slow
def test_sigterm_ends_a_verb_as_ctrl_c_does(tmp_path: Path) -> None:
    """Otherwise it would leave its temporary files."""
    command = [*MLAPI, "check", "/dev/stdin"]
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b" " * 2**20)  # more than a pipe holds: it reads by now

        def has_ended() -> bool:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):  # it came between two reads
                process.wait(5)
            return process.poll() is not None

        wait_until(has_ended, "it ends")
        assert process.returncode == INTERRUPTED
